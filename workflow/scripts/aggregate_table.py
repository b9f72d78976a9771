from pathlib import Path

from featprune.jobs.joblog import job_log

with job_log(snakemake.log[0]):
    from featprune.storage import atomic, save_table
    from featprune.tables.reading import expected
    from featprune.tables.registry import TABLES

    with expected(snakemake.input):
        made = TABLES[snakemake.params.table].make(dict(snakemake.input.items()), snakemake.params.options)
    for path in snakemake.output:
        content = made[Path(path).name]
        if isinstance(content, str):
            with atomic(path) as partial:
                partial.write_text(content, encoding="utf-8")
        else:
            save_table(path, content)
