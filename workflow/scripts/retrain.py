from featprune.jobs.joblog import job_log

with job_log(snakemake.log[0]):
    from featprune.criteria import CRITERIA
    from featprune.datasets.dataset import load_dataset
    from featprune.engine.device import choose_device
    from featprune.engine.settings import Settings
    from featprune.jobs.training import training_job
    from featprune.network import network_for
    from featprune.rewind import REWINDS
    from featprune.runs.before import masks_of
    from featprune.runs.chain import Trainer, train_rounds
    from featprune.runs.files import load_parameters, save_outcome

    p, files, made = snakemake.params.training, snakemake.input, snakemake.output
    data = load_dataset(files.data)
    network = network_for(snakemake.params.model, data)
    repair = CRITERIA[p["criterion"]].repair
    previous, teacher = (
        load_parameters(files.get(f"{run}mask"), files.get(f"{run}weights"), p["seeds"]) for run in ("", "teacher_")
    )
    device = choose_device(snakemake.resources.gpu)
    trainer = Trainer(network, data, p["seeds"], device, repair, p["samples"], teacher)
    masks = masks_of(files.masks, p["seeds"], network)
    settings = {round: Settings(**s) for round, s in zip(p["rounds"], p["settings"], strict=True)}
    rewind = REWINDS[snakemake.wildcards.rewind]
    outcomes = train_rounds(trainer, rewind, masks, settings, previous, p["late_step"], p["always_from_dense"])
    job = {"rule": snakemake.rule, **snakemake.wildcards, **snakemake.params, "gpu": snakemake.resources.gpu}
    with training_job(snakemake.log[0], snakemake.config["checkpoint_minutes"], job, snakemake.input):
        for outcome, mask, *place in zip(outcomes, masks, made.weights, made.histories, made.snapshots, strict=True):
            save_outcome(outcome, mask.layers, p["seeds"], *place)
