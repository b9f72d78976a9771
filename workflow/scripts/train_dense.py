from pathlib import Path

from featprune.jobs.joblog import job_log

with job_log(snakemake.log[0]):
    from featprune.datasets.dataset import load_dataset
    from featprune.engine.settings import Settings
    from featprune.engine.training import choose_device
    from featprune.network import network_for
    from featprune.runs.chain import train_dense

    p = snakemake.params
    data = load_dataset(snakemake.input.data)
    folder = Path(snakemake.output.weights).parent
    device = choose_device(snakemake.config.get("device", "auto"))
    rewind = snakemake.wildcards.rewind
    train_dense(network_for(p.model, data), data, p.seeds, Settings(**p.training), folder, rewind, device)
