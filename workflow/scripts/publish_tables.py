from featprune.jobs.joblog import job_log

with job_log(snakemake.log[0]):
    from featprune.findings.publication import publish

    publish(snakemake.params.made_of, snakemake.params.folder, snakemake.params.root)
