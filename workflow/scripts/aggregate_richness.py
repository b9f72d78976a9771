from pathlib import Path

from featprune.jobs.joblog import job_log

with job_log(snakemake.log[0]):
    from featprune.storage import save_table
    from featprune.tables.tables import collect

    folders = [Path(file).parent for file in snakemake.input.masks]
    save_table(snakemake.output[0], collect(folders, "richness.parquet"))
