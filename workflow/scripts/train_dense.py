from pathlib import Path

from featprune.joblog import job_log

with job_log(snakemake.log[0]):
    from featprune.dataset import load_dataset
    from featprune.runs import network_for, train_dense
    from featprune.training import Settings

    data = load_dataset(snakemake.input.data)
    folder = Path(snakemake.output.weights).parent
    settings = Settings(**snakemake.params.training)
    train_dense(network_for(snakemake.params.model, data), data, snakemake.params.seeds, settings, folder)
