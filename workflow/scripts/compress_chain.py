from pathlib import Path

from featprune.jobs.joblog import job_log

with job_log(snakemake.log[0]):
    from featprune.compression.runs import compress_run
    from featprune.compression.tuning import fine_tuning
    from featprune.datasets.dataset import load_dataset
    from featprune.engine.settings import Settings
    from featprune.jobs.training import training_job
    from featprune.network import network_for
    from featprune.rewind import REWINDS, reference
    from featprune.runs.files import load_masks
    from featprune.storage import save_table

    files, made = snakemake.input, snakemake.output
    data, rewind = load_dataset(files.data), REWINDS[snakemake.wildcards.rewind]
    network = network_for(snakemake.params.model, data)
    runs = zip(snakemake.params.runs, files.masks, files.weights, made.tables, made.files, strict=True)
    job = {"rule": snakemake.rule, **snakemake.wildcards, **snakemake.params}
    with training_job(snakemake.log[0], snakemake.config["checkpoint_minutes"], job, files):
        for p, mask, weights, table, folder in runs:
            c = p["compression"]
            settings = fine_tuning(Settings(**p["settings"]), c["steps"], c["behind"])
            centered_on = reference(rewind, network, load_masks(mask)[0], p["round"]) if settings.center else None
            how = network, data, settings, c["bits"], c["margin"], centered_on
            save_table(table, compress_run(mask, weights, Path(folder), *how))
