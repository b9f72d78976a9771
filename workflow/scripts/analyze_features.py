from featprune.jobs.joblog import job_log

with job_log(snakemake.log[0]):
    from featprune.datasets.dataset import load_dataset
    from featprune.features.comparison import compare_features, read_features
    from featprune.features.preactivations import dump_preactivations, probe_set
    from featprune.network import network_for
    from featprune.runs.files import load_masks, load_snapshots
    from featprune.storage import save_table

    p, files, made = snakemake.params, snakemake.input, snakemake.output
    probe, kernel_samples = p.features["probe"], p.features["kernel_samples"]
    data = load_dataset(files.data)
    network = network_for(p.model, data)
    runs = list(zip(files.snapshots, files.masks, made.preactivations, strict=True))
    for snapshots, mask, place in runs:
        seeds, states = load_snapshots(snapshots, mask)
        dump_preactivations(place, network, states, seeds, data, probe)

    # The dense run itself comes first among its references, and is compared with nothing.
    compared = made.preactivations[len(runs) - len(made.features) :]
    if compared:
        dense = read_features(files.get("dense") or made.preactivations[0])
        for file, *places in zip(compared, made.features, made.shifts, strict=True):
            for place, table in zip(places, compare_features(read_features(file), dense), strict=True):
                save_table(place, table)

    for (snapshots, mask, _), place in zip(runs, made.richness, strict=False):
        from featprune.features.richness import measure_richness

        seeds, states = load_snapshots(snapshots, mask)
        x = data.test_x[probe_set(data, probe)]
        save_table(place, measure_richness(network, states, load_masks(mask)[1], seeds, x, kernel_samples))
