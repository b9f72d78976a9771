# Three rules make the runs: train_dense; extract_mask, which prunes; and retrain, which trains what is left. Where the
# masks of a criterion need no training of their own chain, one extract_mask job makes those of all rounds. Where they
# do, extraction and retraining alternate: a job each with `rounds_per_job: 1`; otherwise train_chain runs the same two
# functions over several rounds in one process, since a sparse round may last less than starting Python. The outputs of
# a rule can't be functions in Snakemake, so a rule that makes several rounds stands once for each span of rounds.
CHAINED = [name for name, criterion in CRITERIA.items() if criterion.source == "chain"]
UNCHAINED = [name for name in CRITERIA if name not in CHAINED]
BY_ROUND = [name for name, e in STUDY.experiments.items() if e.pruning.rounds_per_job == 1]
DENSE_RUN = RunPath(RUN.cell._replace(criterion=DENSE.criterion), 0, RUN.block)


def by_span(spans_of):
    """(first, last) -> the experiments in which a job makes these rounds; `spans_of` gives an experiment's spans."""
    found = {}
    for name, experiment in STUDY.experiments.items():
        for span in spans_of(experiment):
            found.setdefault((span[0], span[-1]), []).append(name)
    return found


def whole(experiment):
    """All rounds as one span."""
    return [range(1, experiment.pruning.rounds + 1)] if experiment.pruning.rounds else []


def several(experiment):
    """The spans of an experiment that trains several rounds a job."""
    return experiment.spans if experiment.name not in BY_ROUND else []


def span_run(first, last):
    """Where the logs of a job that makes several rounds lie."""
    return RunPath(RUN.cell, f"{first}-{last}", RUN.block)


def each_round(name, first, last):
    """The patterns of a file of each round of a span."""
    return [RunPath(RUN.cell, round, RUN.block).file(STUDY.root, name) for round in range(first, last + 1)]


def rounds_of(w, first, last):
    """The rounds that a job makes: its span's, or its wildcard's."""
    return range(first, last + 1) if first else range(int(w.round), int(w.round) + 1)


def extraction_inputs(first=None, last=None):
    """The input function of a job that extracts the masks of these rounds."""
    return lambda w: STUDY.extraction_inputs(cell_of(w), rounds_of(w, first, last), w.block)


def retraining_inputs(first=None, last=None):
    """The input function of a job that retrains in these rounds."""
    return lambda w: STUDY.retraining_inputs(cell_of(w), rounds_of(w, first, last), w.block)


def chain_inputs(first, last):
    """The input function of a job that does both."""
    return lambda w: extraction_inputs(first, last)(w) | retraining_inputs(first, last)(w)


def pruning(first=None, last=None):
    """What an extraction depends on besides its files."""
    return lambda w: STUDY.extraction_params(cell_of(w), rounds_of(w, first, last), w.block)


def training(first=None, last=None):
    """What a retraining depends on besides its files."""
    return lambda w: STUDY.training_params(cell_of(w), rounds_of(w, first, last), w.block)


def chain_code(script):
    """The fingerprint of a job on a chain: of the registries, only its criterion and its rewind count."""

    def fingerprint(w):
        criterion = STUDY.experiments[w.experiment].masks_by(cell_of(w).kind)
        return script_code(script, CRITERIA=criterion, REWINDS=w.rewind, **network_entries(w.experiment))

    return fingerprint


rule train_dense:
    input:
        data=dataset_of,
    output:
        mask=run_file(MASK, DENSE_RUN),
        density=run_file(DENSITY, DENSE_RUN),
        weights=run_file(WEIGHTS, DENSE_RUN),
        history=run_file(HISTORY, DENSE_RUN),
        snapshots=maybe_temp(run_file(SNAPSHOTS, DENSE_RUN)),
    log:
        log_file("train_dense", DENSE_RUN),
    benchmark:
        benchmark_file("train_dense", DENSE_RUN)
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
        model=model_of,
        training=lambda w: STUDY.dense_params(Cell(w.experiment, w.alpha, w.lr, DENSE.criterion, w.rewind), w.block),
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
        conda:
            "../../environment.yml"
        threads: 1
        resources:
            mem_mb=1000,
            runtime=10,
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
        conda:
            "../../environment.yml"
        threads: 1
        resources:
            mem_mb=1500,
            gpu=GPUS,
            runtime=lambda w, attempt: 120 * attempt,
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
        conda:
            "../../environment.yml"
        threads: 1
        resources:
            mem_mb=1500,
            runtime=30,
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
        conda:
            "../../environment.yml"
        threads: 1
        resources:
            mem_mb=1500,
            gpu=GPUS,
            runtime=lambda w, attempt: 120 * attempt,
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
        conda:
            "../../environment.yml"
        threads: 1
        resources:
            mem_mb=1500,
            gpu=GPUS,
            runtime=lambda w, attempt: 120 * attempt,
        params:
            model=model_of,
            pruning=pruning(_first, _last),
            training=training(_first, _last),
            code=chain_code("train_chain"),
        script:
            "../scripts/train_chain.py"
