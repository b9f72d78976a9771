from featprune.jobs.joblog import job_log

with job_log(snakemake.log[0]):
    from featprune.explorer.page import write_page
    from featprune.jobs.placed import placed
    from featprune.storage import atomic

    made_of = placed(snakemake.params.made_of, snakemake.input)
    page = write_page(made_of, snakemake.params.claims, "Feature-aware pruning: explorer")
    with atomic(snakemake.output[0]) as partial:
        partial.write_text(page, encoding="utf-8")
