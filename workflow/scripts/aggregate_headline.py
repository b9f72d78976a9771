from featprune.jobs.joblog import job_log

with job_log(snakemake.log[0]):
    from featprune.storage import load_table, save_table
    from featprune.tables.tables import headline, headline_difference

    sides = [load_table(snakemake.input[side]).to_pandas() for side in ("ours", "baseline")]
    table = headline(*sides)
    save_table(snakemake.output.headline, table)
    save_table(snakemake.output.difference, headline_difference(table))
