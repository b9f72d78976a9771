RUN_CELL = Cell("{experiment}", "{alpha}", "{lr}", "{criterion}", "{rewind}")
RUN = RUN_CELL.folder(STUDY.root, "{round}", "{block}")


rule dump_preactivations:
    input:
        snapshots=f"{RUN}/snapshots.safetensors",
        mask=f"{RUN}/mask.safetensors",
        data=lambda w: dataset_file(w.experiment),
    output:
        f"{RUN}/preactivations.parquet",
    log:
        f"{RUN_CELL.folder(STUDY.root, '{round}', '{block}', kind='logs/dump_preactivations')}.log",
    benchmark:
        f"{RUN_CELL.folder(STUDY.root, '{round}', '{block}', kind='benchmarks/dump_preactivations')}.tsv"
    conda:
        "../../environment.yml"
    threads: 1
    resources:
        mem_mb=1500,
        runtime=10,
    params:
        model=lambda w: STUDY.experiment(w.experiment)["model"],
        probe=lambda w: STUDY.experiment(w.experiment)["features"]["probe"],
        code=lambda w: script_code("dump_preactivations", **network_entries(w.experiment)),
    script:
        "../scripts/dump_preactivations.py"


# Of a pruned run, or of one of the dense runs that are its null and its ceiling, with the dense run.
rule compare_features:
    input:
        run=f"{RUN}/preactivations.parquet",
        dense=f"{Cell('{experiment}', '{alpha}', '{lr}', *DENSE).folder(STUDY.root, 0, '{block}')}/preactivations.parquet",
    output:
        features=f"{RUN}/features.parquet",
        shift=f"{RUN}/time_shift.parquet",
    log:
        f"{RUN_CELL.folder(STUDY.root, '{round}', '{block}', kind='logs/compare_features')}.log",
    benchmark:
        f"{RUN_CELL.folder(STUDY.root, '{round}', '{block}', kind='benchmarks/compare_features')}.tsv"
    conda:
        "../../environment.yml"
    threads: 1
    resources:
        mem_mb=1500,
        runtime=10,
    params:
        code=script_code("compare_features"),
    script:
        "../scripts/compare_features.py"


rule measure_richness:
    input:
        snapshots=f"{RUN}/snapshots.safetensors",
        mask=f"{RUN}/mask.safetensors",
        data=lambda w: dataset_file(w.experiment),
    output:
        f"{RUN}/richness.parquet",
    log:
        f"{RUN_CELL.folder(STUDY.root, '{round}', '{block}', kind='logs/measure_richness')}.log",
    benchmark:
        f"{RUN_CELL.folder(STUDY.root, '{round}', '{block}', kind='benchmarks/measure_richness')}.tsv"
    conda:
        "../../environment.yml"
    threads: 1
    resources:
        mem_mb=2000,
        runtime=30,
    params:
        model=lambda w: STUDY.experiment(w.experiment)["model"],
        probe=lambda w: STUDY.experiment(w.experiment)["features"]["probe"],
        kernel_samples=lambda w: STUDY.experiment(w.experiment)["features"]["kernel_samples"],
        code=lambda w: script_code("measure_richness", **network_entries(w.experiment)),
    script:
        "../scripts/measure_richness.py"
