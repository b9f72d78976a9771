from pathlib import Path

from featprune.jobs.joblog import job_log

with job_log(snakemake.log[0]):
    from featprune.storage import save_table
    from featprune.tables.tables import learning_curves, summarize, tune

    curves = learning_curves([Path(file).parent for file in snakemake.input.histories])
    summary = summarize(curves, snakemake.params.late_step)
    save_table(snakemake.output.summary, summary)
    save_table(snakemake.output.tuned, tune(summary, over=["lr"]))
    save_table(snakemake.output.learning_curves, curves)
