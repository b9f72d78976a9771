rule write_config:
    output:
        f"{STUDY.root}/config.yaml",
    log:
        f"{STUDY.root}/logs/write_config.log",
    benchmark:
        f"{STUDY.root}/benchmarks/write_config.tsv"
    conda:
        "../../environment.yml"
    threads: 1
    resources:
        mem_mb=200,
        runtime=5,
    params:
        config=STUDY.config,
        code=script_code("write_config"),
    script:
        "../scripts/write_config.py"


# Depends on every summary, so it tells with what the newest results were made.
rule write_provenance:
    input:
        expand(f"{STUDY.root}/tables/{{experiment}}/summary.parquet", experiment=STUDY.experiments),
    output:
        f"{STUDY.root}/provenance.json",
    log:
        f"{STUDY.root}/logs/write_provenance.log",
    benchmark:
        f"{STUDY.root}/benchmarks/write_provenance.tsv"
    conda:
        "../../environment.yml"
    threads: 1
    resources:
        mem_mb=200,
        runtime=5,
    params:
        code=script_code("write_provenance"),
    script:
        "../scripts/write_provenance.py"


rule aggregate_summary:
    input:
        histories=table_inputs("history.parquet"),
        masks=table_inputs("mask.safetensors"),
    output:
        summary=f"{STUDY.root}/tables/{{experiment}}/summary.parquet",
        tuned=f"{STUDY.root}/tables/{{experiment}}/tuned.parquet",
        learning_curves=f"{STUDY.root}/tables/{{experiment}}/learning_curves.parquet",
    log:
        f"{STUDY.root}/logs/aggregate_summary/{{experiment}}.log",
    benchmark:
        f"{STUDY.root}/benchmarks/aggregate_summary/{{experiment}}.tsv"
    conda:
        "../../environment.yml"
    threads: 1
    resources:
        mem_mb=1000,
        runtime=10,
    params:
        late_step=lambda w: STUDY.experiment(w.experiment)["pruning"]["late_step"],
        code=script_code("aggregate_summary"),
    script:
        "../scripts/aggregate_summary.py"


rule aggregate_headline:
    input:
        ours=f"{STUDY.root}/tables/{{experiment}}/summary.parquet",
        baseline=lambda w: f"{STUDY.root}/tables/{STUDY.experiment(w.experiment)['baseline']}/summary.parquet",
    output:
        headline=f"{STUDY.root}/tables/{{experiment}}/headline.parquet",
        difference=f"{STUDY.root}/tables/{{experiment}}/headline_difference.parquet",
    log:
        f"{STUDY.root}/logs/aggregate_headline/{{experiment}}.log",
    benchmark:
        f"{STUDY.root}/benchmarks/aggregate_headline/{{experiment}}.tsv"
    conda:
        "../../environment.yml"
    threads: 1
    resources:
        mem_mb=500,
        runtime=5,
    params:
        code=script_code("aggregate_headline"),
    script:
        "../scripts/aggregate_headline.py"


rule aggregate_pixel_mask:
    input:
        table_inputs("mask.safetensors"),
    output:
        f"{STUDY.root}/tables/{{experiment}}/pixel_mask.parquet",
    log:
        f"{STUDY.root}/logs/aggregate_pixel_mask/{{experiment}}.log",
    benchmark:
        f"{STUDY.root}/benchmarks/aggregate_pixel_mask/{{experiment}}.tsv"
    conda:
        "../../environment.yml"
    threads: 1
    resources:
        mem_mb=1500,
        runtime=10,
    params:
        code=script_code("aggregate_pixel_mask"),
    script:
        "../scripts/aggregate_pixel_mask.py"


rule aggregate_preactivations:
    input:
        preactivations=table_inputs("preactivations.parquet", "drawn_feature_runs"),
        masks=table_inputs("mask.safetensors", "drawn_feature_runs"),
        data=lambda w: dataset_file(w.experiment),
    output:
        f"{STUDY.root}/tables/{{experiment}}/preactivations.parquet",
    log:
        f"{STUDY.root}/logs/aggregate_preactivations/{{experiment}}.log",
    benchmark:
        f"{STUDY.root}/benchmarks/aggregate_preactivations/{{experiment}}.tsv"
    conda:
        "../../environment.yml"
    threads: 1
    resources:
        mem_mb=1000,
        runtime=10,
    params:
        code=script_code("aggregate_preactivations"),
    script:
        "../scripts/aggregate_preactivations.py"


rule aggregate_layers:
    input:
        table_inputs("mask.safetensors"),
    output:
        f"{STUDY.root}/tables/{{experiment}}/layers.parquet",
    log:
        f"{STUDY.root}/logs/aggregate_layers/{{experiment}}.log",
    benchmark:
        f"{STUDY.root}/benchmarks/aggregate_layers/{{experiment}}.tsv"
    conda:
        "../../environment.yml"
    threads: 1
    resources:
        mem_mb=1000,
        runtime=10,
    params:
        code=script_code("aggregate_layers"),
    script:
        "../scripts/aggregate_layers.py"


rule aggregate_compression:
    input:
        compressed=table_inputs("compression.parquet", "compressed_runs"),
        summary=f"{STUDY.root}/tables/{{experiment}}/summary.parquet",
    output:
        f"{STUDY.root}/tables/{{experiment}}/compression.parquet",
    log:
        f"{STUDY.root}/logs/aggregate_compression/{{experiment}}.log",
    benchmark:
        f"{STUDY.root}/benchmarks/aggregate_compression/{{experiment}}.tsv"
    conda:
        "../../environment.yml"
    threads: 1
    resources:
        mem_mb=1000,
        runtime=10,
    params:
        code=script_code("aggregate_compression"),
    script:
        "../scripts/aggregate_compression.py"


rule aggregate_transfer:
    input:
        own=f"{STUDY.root}/tables/{{experiment}}/summary.parquet",
        others=lambda w: expand(f"{STUDY.root}/tables/{{other}}/summary.parquet", other=STUDY.transfers(w.experiment)),
    output:
        f"{STUDY.root}/tables/{{experiment}}/transfer.parquet",
    log:
        f"{STUDY.root}/logs/aggregate_transfer/{{experiment}}.log",
    benchmark:
        f"{STUDY.root}/benchmarks/aggregate_transfer/{{experiment}}.tsv"
    conda:
        "../../environment.yml"
    threads: 1
    resources:
        mem_mb=1000,
        runtime=10,
    params:
        mask_alphas=lambda w: STUDY.transfers(w.experiment),
        code=script_code("aggregate_transfer"),
    script:
        "../scripts/aggregate_transfer.py"


rule aggregate_features:
    input:
        features=table_inputs("features.parquet", "compared_runs"),
        shifts=table_inputs("time_shift.parquet", "compared_runs"),
        masks=table_inputs("mask.safetensors", "compared_runs"),
    output:
        features=f"{STUDY.root}/tables/{{experiment}}/features.parquet",
        shift=f"{STUDY.root}/tables/{{experiment}}/time_shift.parquet",
    log:
        f"{STUDY.root}/logs/aggregate_features/{{experiment}}.log",
    benchmark:
        f"{STUDY.root}/benchmarks/aggregate_features/{{experiment}}.tsv"
    conda:
        "../../environment.yml"
    threads: 1
    resources:
        mem_mb=1000,
        runtime=10,
    params:
        code=script_code("aggregate_features"),
    script:
        "../scripts/aggregate_features.py"


rule aggregate_richness:
    input:
        richness=table_inputs("richness.parquet", "rich_runs"),
        masks=table_inputs("mask.safetensors", "rich_runs"),
    output:
        f"{STUDY.root}/tables/{{experiment}}/richness.parquet",
    log:
        f"{STUDY.root}/logs/aggregate_richness/{{experiment}}.log",
    benchmark:
        f"{STUDY.root}/benchmarks/aggregate_richness/{{experiment}}.tsv"
    conda:
        "../../environment.yml"
    threads: 1
    resources:
        mem_mb=1000,
        runtime=10,
    params:
        code=script_code("aggregate_richness"),
    script:
        "../scripts/aggregate_richness.py"


rule aggregate_overlap:
    input:
        snapshots=table_inputs("snapshots.safetensors", "rich_runs"),
        masks=table_inputs("mask.safetensors", "rich_runs"),
        data=lambda w: dataset_file(w.experiment),
    output:
        f"{STUDY.root}/tables/{{experiment}}/overlap.parquet",
    log:
        f"{STUDY.root}/logs/aggregate_overlap/{{experiment}}.log",
    benchmark:
        f"{STUDY.root}/benchmarks/aggregate_overlap/{{experiment}}.tsv"
    conda:
        "../../environment.yml"
    threads: 1
    resources:
        mem_mb=1000,
        runtime=10,
    params:
        model=lambda w: STUDY.experiment(w.experiment)["model"],
        code=lambda w: script_code("aggregate_overlap", **network_entries(w.experiment)),
    script:
        "../scripts/aggregate_overlap.py"


rule aggregate_claims:
    input:
        unpack(STUDY.claim_inputs),
    output:
        claims=f"{STUDY.root}/tables/{{experiment}}/claims.parquet",
        text=f"{STUDY.root}/tables/{{experiment}}/claims.md",
    log:
        f"{STUDY.root}/logs/aggregate_claims/{{experiment}}.log",
    benchmark:
        f"{STUDY.root}/benchmarks/aggregate_claims/{{experiment}}.tsv"
    conda:
        "../../environment.yml"
    threads: 1
    resources:
        mem_mb=1000,
        runtime=10,
    params:
        rules=STUDY.config["claims"],
        code=script_code("aggregate_claims"),
    script:
        "../scripts/aggregate_claims.py"
