"""A table of one's own: a study of it runs, other content of the file reruns what depends on it, and nothing else."""

import json
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest
import yaml
from sklearn.datasets import load_wine

from featprune.datasets.dataset import load_dataset
from featprune.storage import sha256

ROOT = Path(__file__).parents[2]
OVERLAY = {
    "run": ["tiny", "digits", "digits_baseline", "wine"],
    "datasets": {"wine": {"source": "files", "options": {"file": "wine.csv", "label": "target"}}},
    "experiments": {
        "wine": {
            "inherit": "digits",
            "dataset": "wine",
            "pruning": {"rewinds": ["init"]},
            "features": {"rounds": []},
            "baseline": None,
            "figures": ["accuracy_vs_density"],
        }
    },
}
TARGETS = ["results/figures/wine/accuracy_vs_density.png", "results/provenance.json"]


@pytest.fixture(scope="module")
def wine(finished, tmp_path_factory):
    """The finished study with an experiment on a table. Put the table back where you change it."""
    workspace = finished.copy(tmp_path_factory.mktemp("wine") / "study")
    load_wine(as_frame=True).frame.to_csv(workspace.root / "wine.csv", index=False)
    workspace.run(*TARGETS, overlay=OVERLAY)
    return workspace


def test_the_study_runs_and_its_provenance_has_the_sum(wine):
    data = load_dataset(wine.results / "data/wine.safetensors")
    assert (data.inputs, data.outputs) == (13, 3)
    summary = pd.read_parquet(wine.results / "tables/wine/summary.parquet")
    assert sorted(summary["round"].unique()) == [0, 1, 2]
    assert summary.loc[summary["round"] == 0, "test_accuracy"].min() > 0.6
    told = json.loads((wine.results / "provenance.json").read_text())
    assert told["data"] == {"wine": {"wine.csv": sha256(str(wine.root / "wine.csv"))}}
    log = (wine.results / "logs/fetch_dataset/wine.log").read_text()
    assert "0 of 36 test samples are also among those for training or validation" in log


def test_only_what_the_file_holds_counts(wine):
    table = wine.root / "wine.csv"
    content, times = table.read_bytes(), (table.stat().st_atime_ns, table.stat().st_mtime_ns)
    os.utime(table)
    assert wine.plan(*TARGETS, overlay=OVERLAY) == []
    try:
        # Other content that is older than the results, as of a file that was moved there.
        table.write_bytes(content[: content.rstrip().rindex(b"\n") + 1])
        os.utime(table, (1, 1))
        plan = wine.plan(*TARGETS, overlay=OVERLAY)
    finally:
        table.write_bytes(content)
        os.utime(table, ns=times)
    assert plan.counts() == {
        "fetch_dataset": 1,
        "train_dense": 1,
        "train_chain_1_2": 1,
        "aggregate_summary": 1,
        "plot_accuracy_vs_density": 1,
        "write_provenance": 1,
    }
    assert all("wine" in job for job in plan if job.rule != "write_provenance")


def test_a_mistake_in_the_table_is_one_line(wine):
    options = {"file": "wine.csv", "label": "traget"}
    overlay = OVERLAY | {"datasets": {"wine": {"source": "files", "options": options}}}
    done = wine.snakemake(TARGETS[0], "--cores", "1", overlay=overlay)
    assert done.returncode != 0 and "Traceback" not in done.stdout
    assert (
        "error: option 'label' of dataset 'files': wine.csv has no column 'traget'; did you mean 'target'?"
        in done.stdout
    )
    options["file"] = "wines.csv"
    *_, last = wine.snakemake("-n", overlay=overlay).stdout.strip().splitlines()
    assert last.startswith("config: datasets.wine.options.file: there is no file wines.csv in ")


def test_the_commands_of_the_readme_work(pristine, tmp_path):
    """As far as a plan goes; the study itself is as those above."""
    section = (ROOT / "README.md").read_text().partition("## Your own data\n")[2].partition("\n## ")[0]
    make, run = re.findall(r"```sh\n(.*?)```", section, re.S)[0].strip().splitlines()
    workspace = pristine.copy(tmp_path / "study")
    subprocess.run(["sh", "-c", make.replace("python", sys.executable, 1)], cwd=workspace.root, check=True)
    *_, preset = shlex.split(run)
    plan = workspace.plan(base=preset)
    assert plan.counts()["fetch_dataset"] == 1 and "plot_claims" in plan.counts()
    entry = yaml.safe_load(re.findall(r"```yaml\n(.*?)```", section, re.S)[0])["datasets"]
    assert entry == yaml.safe_load((ROOT / preset).read_text())["datasets"]
