from pathlib import Path

from featprune.joblog import job_log

with job_log(snakemake.log[0]):
    from featprune.dataset import load_dataset
    from featprune.masks import Schedule
    from featprune.runs import network_for, train_pruned
    from featprune.training import Settings, choose_device

    p, files = snakemake.params, snakemake.input
    folders = [Path(file).parent for file in snakemake.output.weights]
    ticket_masks = [Path(file).parent for file in files.get("ticket_masks", [])]
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
        mask_folders=dict(zip(p.rounds, ticket_masks, strict=True)) if ticket_masks else None,
        device=choose_device(snakemake.config.get("device", "auto")),
    )
