from featprune.jobs.joblog import job_log

with job_log(snakemake.log[0]):
    from featprune.findings.publication import publish
    from featprune.jobs.placed import placed

    publish(placed(snakemake.params.made_of, snakemake.input), snakemake.params.folder, snakemake.params.root)
