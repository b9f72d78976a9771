rule compress_run:
    input:
        mask=f"{RUN}/mask.safetensors",
        weights=f"{RUN}/weights.safetensors",
        data=lambda w: dataset_file(w.experiment),
    output:
        table=f"{RUN}/compression.parquet",
        files=directory(f"{RUN}/fpz"),
    log:
        f"{RUN_CELL.folder(STUDY.root, '{round}', '{block}', kind='logs/compress_run')}.log",
    benchmark:
        f"{RUN_CELL.folder(STUDY.root, '{round}', '{block}', kind='benchmarks/compress_run')}.tsv"
    conda:
        "../../environment.yml"
    threads: 1
    resources:
        mem_mb=2000,
        runtime=30,
    params:
        model=lambda w: STUDY.experiment(w.experiment)["model"],
        training=lambda w: STUDY.training(w.experiment, w.alpha, w.lr),
        compression=lambda w: STUDY.compressing(w.experiment, w.rewind, int(w.round)),
        code=lambda w: script_code("compress_run", **network_entries(w.experiment)),
    script:
        "../scripts/compress_run.py"
