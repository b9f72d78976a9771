# What only snapshots tell is read from them while they are there: a job dumps the preactivations of all rounds of a chain
# that are studied, and measures the richness of dense runs and tickets. The comparison with dense runs reads what was
# dumped, which stays, and so is a job of its own: one for all runs at a point of the sweep, since each takes a moment. So
# are the straight lines between runs, which need the last weights only. The outputs of a rule can't be functions in
# Snakemake, so a rule stands once for each set of runs that is studied together.
# Name of the rule, experiments, rewinds where they are a wildcard, all runs, and those of them that are measured.
DUMPED = [
    (f"dense{'_and_references' * (len(kinds) > 1)}", names, [], [dense_run(kind) for kind in kinds], 1)
    for kinds, names in STUDY.dense_dumps.items()
]
for (_rounds, _rewinds), _names in STUDY.chain_dumps.items():
    _cell, _tickets = RUN.cell._replace(criterion=TICKET.criterion), TICKET.rewind in _rewinds
    _rule = f"{'tickets' if _tickets else 'controls'}_{'_'.join(map(str, _rounds))}"
    DUMPED.append((_rule, _names, _rewinds, [RunPath(_cell, r, RUN.block) for r in _rounds], len(_rounds) * _tickets))

for _name, _experiments, _rewinds, _runs, _measured in DUMPED:

    rule:
        name:
            f"dump_preactivations_{_name}"
        input:
            snapshots=of_runs(SNAPSHOTS, _runs),
            masks=of_runs(MASK, _runs),
            data=dataset_of,
        output:
            preactivations=of_runs(PREACTIVATIONS, _runs),
            richness=of_runs(RICHNESS, _runs[:_measured]),
        log:
            log_file("dump_preactivations", _runs[-1]),
        benchmark:
            benchmark_file("dump_preactivations", _runs[-1])
        wildcard_constraints:
            experiment="|".join(_experiments),
            rewind="|".join(_rewinds or REWINDS),
        group:
            measure_group
        conda:
            "../../environment.yml"
        threads: SLOTS
        resources:
            mem_mb=mem_mb,
            runtime=runtime,
        params:
            model=model_of,
            features=lambda w: STUDY.feature_params(dense_cell_of(w)),
            code=lambda w: script_code("dump_preactivations", **network_entries(w.experiment)),
        script:
            "../scripts/dump_preactivations.py"


# Of pruned runs and of all dense runs, each with the dense runs that are targets.
for (_linearized, _kinds, _rounds), _experiments in STUDY.comparisons.items():
    _runs = [RunPath(RUN.cell.of(kind), round, RUN.block) for kind in _kinds for round in _rounds]
    _runs += [dense_run(kind) for kind in DENSE_RUNS.values()]

    rule:
        name:
            f"compare_features{'_linearized' * _linearized}_{'_'.join(kind.rewind for kind in _kinds)}_"
            f"{'_'.join(map(str, _rounds))}"
        input:
            runs=of_runs(PREACTIVATIONS, _runs),
            targets=of_runs(PREACTIVATIONS, map(dense_run, TARGETS.values())),
        output:
            features=of_runs(FEATURES, _runs),
            shifts=of_runs(TIME_SHIFT, _runs),
        log:
            log_file("compare_features", dense_run(DENSE)),
        benchmark:
            benchmark_file("compare_features", dense_run(DENSE))
        wildcard_constraints:
            experiment="|".join(_experiments),
            alpha=LINEARIZED if _linearized else rf"(?!{LINEARIZED}/)[^/=]+",
        group:
            measure_group
        conda:
            "../../environment.yml"
        threads: SLOTS
        resources:
            mem_mb=mem_mb,
            runtime=runtime,
        params:
            code=script_code("compare_features"),
        script:
            "../scripts/compare_features.py"


rule measure_connectivity:
    input:
        unpack(lambda w: STUDY.connection_inputs(dense_cell_of(w), w.block)),
        data=dataset_of,
    output:
        run_file(CONNECTIVITY, dense_run(DENSE)),
    log:
        log_file("measure_connectivity", dense_run(DENSE)),
    benchmark:
        benchmark_file("measure_connectivity", dense_run(DENSE))
    group:
        measure_group
    conda:
        "../../environment.yml"
    threads: SLOTS
    resources:
        mem_mb=mem_mb,
        runtime=runtime,
    params:
        model=model_of,
        objective=lambda w: STUDY.connection_params(dense_cell_of(w)),
        code=lambda w: script_code("measure_connectivity", **network_entries(w.experiment)),
    script:
        "../scripts/measure_connectivity.py"
