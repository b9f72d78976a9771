# Where training runs changes only its rounding, so `device` isn't among the params.
GPUS = int(STUDY.config["device"] == "cuda")
DENSE_CELL = Cell("{experiment}", "{alpha}", "{lr}", DENSE[0], "{rewind}")
DENSE_RUN = DENSE_CELL.folder(STUDY.root, 0, "{block}")


rule train_dense:
    input:
        data=lambda w: dataset_file(w.experiment),
    output:
        mask=f"{DENSE_RUN}/mask.safetensors",
        weights=f"{DENSE_RUN}/weights.safetensors",
        history=f"{DENSE_RUN}/history.parquet",
        snapshots=maybe_temp(f"{DENSE_RUN}/snapshots.safetensors"),
    log:
        f"{DENSE_CELL.folder(STUDY.root, 0, '{block}', kind='logs/train_dense')}.log",
    benchmark:
        f"{DENSE_CELL.folder(STUDY.root, 0, '{block}', kind='benchmarks/train_dense')}.tsv"
    wildcard_constraints:
        rewind="|".join(DENSE_RUNS),
    conda:
        "../../environment.yml"
    threads: 1
    resources:
        mem_mb=1500,
        gpu=GPUS,
        runtime=lambda w, attempt: 60 * attempt,
    params:
        model=lambda w: STUDY.experiment(w.experiment)["model"],
        training=lambda w: STUDY.training(w.experiment, w.alpha, w.lr),
        seeds=lambda w: seeds_of(w.block),
        code=lambda w: script_code("train_dense", CRITERIA=DENSE[0], REWINDS=DENSE[1], **network_entries(w.experiment)),
    script:
        "../scripts/train_dense.py"


# A job trains several consecutive rounds of a chain: starting Python and torch takes as long as a sparse round.
for _experiment in STUDY.experiments:
    for _rounds in STUDY.segments(_experiment):
        _chain = Cell(_experiment, "{alpha}", "{lr}", "{criterion}", "{rewind}")
        _folders = {round: _chain.folder(STUDY.root, round, "{block}") for round in _rounds}
        _span = f"{_rounds[0]}-{_rounds[-1]}"
        _name = f"train_pruned_{_experiment}_{_rounds[0]}_{_rounds[-1]}"

        rule:
            name:
                _name
            input:
                unpack(STUDY.chain_inputs(_experiment, _rounds)),
                data=dataset_file(_experiment),
            output:
                masks=[f"{folder}/mask.safetensors" for folder in _folders.values()],
                weights=[f"{folder}/weights.safetensors" for folder in _folders.values()],
                histories=[f"{folder}/history.parquet" for folder in _folders.values()],
                # Declared for every round, and empty where not asked for: to a job that has an output it never made
                # before, Snakemake is blind to changes of params.
                snapshots=[maybe_temp(f"{folder}/snapshots.safetensors") for folder in _folders.values()],
            log:
                f"{_chain.folder(STUDY.root, _span, '{block}', kind='logs/train_pruned')}.log",
            benchmark:
                f"{_chain.folder(STUDY.root, _span, '{block}', kind='benchmarks/train_pruned')}.tsv"
            conda:
                "../../environment.yml"
            threads: 1
            resources:
                mem_mb=1500,
                gpu=GPUS,
                runtime=lambda w, attempt: 120 * attempt,
            params:
                model=STUDY.experiment(_experiment)["model"],
                training=lambda w, e=_experiment: STUDY.training(e, w.alpha, w.lr),
                pruning=lambda w, e=_experiment: STUDY.chain_options(e, w.criterion, w.rewind),
                rounds=list(_rounds),
                snapshot_rounds=lambda w, e=_experiment: STUDY.snapshot_rounds(e, w.lr, w.criterion, w.rewind),
                seeds=lambda w: seeds_of(w.block),
                code=lambda w, e=_experiment: script_code(
                    "train_pruned", CRITERIA=w.criterion, REWINDS=w.rewind, **network_entries(e)
                ),
            script:
                "../scripts/train_pruned.py"
