from featprune.joblog import job_log

with job_log(snakemake.log[0]):
    import pandas as pd

    from featprune.storage import load_table, save_table
    from featprune.tables import transfer

    tuned = pd.concat([load_table(file).to_pandas() for file in snakemake.input], ignore_index=True)
    save_table(snakemake.output[0], transfer(tuned, snakemake.params.mask_alphas))
