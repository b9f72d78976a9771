from pathlib import Path

from featprune.jobs.joblog import job_log

with job_log(snakemake.log[0]):
    from featprune.storage import save_table
    from featprune.tables.tables import collect

    folders = [Path(file).parent for file in snakemake.input.masks]
    save_table(snakemake.output.features, collect(folders, "features.parquet"))
    save_table(snakemake.output.shift, collect(folders, "time_shift.parquet"))
