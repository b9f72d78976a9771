from featprune.jobs.joblog import job_log

with job_log(snakemake.log[0]):
    from featprune.datasets.dataset import load_dataset
    from featprune.features.preactivations import dump_preactivations
    from featprune.network import network_for
    from featprune.runs.files import load_snapshots

    files = snakemake.input
    data = load_dataset(files.data)
    seeds, snapshots = load_snapshots(files.snapshots, files.mask)
    network = network_for(snakemake.params.model, data)
    dump_preactivations(snakemake.output[0], network, snapshots, seeds, data, snakemake.params.probe)
