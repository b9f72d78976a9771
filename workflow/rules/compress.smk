for _rounds, _experiments in STUDY.compressions.items():
    _runs = [RunPath(RUN.cell, round, RUN.block) for round in _rounds]
    _place = span_run(_rounds[0], _rounds[-1])

    rule:
        name:
            f"compress_chain_{'_'.join(map(str, _rounds))}"
        input:
            masks=[run_file(MASK, run) for run in _runs],
            weights=[run_file(WEIGHTS, run) for run in _runs],
            data=dataset_of,
        output:
            tables=[run_file(COMPRESSION, run) for run in _runs],
            files=[directory(run_file("fpz", run)) for run in _runs],
        log:
            log_file("compress_chain", _place),
        benchmark:
            benchmark_file("compress_chain", _place)
        wildcard_constraints:
            experiment="|".join(_experiments),
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
            runs=lambda w, rounds=_rounds: [STUDY.compression_params(cell_of(w), round) for round in rounds],
            code=lambda w: script_code("compress_chain", REWINDS=w.rewind, **network_entries(w.experiment)),
        script:
            "../scripts/compress_chain.py"
