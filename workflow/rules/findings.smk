from itertools import chain

FINDINGS = "docs/findings"
PUBLISHED = {}
if STUDY.config["findings"] is not None:
    PUBLISHED = sources(STUDY)

    rule publish_tables:
        input:
            list(chain.from_iterable(PUBLISHED.values())),
        output:
            [f"{FINDINGS}/{STUDY.config['findings']}/{name}" for name in PUBLISHED],
        log:
            f"{STUDY.root}/logs/publish_tables.log",
        benchmark:
            f"{STUDY.root}/benchmarks/publish_tables.tsv"
        localrule: True
        conda:
            "../../environment.yml"
        threads: SLOTS
        resources:
            mem_mb=mem_mb,
            runtime=runtime,
        params:
            made_of=PUBLISHED,
            folder=lambda w, output: str(Path(output[0]).parent),
            root=STUDY.root,
            code=script_code("publish_tables"),
        script:
            "../scripts/publish_tables.py"


TOLD = {name: files for name, files in sources(STUDY).items() if not name.endswith(".png")}


# What the report of a run opens with.
rule write_opening:
    input:
        list(chain.from_iterable(TOLD.values())),
    output:
        report(
            f"{STUDY.root}/report/findings.rst",
            caption="../report/findings.rst",
            category="0 Findings",
            labels={"file": "findings"},
        ),
    log:
        f"{STUDY.root}/logs/write_opening.log",
    benchmark:
        f"{STUDY.root}/benchmarks/write_opening.tsv"
    localrule: True
    conda:
        "../../environment.yml"
    threads: SLOTS
    resources:
        mem_mb=mem_mb,
        runtime=runtime,
    params:
        made_of=TOLD,
        root=lambda w, output: str(Path(output[0]).parents[1]),
        code=script_code("write_opening", FIGURES=""),
    script:
        "../scripts/write_opening.py"


# Always from all that is published: a study that is run changes its own part only.
rule write_findings:
    input:
        rules.publish_tables.output if PUBLISHED else [],
        others=[
            str(path) for path in sorted(Path(FINDINGS).glob("*/*")) if path.parent.name != STUDY.config["findings"]
        ],
    output:
        f"{FINDINGS}.md",
    log:
        f"{STUDY.root}/logs/write_findings.log",
    benchmark:
        f"{STUDY.root}/benchmarks/write_findings.tsv"
    localrule: True
    conda:
        "../../environment.yml"
    threads: SLOTS
    resources:
        mem_mb=mem_mb,
        runtime=runtime,
    params:
        folder=lambda w, output: output[0].removesuffix(".md"),
        code=script_code("write_findings"),
    script:
        "../scripts/write_findings.py"
