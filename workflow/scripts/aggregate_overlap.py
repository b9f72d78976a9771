from pathlib import Path

from featprune.jobs.joblog import job_log

with job_log(snakemake.log[0]):
    from featprune.datasets.dataset import load_dataset
    from featprune.features.overlap import overlaps
    from featprune.network import network_for
    from featprune.storage import save_table

    data = load_dataset(snakemake.input.data)
    network = network_for(snakemake.params.model, data)
    folders = [Path(file).parent for file in snakemake.input.snapshots]
    save_table(snakemake.output[0], overlaps(network, folders, data.teacher))
