from featprune.jobs.joblog import job_log

with job_log(snakemake.log[0]):
    from featprune.features.comparison import compare_features, read_features
    from featprune.storage import save_table

    files, made = snakemake.input, snakemake.output
    dense = read_features(files.dense)
    for run, *places in zip(files.runs, made.features, made.shifts, strict=True):
        for place, table in zip(places, compare_features(read_features(run), dense), strict=True):
            save_table(place, table)
