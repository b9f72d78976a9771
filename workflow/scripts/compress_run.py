from pathlib import Path

from featprune.jobs.joblog import job_log

with job_log(snakemake.log[0]):
    from featprune.compression.runs import compress_run, fine_tuning
    from featprune.datasets.dataset import load_dataset
    from featprune.engine.settings import Settings
    from featprune.network import network_for
    from featprune.storage import save_table

    p, files = snakemake.params, snakemake.input
    data = load_dataset(files.data)
    c = p.compression
    settings = fine_tuning(Settings(**p.training), c["steps"], c["behind"])
    bits = (c["hidden_bits"], c["output_bits"])
    run = Path(files.weights).parent
    table = compress_run(run, Path(snakemake.output.files), network_for(p.model, data), data, settings, *bits)
    save_table(snakemake.output.table, table)
