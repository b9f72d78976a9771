from featprune.jobs.joblog import job_log

with job_log(snakemake.log[0]):
    from featprune.criteria import CRITERIA
    from featprune.datasets.dataset import load_dataset
    from featprune.engine.device import choose_device
    from featprune.engine.settings import Settings
    from featprune.network import network_for
    from featprune.rewind import REWINDS
    from featprune.runs.chain import Trainer, train_rounds
    from featprune.runs.files import load_mask, load_run, save_outcome

    p, files, made = snakemake.params.training, snakemake.input, snakemake.output
    data = load_dataset(files.data)
    network = network_for(snakemake.params.model, data)
    repair = CRITERIA[p["criterion"]].repair
    trainer = Trainer(network, data, p["seeds"], choose_device(snakemake.resources.gpu), repair, p["samples"])
    masks = [load_mask(file, p["seeds"])[1] for file in files.masks]
    previous = load_run(files.mask, files.weights, p["seeds"]).parameters if files.get("weights") else None
    settings = {round: Settings(**s) for round, s in zip(p["rounds"], p["settings"], strict=True)}
    rewind = REWINDS[snakemake.wildcards.rewind]
    outcomes = train_rounds(trainer, rewind, masks, settings, previous, p["late_step"], p["always_from_dense"])
    for outcome, mask, *place in zip(outcomes, masks, made.weights, made.histories, made.snapshots, strict=True):
        save_outcome(outcome, mask.layers, p["seeds"], *place)
