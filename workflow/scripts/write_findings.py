from featprune.jobs.joblog import job_log

with job_log(snakemake.log[0]):
    from featprune.findings.page import write_page
    from featprune.storage import atomic

    with atomic(snakemake.output[0]) as partial:
        partial.write_text(write_page(snakemake.params.folder), encoding="utf-8")
