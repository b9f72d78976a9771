from featprune.jobs.joblog import job_log

with job_log(snakemake.log[0]):
    from featprune.features.comparison import compare_with_targets, read_features
    from featprune.runs.paths import RunPath
    from featprune.storage import save_table

    files, made = snakemake.input, snakemake.output
    targets = {RunPath.parse(file).cell.rewind: read_features(file) for file in files.targets}
    for run, *places in zip(files.runs, made.features, made.shifts, strict=True):
        # Nothing is learned from a run beside itself.
        others = {name: target for name, target in targets.items() if target.path != run}
        for place, table in zip(places, compare_with_targets(read_features(run), others), strict=True):
            save_table(place, table)
