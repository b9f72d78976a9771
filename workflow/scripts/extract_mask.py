from featprune.jobs.joblog import job_log

with job_log(snakemake.log[0]):
    from featprune.criteria import CRITERIA
    from featprune.datasets.dataset import load_dataset
    from featprune.network import network_for
    from featprune.pruning.rounds import extract_masks
    from featprune.runs.before import context_of, tickets_of
    from featprune.runs.files import save_mask

    p, files, made = snakemake.params, snakemake.input, snakemake.output
    data = load_dataset(files.data)
    network = network_for(p.model, data)
    context = context_of(p.pruning, network, data, files.get("mask"), files.get("weights"))
    tickets = tickets_of(files.get("tickets", []), context.seeds, network)
    masks = extract_masks(CRITERIA[p.pruning["criterion"]], context, p.pruning["rounds"], tickets)
    for mask, *place in zip(masks, made.masks, made.densities, strict=True):
        save_mask(*place, mask, context.seeds)
