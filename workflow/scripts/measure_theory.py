from pathlib import Path

from featprune.jobs.joblog import job_log

with job_log(snakemake.log[0]):
    from featprune.storage import save_table
    from featprune.theory.registry import RESULTS

    measured = RESULTS[snakemake.params.result].measure(snakemake.params.options)
    for path in snakemake.output:
        save_table(path, measured[Path(path).stem])
