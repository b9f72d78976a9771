from featprune.jobs.joblog import job_log

with job_log(snakemake.log[0]):
    from featprune.datasets.dataset import load_dataset
    from featprune.features.preactivations import dump_preactivations, probe_set
    from featprune.network import network_for
    from featprune.runs.files import load_masks, load_snapshots
    from featprune.storage import save_table

    p, files, made = snakemake.params, snakemake.input, snakemake.output
    data = load_dataset(files.data)
    network = whole = network_for(p.model, data)
    for number, (snapshots, mask, place) in enumerate(
        zip(files.snapshots, files.masks, made.preactivations, strict=True)
    ):
        seeds, states = load_snapshots(snapshots, mask)
        if p.features.get("linearize"):
            from featprune.engine.linearized import Linearized

            # Linearized networks are trained from the reference.
            network = Linearized.around(whole, states[0])
        dump_preactivations(place, network, states, seeds, data, p.features["probe"])
        if number < len(made.richness):
            from featprune.features.richness import measure_richness

            x, kernel = data.test_x[probe_set(data, p.features["probe"])], p.features["kernel_samples"]
            richness = measure_richness(network, states, load_masks(mask)[1], seeds, x, kernel)
            save_table(made.richness[number], richness)
