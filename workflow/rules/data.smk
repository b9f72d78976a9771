# On a cluster, too, where Snakemake itself runs: the nodes may have no way to the internet.
rule fetch_dataset:
    input:
        own_files,
    output:
        f"{STUDY.root}/data/{{dataset}}.safetensors",
    log:
        f"{STUDY.root}/logs/fetch_dataset/{{dataset}}.log",
    benchmark:
        f"{STUDY.root}/benchmarks/fetch_dataset/{{dataset}}.tsv"
    # What is wrong with data stays wrong.
    retries: 0
    localrule: True
    conda:
        "../../environment.yml"
    threads: SLOTS
    resources:
        mem_mb=mem_mb,
        runtime=runtime,
    params:
        source=lambda w: STUDY.config["datasets"][w.dataset]["source"],
        options=lambda w: STUDY.config["datasets"][w.dataset]["options"],
        code=dataset_code,
    script:
        "../scripts/fetch_dataset.py"
