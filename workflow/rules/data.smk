rule fetch_dataset:
    input:
        own_files,
    output:
        f"{STUDY.root}/data/{{dataset}}.safetensors",
    log:
        f"{STUDY.root}/logs/fetch_dataset/{{dataset}}.log",
    benchmark:
        f"{STUDY.root}/benchmarks/fetch_dataset/{{dataset}}.tsv"
    conda:
        "../../environment.yml"
    threads: SLOTS
    resources:
        mem_mb=3000,
        runtime=10,
    params:
        source=lambda w: STUDY.config["datasets"][w.dataset]["source"],
        options=lambda w: STUDY.config["datasets"][w.dataset]["options"],
        code=dataset_code,
    script:
        "../scripts/fetch_dataset.py"
