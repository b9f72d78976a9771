from featprune.jobs.joblog import job_log

with job_log(snakemake.log[0]):
    from featprune.storage import atomic, save_table
    from featprune.tables.reading import read_frame
    from featprune.theory.laws import gather, listing

    laws = gather(read_frame(file) for file in snakemake.input)
    page, table = snakemake.output
    save_table(table, laws)
    with atomic(page) as partial:
        partial.write_text(listing(laws), encoding="utf-8")
