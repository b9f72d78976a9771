from pathlib import Path

from featprune.jobs.joblog import job_log

with job_log(snakemake.log[0]):
    from featprune.storage import load_table, save_table
    from featprune.tables.tables import compression

    folders = [Path(file).parent for file in snakemake.input.compressed]
    save_table(snakemake.output[0], compression(folders, load_table(snakemake.input.summary).to_pandas()))
