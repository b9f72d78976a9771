from pathlib import Path

from featprune.jobs.joblog import job_log

with job_log(snakemake.log[0]):
    from featprune.compression.runs import compress_run
    from featprune.compression.tuning import fine_tuning
    from featprune.datasets.dataset import load_dataset
    from featprune.engine.settings import Settings
    from featprune.network import network_for
    from featprune.rewind import REWINDS, reference
    from featprune.runs.files import load_masks
    from featprune.storage import save_table

    p, files, w = snakemake.params, snakemake.input, snakemake.wildcards
    data, c = load_dataset(files.data), p.training["compression"]
    settings = fine_tuning(Settings(**p.training["settings"]), c["steps"], c["behind"])
    network = network_for(p.model, data)
    seeds, _ = load_masks(files.mask)
    centered_on = reference(REWINDS[w.rewind], network, seeds, int(w.round)) if settings.center else None
    bits = (c["hidden_bits"], c["output_bits"])
    place = Path(snakemake.output.files)
    table = compress_run(files.mask, files.weights, place, network, data, settings, *bits, reference=centered_on)
    save_table(snakemake.output.table, table)
