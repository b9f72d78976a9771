from featprune.jobs.joblog import job_log

with job_log(snakemake.log[0]):
    from featprune.claims.table import Rules, aggregate_claims
    from featprune.claims.text import describe
    from featprune.storage import atomic, load_table, save_table

    tables = {name: load_table(file).to_pandas() for name, file in snakemake.input.items()}
    rules = Rules.of(snakemake.params.rules)
    claims = aggregate_claims(*map(tables.get, ("summary", "features", "time_shift", "baseline")), rules)
    save_table(snakemake.output.claims, claims)
    with atomic(snakemake.output.text) as partial:
        partial.write_text(describe(claims, rules), encoding="utf-8")
