from featprune.jobs.joblog import job_log

with job_log(snakemake.log[0]):
    from featprune.datasets.dataset import load_dataset
    from featprune.features.preactivations import probe_set
    from featprune.features.richness import measure_richness
    from featprune.network import network_for
    from featprune.runs.files import load_masks, load_snapshots
    from featprune.storage import save_table

    p, files = snakemake.params, snakemake.input
    data = load_dataset(files.data)
    seeds, snapshots = load_snapshots(files.snapshots, files.mask)
    _, masks = load_masks(files.mask)
    x = data.test_x[probe_set(data, p.probe)]
    network = network_for(p.model, data)
    save_table(snakemake.output[0], measure_richness(network, snapshots, masks, seeds, x, p.kernel_samples))
