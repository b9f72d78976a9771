from featprune.jobs.joblog import job_log

with job_log(snakemake.log[0]):
    from featprune.datasets.dataset import load_dataset
    from featprune.engine.device import choose_device
    from featprune.engine.settings import Settings
    from featprune.jobs.training import training_job
    from featprune.network import network_for
    from featprune.runs.chain import Trainer, train_dense
    from featprune.runs.files import save_mask, save_outcome

    p, made = snakemake.params, snakemake.output
    data, seeds = load_dataset(snakemake.input.data), p.training["seeds"]
    trainer = Trainer(network_for(p.model, data), data, seeds, choose_device(snakemake.resources.gpu))
    places = zip(made.masks, made.densities, made.weights, made.histories, made.snapshots, strict=True)
    job = {"rule": snakemake.rule, **snakemake.wildcards, **snakemake.params, "gpu": snakemake.resources.gpu}
    with training_job(snakemake.log[0], snakemake.config["checkpoint_minutes"], job, snakemake.input):
        for rewind, (mask_file, density_file, *place) in zip(p.training["rewinds"], places, strict=True):
            mask, outcome = train_dense(trainer, Settings(**p.training["settings"]), rewind)
            save_mask(mask_file, density_file, mask, seeds)
            save_outcome(outcome, mask.layers, seeds, *place)
