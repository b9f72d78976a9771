# A job analyses what one cell has been through: it dumps preactivations, compares them with the dense run's, and measures
# richness. Starting a process costs more than any of it, so the rounds of a chain share one. The outputs of a rule can't
# be functions in Snakemake, so a rule stands once for each set of rounds that is studied.
def analyzed(name, runs):
    """The patterns of a file of each of these runs."""
    return [run_file(name, run) for run in runs]


for _kinds, _experiments in STUDY.dense_analyses.items():
    _runs = [RunPath(RUN.cell.of(kind), 0, RUN.block) for kind in _kinds]

    rule:
        name:
            "analyze_dense" + "_and_references" * (len(_runs) > 1)
        input:
            snapshots=analyzed(SNAPSHOTS, _runs),
            masks=analyzed(MASK, _runs),
            data=dataset_of,
        output:
            preactivations=analyzed(PREACTIVATIONS, _runs),
            features=analyzed(FEATURES, _runs[1:]),
            shifts=analyzed(TIME_SHIFT, _runs[1:]),
            richness=analyzed(RICHNESS, _runs[:1]),
        log:
            log_file("analyze_dense", _runs[0]),
        benchmark:
            benchmark_file("analyze_dense", _runs[0])
        wildcard_constraints:
            experiment="|".join(_experiments),
        conda:
            "../../environment.yml"
        threads: 1
        resources:
            mem_mb=2000,
            runtime=30,
        params:
            model=model_of,
            features=lambda w: STUDY.analysis_params(w.experiment),
            code=lambda w: script_code("analyze_features", **network_entries(w.experiment)),
        script:
            "../scripts/analyze_features.py"


for (_rounds, _rewinds), _experiments in STUDY.chain_analyses.items():
    _runs = [RunPath(RUN.cell.of(TICKET)._replace(rewind="{rewind}"), round, RUN.block) for round in _rounds]
    _place = RunPath(_runs[0].cell, f"{_rounds[0]}-{_rounds[-1]}", RUN.block)

    rule:
        name:
            f"analyze_{'tickets' if TICKET.rewind in _rewinds else 'controls'}_{'_'.join(map(str, _rounds))}"
        input:
            snapshots=analyzed(SNAPSHOTS, _runs),
            masks=analyzed(MASK, _runs),
            dense=run_file(PREACTIVATIONS, RunPath(RUN.cell.of(DENSE), 0, RUN.block)),
            data=dataset_of,
        output:
            preactivations=analyzed(PREACTIVATIONS, _runs),
            features=analyzed(FEATURES, _runs),
            shifts=analyzed(TIME_SHIFT, _runs),
            richness=analyzed(RICHNESS, _runs if TICKET.rewind in _rewinds else []),
        log:
            log_file("analyze_chain", _place),
        benchmark:
            benchmark_file("analyze_chain", _place)
        wildcard_constraints:
            experiment="|".join(_experiments),
            rewind="|".join(_rewinds),
        conda:
            "../../environment.yml"
        threads: 1
        resources:
            mem_mb=2000,
            runtime=30,
        params:
            model=model_of,
            features=lambda w: STUDY.analysis_params(w.experiment),
            code=lambda w: script_code("analyze_features", **network_entries(w.experiment)),
        script:
            "../scripts/analyze_features.py"
