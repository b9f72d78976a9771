from pathlib import Path

from featprune.jobs.joblog import job_log

with job_log(snakemake.log[0]):
    from featprune.storage import save_table
    from featprune.tables.tables import pixel_mask

    save_table(snakemake.output[0], pixel_mask([Path(file).parent for file in snakemake.input]))
