from pathlib import Path

from featprune.jobs.joblog import job_log

with job_log(snakemake.log[0]):
    from featprune.tables.reading import expected
    from featprune.tables.registry import TABLES
    from featprune.tables.writing import save_content

    with expected(snakemake.input):
        made = TABLES[snakemake.params.table].make(dict(snakemake.input.items()), snakemake.params.options)
        for path in snakemake.output:
            save_content(path, made[Path(path).name])
