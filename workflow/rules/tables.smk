rule write_config:
    output:
        report(
            f"{STUDY.root}/config.yaml",
            caption="../report/config.rst",
            category="8 Run",
            labels={"file": "config"},
        ),
    log:
        f"{STUDY.root}/logs/write_config.log",
    benchmark:
        f"{STUDY.root}/benchmarks/write_config.tsv"
    localrule: True
    conda:
        "../../environment.yml"
    threads: SLOTS
    resources:
        mem_mb=mem_mb,
        runtime=runtime,
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
        report(
            f"{STUDY.root}/provenance.json",
            caption="../report/provenance.rst",
            category="8 Run",
            labels={"file": "provenance"},
        ),
    log:
        f"{STUDY.root}/logs/write_provenance.log",
    benchmark:
        f"{STUDY.root}/benchmarks/write_provenance.tsv"
    localrule: True
    conda:
        "../../environment.yml"
    threads: SLOTS
    resources:
        mem_mb=mem_mb,
        runtime=runtime,
    params:
        data=OWN,
        code=script_code("write_provenance"),
    script:
        "../scripts/write_provenance.py"


# A table or several from one reading: the registry says what each rule reads and writes.
for _name, _table in TABLES.items():

    rule:
        name:
            f"aggregate_{_name}"
        input:
            unpack(lambda w, name=_name: STUDY.table_inputs(w.experiment, name)),
        output:
            [f"{STUDY.root}/tables/{{experiment}}/{file}" for file in _table.files(_name)],
        log:
            f"{STUDY.root}/logs/aggregate_{_name}/{{experiment}}.log",
        benchmark:
            f"{STUDY.root}/benchmarks/aggregate_{_name}/{{experiment}}.tsv"
        group:
            table_group
        conda:
            "../../environment.yml"
        threads: SLOTS
        resources:
            mem_mb=mem_mb,
            runtime=runtime,
        params:
            table=_name,
            options=lambda w, name=_name: STUDY.table_options(w.experiment, name),
            code=script_code("aggregate_table", _table.module, TABLES=_name),
        script:
            "../scripts/aggregate_table.py"
