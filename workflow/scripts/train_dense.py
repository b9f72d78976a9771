from featprune.jobs.joblog import job_log

with job_log(snakemake.log[0]):
    from featprune.datasets.dataset import load_dataset
    from featprune.engine.device import choose_device
    from featprune.engine.settings import Settings
    from featprune.network import network_for
    from featprune.runs.chain import Trainer, train_dense
    from featprune.runs.files import save_mask, save_outcome

    p, made = snakemake.params, snakemake.output
    data, seeds = load_dataset(snakemake.input.data), p.training["seeds"]
    trainer = Trainer(network_for(p.model, data), data, seeds, choose_device(snakemake.resources.gpu))
    mask, outcome = train_dense(trainer, Settings(**p.training["settings"]), snakemake.wildcards.rewind)
    save_mask(made.mask, made.density, mask, seeds)
    save_outcome(outcome, mask.layers, seeds, made.weights, made.history, made.snapshots)
