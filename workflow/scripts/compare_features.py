from featprune.jobs.joblog import job_log

with job_log(snakemake.log[0]):
    from featprune.features.comparison import compare_features
    from featprune.storage import save_table

    features, shifts = compare_features(snakemake.input.run, snakemake.input.dense)
    save_table(snakemake.output.features, features)
    save_table(snakemake.output.shift, shifts)
