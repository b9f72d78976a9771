"""The configurations that come with the repository, its rules, and its lists of dependencies."""

import os
import re
import sys
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

ROOT = Path(__file__).parents[2]
# pip's name -> conda's.
CONDA = {"torch": "pytorch"}
# What --lint may say: environments are the user's choice of pip or conda, for all rules alike.
LINTS = {"Specify a conda environment or container for each rule."}


@pytest.mark.parametrize(
    "base, experiments",
    [
        ("config.yaml", {"toy", "mnist", "mnist_baseline"}),
        ("presets/smoke.yaml", {"small_teacher", "digits", "digits_baseline"}),
        ("presets/paper.yaml", {"toy", "mnist", "mnist_baseline"}),
    ],
)
def test_a_configuration_that_comes_with_it_can_be_planned(pristine, base, experiments):
    # One seed has all kinds of jobs, and one alpha and rate of presets/paper.yaml too.
    few = {"seeds": {"count": 1, "block": 1}}
    if base == "presets/paper.yaml":
        few["experiments"] = {
            "toy": {"seeds": {"count": 1, "block": 1, "tuning": 0}},
            "mnist": {"alphas": [1], "lrs": [1], "lrs_by_alpha": {1: [1], 30: [1], 10000: [1], "inf": [1]}},
        }
    plan = pristine.plan(base=base, overlay=few)
    outputs = [output for job in plan for output in job.outputs]
    for experiment in experiments:
        assert any(f"figures/{experiment}/" in output for output in outputs)
    assert {"write_config", "write_provenance", "fetch_dataset", "plot_headline"} <= set(plan.counts())
    # Where rounds last minutes, and in the preset that shows everything, each is two jobs of its own.
    assert (base != "config.yaml") == ({"extract_mask", "retrain"} <= set(plan.counts()))


def test_one_figure_needs_its_own_experiment_only(pristine):
    plan = pristine.plan("results/figures/mnist/accuracy_vs_density.png", base="config.yaml")
    assert not any("toy" in output for job in plan for output in job.outputs)
    assert not {"dump_preactivations", "write_config"} & set(plan.counts())


def test_no_more_jobs_run_side_by_side_than_the_machine_has_cores(pristine):
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    for given, slots in ((1, 1), (cores, 1), (2 * cores, 2), (8 * cores + cores - 1, 8)):
        done = pristine.snakemake("-n", "results/data/digits.safetensors", "--cores", str(given))
        told = re.findall(r"^    threads: (\d+)$", done.stdout, re.M)
        assert told == ([str(slots)] if slots > 1 else []), done.stdout
    # A report is made without cores, and so is a run on a cluster.
    done = pristine.snakemake("--report", "report.html", "results/data/digits.safetensors")
    assert "total number of cores" not in done.stdout, done.stdout


def rules() -> dict[str, str]:
    """Where a rule begins -> its text, for all the rules of the workflow."""
    found = {}
    for file in sorted((ROOT / "workflow/rules").glob("*.smk")):
        for match in re.finditer(r"^( *)rule ?(\w*):\n(?:(?:\1 +.*)?\n)+", file.read_text(), re.M):
            name = match[2] or re.search(r"name:\s*(.+)", match[0])[1]
            found[f"{file.name}: {name}"] = match[0]
    return found


def test_every_rule_is_found():
    assert len(rules()) >= 10


@pytest.mark.parametrize("rule", rules())
def test_a_rule_has_all_that_a_rule_should_have(rule):
    text = rules()[rule]
    for directive in ("output", "log", "benchmark", "params", "threads", "resources", "script"):
        assert re.search(rf"^ +{directive}:", text, re.M), f"{directive} is missing"
    for resource in ("mem_mb", "runtime"):
        assert re.search(rf"^ +{resource}=", text, re.M), f"{resource} is missing"
    assert re.search(r"^ +code=", text, re.M), "without a fingerprint, changes to the code go unnoticed"


def test_a_script_is_named_after_its_rule(pristine):
    """Or a rule after its script: one of those that a registry or a span of rounds tells apart has more in its name."""
    scripts = {script.stem for script in (ROOT / "workflow/scripts").glob("*.py")}
    family = {"train_references": "train_dense"}
    for base in ("config.yaml", "presets/smoke.yaml"):
        for rule in {job.rule for job in pristine.plan(base=base)}:
            kind = rule.split("_")[0]
            generated = {"plot": "plot_figure", "aggregate": "aggregate_table"}.get(kind, family.get(rule, rule))
            assert any(generated == script or generated.startswith(f"{script}_") for script in scripts), rule


def test_a_script_is_short():
    for script in (ROOT / "workflow/scripts").glob("*.py"):
        assert len(script.read_text().splitlines()) <= 40, script.name


def test_lint_finds_nothing_new(pristine):
    done = pristine.snakemake("--lint", base="config.yaml")
    assert "Traceback" not in done.stdout
    found = set(re.findall(r"^    \* (.*):$", done.stdout, re.M))
    assert found <= LINTS


def requirement(text: str) -> tuple[str, str]:
    """("numpy", ">=1.26") of "numpy >=1.26"."""
    name, version = re.fullmatch(r"([A-Za-z0-9_.-]+?)\s*([<>=!~].*)?", text.strip()).groups()
    return name.lower(), (version or "").replace(" ", "")


def test_the_conda_environment_is_in_step_with_the_package():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    environment = yaml.safe_load((ROOT / "environment.yml").read_text())
    conda = dict(requirement(line) for line in environment["dependencies"] if isinstance(line, str))

    def wanted(lines):
        return {CONDA.get(name, name): version for name, version in map(requirement, lines)}

    assert conda.pop("python") == project["requires-python"]
    needed = wanted(project["dependencies"])
    optional = wanted(line for lines in project["optional-dependencies"].values() for line in lines)
    assert {name: version for name, version in conda.items() if name in needed} == needed
    others = {name: version for name, version in conda.items() if name not in needed and name != "pip"}
    assert others.items() <= optional.items()


def test_the_locked_versions_are_those_that_the_package_allows_and_all_that_it_needs():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    lines = (ROOT / "requirements.lock").read_text().splitlines()
    # An exact version of a public release a line, and no address of an index.
    pins = [re.fullmatch(r"([a-z0-9-]+)==([0-9][a-z0-9.]*)", line) for line in lines if not line.startswith("#")]
    assert pins and all(pins)
    locked = {pin[1]: pin[2] for pin in pins}
    extras = project["optional-dependencies"]
    for line in (*project["dependencies"], *extras["test"], *extras["docs"]):
        wanted = Requirement(line)
        assert wanted.specifier.contains(locked[canonicalize_name(wanted.name)]), line
