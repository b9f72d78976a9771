def dataset_code(w):
    """The fingerprint of a dataset's making: of the registries, only its source and its activation count.

    Where the files come from changes nothing in them: their checksums are fixed.
    """
    entry = STUDY.config["datasets"][w.dataset]
    activation = {**DATASETS[entry["source"]].options, **entry["options"]}.get("activation", "")
    return script_code("fetch_dataset", DATASETS=entry["source"], ACTIVATIONS=activation)


rule fetch_dataset:
    output:
        f"{STUDY.root}/data/{{dataset}}.safetensors",
    log:
        f"{STUDY.root}/logs/fetch_dataset/{{dataset}}.log",
    benchmark:
        f"{STUDY.root}/benchmarks/fetch_dataset/{{dataset}}.tsv"
    conda:
        "../../environment.yml"
    threads: 1
    resources:
        mem_mb=3000,
        runtime=10,
    params:
        source=lambda w: STUDY.config["datasets"][w.dataset]["source"],
        options=lambda w: STUDY.config["datasets"][w.dataset]["options"],
        code=dataset_code,
    script:
        "../scripts/fetch_dataset.py"
