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
