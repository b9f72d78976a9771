# Three rules make the runs: train_dense (and train_references, the same for what features are compared with);
# extract_mask, which prunes; and retrain, which trains what is left. Where the
# masks of a criterion need no training of their own chain, one extract_mask job makes those of all rounds. Where they
# do, extraction and retraining alternate: a job each with `rounds_per_job: 1`; otherwise train_chain runs the same two
# functions over several rounds in one process, since a sparse round may last less than starting Python. The outputs of
# a rule can't be functions in Snakemake, so a rule that makes several rounds stands once for each span of rounds.
# The dense run that all chains share; and apart from it, since only studied features need them, its null and ceiling.
for _name, _kinds in {"train_dense": [DENSE], "train_references": REFERENCES}.items():
    _runs = [RunPath(RUN.cell.of(kind), 0, RUN.block) for kind in _kinds]

    rule:
        name:
            _name
        input:
            data=dataset_of,
        output:
            masks=[run_file(MASK, run) for run in _runs],
            densities=[run_file(DENSITY, run) for run in _runs],
            weights=[run_file(WEIGHTS, run) for run in _runs],
            histories=[run_file(HISTORY, run) for run in _runs],
            snapshots=[maybe_temp(run_file(SNAPSHOTS, run)) for run in _runs],
        log:
            log_file(_name, _runs[0]),
        benchmark:
            benchmark_file(_name, _runs[0])
        group:
            tree_group
        conda:
            "../../environment.yml"
        threads: SLOTS
        resources:
            mem_mb=mem_mb,
            gpu=GPUS,
            runtime=runtime,
        params:
            model=model_of,
            training=lambda w, kinds=_kinds: STUDY.dense_params(
                Cell(w.experiment, w.alpha, w.lr, *DENSE), kinds, w.block
            ),
            # No rewind has a part in it.
            code=lambda w: script_code("train_dense", REWINDS=DENSE.rewind, **network_entries(w.experiment)),
        script:
            "../scripts/train_dense.py"


if BY_ROUND:

    rule extract_mask:
        input:
            unpack(extraction_inputs()),
            data=dataset_of,
        output:
            masks=[run_file(MASK)],
            densities=[run_file(DENSITY)],
        log:
            log_file("extract_mask"),
        benchmark:
            benchmark_file("extract_mask")
        wildcard_constraints:
            experiment="|".join(BY_ROUND),
            criterion="|".join(CHAINED),
            rewind="|".join(REWINDS),
            round=r"[1-9]\d*",
        group:
            tree_group
        conda:
            "../../environment.yml"
        threads: SLOTS
        resources:
            mem_mb=mem_mb,
            runtime=runtime,
        params:
            model=model_of,
            pruning=pruning(),
            code=chain_code("extract_mask"),
        script:
            "../scripts/extract_mask.py"

    rule retrain:
        input:
            unpack(retraining_inputs()),
            masks=[run_file(MASK)],
            data=dataset_of,
        output:
            weights=[run_file(WEIGHTS)],
            histories=[run_file(HISTORY)],
            snapshots=[maybe_temp(run_file(SNAPSHOTS))],
        log:
            log_file("retrain"),
        benchmark:
            benchmark_file("retrain")
        wildcard_constraints:
            experiment="|".join(BY_ROUND),
            rewind="|".join(REWINDS),
            round=r"[1-9]\d*",
        group:
            tree_group
        conda:
            "../../environment.yml"
        threads: SLOTS
        resources:
            mem_mb=mem_mb,
            gpu=GPUS,
            runtime=runtime,
        params:
            model=model_of,
            training=training(),
            code=chain_code("retrain"),
        script:
            "../scripts/retrain.py"


for (_first, _last), _experiments in by_span(whole).items():

    rule:
        name:
            f"extract_mask_{_first}_{_last}"
        input:
            unpack(extraction_inputs(_first, _last)),
            data=dataset_of,
        output:
            masks=each_round(MASK, _first, _last),
            densities=each_round(DENSITY, _first, _last),
        log:
            log_file("extract_mask", span_run(_first, _last)),
        benchmark:
            benchmark_file("extract_mask", span_run(_first, _last))
        wildcard_constraints:
            experiment="|".join(_experiments),
            criterion="|".join(UNCHAINED),
            rewind="|".join(REWINDS),
        group:
            tree_group
        conda:
            "../../environment.yml"
        threads: SLOTS
        resources:
            mem_mb=mem_mb,
            runtime=runtime,
        params:
            model=model_of,
            pruning=pruning(_first, _last),
            code=chain_code("extract_mask"),
        script:
            "../scripts/extract_mask.py"


for (_first, _last), _experiments in by_span(several).items():

    rule:
        name:
            f"retrain_{_first}_{_last}"
        input:
            unpack(retraining_inputs(_first, _last)),
            masks=each_round(MASK, _first, _last),
            data=dataset_of,
        output:
            weights=each_round(WEIGHTS, _first, _last),
            histories=each_round(HISTORY, _first, _last),
            # Declared for every round, and empty where not asked for: to a job that has an output it never made
            # before, Snakemake is blind to changes of params.
            snapshots=[maybe_temp(file) for file in each_round(SNAPSHOTS, _first, _last)],
        log:
            log_file("retrain", span_run(_first, _last)),
        benchmark:
            benchmark_file("retrain", span_run(_first, _last))
        wildcard_constraints:
            experiment="|".join(_experiments),
            criterion="|".join(UNCHAINED),
            rewind="|".join(REWINDS),
        group:
            tree_group
        conda:
            "../../environment.yml"
        threads: SLOTS
        resources:
            mem_mb=mem_mb,
            gpu=GPUS,
            runtime=runtime,
        params:
            model=model_of,
            training=training(_first, _last),
            code=chain_code("retrain"),
        script:
            "../scripts/retrain.py"

    rule:
        name:
            f"train_chain_{_first}_{_last}"
        input:
            unpack(chain_inputs(_first, _last)),
            data=dataset_of,
        output:
            masks=each_round(MASK, _first, _last),
            densities=each_round(DENSITY, _first, _last),
            weights=each_round(WEIGHTS, _first, _last),
            histories=each_round(HISTORY, _first, _last),
            snapshots=[maybe_temp(file) for file in each_round(SNAPSHOTS, _first, _last)],
        log:
            log_file("train_chain", span_run(_first, _last)),
        benchmark:
            benchmark_file("train_chain", span_run(_first, _last))
        wildcard_constraints:
            experiment="|".join(_experiments),
            criterion="|".join(CHAINED),
            rewind="|".join(REWINDS),
        group:
            tree_group
        conda:
            "../../environment.yml"
        threads: SLOTS
        resources:
            mem_mb=mem_mb,
            gpu=GPUS,
            runtime=runtime,
        params:
            model=model_of,
            pruning=pruning(_first, _last),
            training=training(_first, _last),
            code=chain_code("train_chain"),
        script:
            "../scripts/train_chain.py"
