from pathlib import Path

from featprune.jobs.joblog import job_log

with job_log(snakemake.log[0]):
    from featprune.storage import load_arrays, save_table
    from featprune.tables.tables import preactivation_sample

    labels = load_arrays(snakemake.input.data, ["test_y"])["test_y"]
    folders = [Path(file).parent for file in snakemake.input.preactivations]
    save_table(snakemake.output[0], preactivation_sample(folders, labels, layer=1, samples=60))
