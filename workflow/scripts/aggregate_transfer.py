from featprune.jobs.joblog import job_log

with job_log(snakemake.log[0]):
    import pandas as pd

    from featprune.storage import load_table, save_table
    from featprune.tables.tables import transfer

    others = pd.concat([load_table(file).to_pandas() for file in snakemake.input.others], ignore_index=True)
    own = load_table(snakemake.input.own).to_pandas()
    save_table(snakemake.output[0], transfer(own, others, snakemake.params.mask_alphas))
