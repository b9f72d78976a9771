rule compress_run:
    input:
        mask=run_file(MASK),
        weights=run_file(WEIGHTS),
        data=dataset_of,
    output:
        table=run_file(COMPRESSION),
        files=directory(run_file("fpz")),
    log:
        log_file("compress_run"),
    benchmark:
        benchmark_file("compress_run")
    conda:
        "../../environment.yml"
    threads: 1
    resources:
        mem_mb=2000,
        runtime=30,
    params:
        model=model_of,
        training=lambda w: STUDY.compression_params(cell_of(w), int(w.round)),
        code=lambda w: script_code("compress_run", REWINDS=w.rewind, **network_entries(w.experiment)),
    script:
        "../scripts/compress_run.py"
