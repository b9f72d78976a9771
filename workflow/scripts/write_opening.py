from featprune.jobs.joblog import job_log

with job_log(snakemake.log[0]):
    from featprune.findings.opening import write_opening
    from featprune.storage import atomic

    with atomic(snakemake.output[0]) as partial:
        partial.write_text(write_opening(snakemake.params.made_of, snakemake.params.root), encoding="utf-8")
