from featprune.jobs.joblog import job_log

with job_log(snakemake.log[0]):
    from featprune.findings.opening import write_opening
    from featprune.jobs.placed import placed
    from featprune.storage import atomic

    made_of = placed(snakemake.params.made_of, snakemake.input)
    with atomic(snakemake.output[0]) as partial:
        partial.write_text(write_opening(made_of, snakemake.params.root), encoding="utf-8")
