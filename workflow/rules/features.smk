rule dump_preactivations:
    input:
        snapshots=run_file(SNAPSHOTS),
        mask=run_file(MASK),
        data=dataset_of,
    output:
        run_file(PREACTIVATIONS),
    log:
        log_file("dump_preactivations"),
    benchmark:
        benchmark_file("dump_preactivations")
    conda:
        "../../environment.yml"
    threads: 1
    resources:
        mem_mb=1500,
        runtime=10,
    params:
        model=model_of,
        probe=lambda w: STUDY.experiments[w.experiment].features.probe,
        code=lambda w: script_code("dump_preactivations", **network_entries(w.experiment)),
    script:
        "../scripts/dump_preactivations.py"


# Of a pruned run, or of one of the dense runs that are its null and its ceiling, with the dense run.
rule compare_features:
    input:
        run=run_file(PREACTIVATIONS),
        dense=run_file(PREACTIVATIONS, RunPath(RUN.cell.of(DENSE), 0, RUN.block)),
    output:
        features=run_file(FEATURES),
        shift=run_file(TIME_SHIFT),
    log:
        log_file("compare_features"),
    benchmark:
        benchmark_file("compare_features")
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
        snapshots=run_file(SNAPSHOTS),
        mask=run_file(MASK),
        data=dataset_of,
    output:
        run_file(RICHNESS),
    log:
        log_file("measure_richness"),
    benchmark:
        benchmark_file("measure_richness")
    conda:
        "../../environment.yml"
    threads: 1
    resources:
        mem_mb=2000,
        runtime=30,
    params:
        model=model_of,
        probe=lambda w: STUDY.experiments[w.experiment].features.probe,
        kernel_samples=lambda w: STUDY.experiments[w.experiment].features.kernel_samples,
        code=lambda w: script_code("measure_richness", **network_entries(w.experiment)),
    script:
        "../scripts/measure_richness.py"
