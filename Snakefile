from snakemake.utils import min_version

min_version("9.0")


configfile: "config.yaml"


report: "workflow/report/workflow.rst"


include: "workflow/rules/common.smk"
include: "workflow/rules/slurm.smk"
include: "workflow/rules/status.smk"
include: "workflow/rules/data.smk"
include: "workflow/rules/chains.smk"
include: "workflow/rules/train.smk"
include: "workflow/rules/features.smk"
include: "workflow/rules/compress.smk"
include: "workflow/rules/tables.smk"
include: "workflow/rules/figures.smk"
include: "workflow/rules/theory.smk"
include: "workflow/rules/findings.smk"
include: "workflow/rules/explorer.smk"


rule all:
    default_target: True
    input:
        FIGURE_FILES,
        FOUND_FILES,
        f"{STUDY.root}/config.yaml",
        f"{STUDY.root}/provenance.json",
        f"{STUDY.root}/report/findings.rst",


# What the key `rates` of an experiment of another study may name.
rule rates:
    input:
        expand(f"{STUDY.root}/tables/{{experiment}}/rates.csv", experiment=STUDY.experiments),


# docs/findings.md, and what it is made from.
rule findings:
    input:
        rules.write_findings.output,


# The additional experiments: figures of what the theory says, and the exponents fitted.
rule theory:
    input:
        [f"{STUDY.root}/figures/{THEORY}/{name}.{kind}" for name in RESULTS for kind in FIGURES[name].formats],
        rules.write_laws.output,


# One page to look at everything in a browser.
rule explorer:
    input:
        rules.write_explorer.output,


onsuccess:
    note_usage()
    sweep(STUDY.root)
