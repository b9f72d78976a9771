"""The workflow as a module of another one, from another folder; and what the workflow catalog and snakedeploy read."""

import os
import subprocess
from pathlib import Path

import yaml

from tests.workflow.forked import python

ROOT = Path(__file__).parents[2]


def test_another_workflow_plans_the_smoke_preset_as_a_module(pristine, tmp_path):
    page = (ROOT / "config/README.md").read_text()
    snakefile = page.partition("```python\n")[2].partition("```")[0]
    assert "path/to/featprune" in snakefile
    (tmp_path / "Snakefile").write_text(snakefile.replace("path/to/featprune", str(pristine.root)))
    (tmp_path / "config").mkdir()
    (tmp_path / "config/config.yaml").write_text((ROOT / "presets/smoke.yaml").read_text())
    done = subprocess.run(
        [*python(), "-m", "snakemake", "--dry-run"],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(pristine.root)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert done.returncode == 0, done.stdout
    for rule in (
        "train_dense",
        "train_chain_1_4",
        "extract_mask",
        "compress_chain_3",
        "aggregate_claims",
        "plot_headline",
    ):
        assert f"\nrule featprune_{rule}:\n" in done.stdout, done.stdout
    assert "output: results/smoke/figures/digits/headline.png" in done.stdout


def test_what_is_deployed_is_the_default_config():
    assert (ROOT / "config/config.yaml").read_text() == (ROOT / "config.yaml").read_text()


def test_the_catalog_s_file_says_what_flags_a_run_takes():
    usage = yaml.safe_load((ROOT / ".snakemake-workflow-catalog.yml").read_text())["usage"]
    assert set(usage) == {"mandatory-flags", "software-stack-deployment", "report"}
    assert usage["software-stack-deployment"]["conda"] and usage["report"]


def test_a_citation_names_the_version_of_the_package():
    cited = yaml.safe_load((ROOT / "CITATION.cff").read_text())
    assert {"cff-version", "message", "title", "authors", "type", "version"} <= set(cited)
    assert f'\nversion = "{cited["version"]}"\n' in (ROOT / "pyproject.toml").read_text()
    assert f"\n## {cited['version']}" in (ROOT / "CHANGELOG.md").read_text()
