# The additional experiments: what the theory behind alpha says, each result measured on small networks of its own, drawn by
# the rules of figures.smk, and its laws listed on one page.
for _name, _result in RESULTS.items():

    rule:
        name:
            f"measure_{_name}"
        output:
            [f"{STUDY.root}/tables/{THEORY}/{table}.parquet" for table in _result.tables],
        log:
            f"{STUDY.root}/logs/measure_{_name}.log",
        benchmark:
            f"{STUDY.root}/benchmarks/measure_{_name}.tsv"
        conda:
            "../../environment.yml"
        threads: SLOTS
        resources:
            mem_mb=lambda w, attempt: 3000 * attempt,
            runtime=lambda w, attempt: 20 * attempt,
        params:
            result=_name,
            options=STUDY.config["theory"][_name],
            code=script_code("measure_theory", _result.module, RESULTS=_name),
        script:
            "../scripts/measure_theory.py"


rule write_laws:
    input:
        [f"{STUDY.root}/tables/{THEORY}/{name}_laws.parquet" for name, result in RESULTS.items() if result.has_laws],
    output:
        report(
            f"{STUDY.root}/report/{THEORY}/laws.rst",
            caption="../report/laws.rst",
            category="9 Additional experiments",
            labels={"file": "laws"},
        ),
        f"{STUDY.root}/tables/{THEORY}/laws.parquet",
    log:
        f"{STUDY.root}/logs/write_laws.log",
    benchmark:
        f"{STUDY.root}/benchmarks/write_laws.tsv"
    localrule: True
    conda:
        "../../environment.yml"
    threads: SLOTS
    resources:
        mem_mb=mem_mb,
        runtime=runtime,
    params:
        code=script_code("write_laws"),
    script:
        "../scripts/write_laws.py"


# docs/theory.md with its pictures: asked for by name, since it is part of the project and not of results.
rule publish_theory:
    input:
        figures=[f"{STUDY.root}/figures/{THEORY}/{name}.png" for name in RESULTS],
        found=[f"{STUDY.root}/report/{THEORY}/{name}.rst" for name in RESULTS],
        captions=[workflow.source_path(f"../report/{name}.rst") for name in RESULTS],
    output:
        "docs/theory.md",
        [f"docs/theory/{name}.png" for name in RESULTS],
    log:
        f"{STUDY.root}/logs/publish_theory.log",
    benchmark:
        f"{STUDY.root}/benchmarks/publish_theory.tsv"
    localrule: True
    conda:
        "../../environment.yml"
    threads: SLOTS
    resources:
        mem_mb=mem_mb,
        runtime=runtime,
    params:
        code=script_code("publish_theory"),
    script:
        "../scripts/publish_theory.py"
