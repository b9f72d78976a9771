from pathlib import Path

from featprune.jobs.joblog import job_log

with job_log(snakemake.log[0]):
    from featprune.datasets.dataset import load_dataset
    from featprune.engine.settings import Settings
    from featprune.engine.training import choose_device
    from featprune.network import network_for
    from featprune.pruning.masks import Schedule
    from featprune.runs.chain import train_pruned

    p, files = snakemake.params, snakemake.input
    folders = [Path(file).parent for file in snakemake.output.weights]
    tickets = [Path(file).parent for file in files.get("ticket_masks", [])]
    data = load_dataset(files.data)
    train_pruned(
        network_for(p.model, data),
        data,
        snakemake.params.seeds,
        Settings(**p.training),
        criterion=snakemake.wildcards.criterion,
        rewind=snakemake.wildcards.rewind,
        schedule=Schedule(**p.pruning["schedule"]),
        late_step=p.pruning["late_step"],
        previous=Path(files.weights).parent,
        folders=dict(zip(p.rounds, folders, strict=True)),
        snapshot_rounds=p.snapshot_rounds,
        tickets=dict(zip(p.rounds, tickets, strict=True)) if tickets else None,
        samples=p.pruning["samples"],
        device=choose_device(snakemake.config.get("device", "auto")),
    )
