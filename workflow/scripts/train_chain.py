from featprune.jobs.joblog import job_log

with job_log(snakemake.log[0]):
    from featprune.criteria import CRITERIA
    from featprune.datasets.dataset import load_dataset
    from featprune.engine.device import choose_device
    from featprune.engine.settings import Settings
    from featprune.jobs.training import training_job
    from featprune.network import network_for
    from featprune.runs.before import context_of, tickets_of
    from featprune.runs.chain import Trainer, train_chain
    from featprune.runs.files import load_parameters, save_mask, save_outcome

    p, files, made = snakemake.params, snakemake.input, snakemake.output
    data, seeds = load_dataset(files.data), p.training["seeds"]
    network = network_for(p.model, data)
    context = context_of(p.pruning, network, data, files.get("mask"), files.get("weights"))
    teacher = load_parameters(files.get("teacher_mask"), files.get("teacher_weights"), seeds)
    trainer = Trainer(network, data, seeds, choose_device(snakemake.resources.gpu), teacher=teacher)
    settings = {round: Settings(**s) for round, s in zip(p.training["rounds"], p.training["settings"], strict=True)}
    criterion, tickets = CRITERIA[p.pruning["criterion"]], tickets_of(files.get("tickets", []), seeds, network)
    rounds = train_chain(trainer, criterion, context, settings, tickets, p.training["late_step"])
    places = zip(made.masks, made.densities, made.weights, made.histories, made.snapshots, strict=True)
    job = {"rule": snakemake.rule, **snakemake.wildcards, **snakemake.params, "gpu": snakemake.resources.gpu}
    with training_job(snakemake.log[0], snakemake.config["checkpoint_minutes"], job, snakemake.input):
        for (mask, outcome), (mask_file, density_file, *place) in zip(rounds, places, strict=True):
            save_mask(mask_file, density_file, mask, seeds)
            save_outcome(outcome, mask.layers, seeds, *place)
