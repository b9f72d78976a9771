from featprune.explorer.sources import files_of, parts, sources as explored


# One page to look at all of a study's curves, claims and preactivations: asked for by name, since its library of charts is
# an own one. Of its charts nothing trains that figures do not need.
rule write_explorer:
    input:
        lambda w: files_of(explored(STUDY)),
    output:
        f"{STUDY.root}/explorer.html",
    log:
        f"{STUDY.root}/logs/write_explorer.log",
    benchmark:
        f"{STUDY.root}/benchmarks/write_explorer.tsv"
    conda:
        "../../environment.yml"
    threads: SLOTS
    resources:
        mem_mb=mem_mb,
        runtime=runtime,
    params:
        made_of=lambda w: explored(STUDY),
        claims=STUDY.config["claims"],
        parts=parts(),
        code=script_code("write_explorer"),
    script:
        "../scripts/write_explorer.py"
