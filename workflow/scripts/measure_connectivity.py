from featprune.jobs.joblog import job_log

with job_log(snakemake.log[0]):
    from featprune.datasets.dataset import load_dataset
    from featprune.engine.objective import Objective
    from featprune.network import network_for
    from featprune.runs.connected import measure_connectivity
    from featprune.storage import save_table

    p, files = snakemake.params, snakemake.input
    data = load_dataset(files.data)
    objective = Objective(p.objective["loss"], p.objective["alpha"])
    runs = list(zip(files.masks, files.weights, strict=True))
    table = measure_connectivity(network_for(p.model, data), data, runs, objective, p.objective["center"])
    save_table(snakemake.output[0], table)
