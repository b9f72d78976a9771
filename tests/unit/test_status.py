"""How far a sweep is: from marks, locks, logs and benchmarks that Snakemake and its jobs would leave."""

from base64 import urlsafe_b64encode
from pathlib import Path

import pandas as pd
import pytest

from featprune.config import resolve
from featprune.runs.paths import DENSE, TICKET, Cell, RunPath
from featprune.status import cells, incomplete, report, spent, table
from featprune.study import Study
from tests.unit.configs import SCHEMA
from tests.unit.test_study import CHOICES

CONFIG = {
    "seeds": {"count": 4, "block": 2},
    "experiments": {
        "a": {
            "dataset": "digits",
            "model": {"hidden": [12, 8]},
            "training": {"steps": 100, "lr": 0.1, "snapshot_steps": 5},
            "alphas": [0.3],
            "pruning": {"rewinds": ["init", "none"], "rounds": 2, "rounds_per_job": 2},
            "features": {"rounds": []},
        }
    },
}
PLACE = "experiment=a/alpha=0.3/lr=1/criterion=magnitude/rewind=init/round=1-2/seeds"


@pytest.fixture
def study(tmp_path, monkeypatch) -> Study:
    monkeypatch.chdir(tmp_path)
    return Study(resolve(CONFIG | {"results": "out"}, SCHEMA, CHOICES))


def write(path: str, text: str = "") -> None:
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    Path(path).write_text(text)


def run(kind, round, block) -> RunPath:
    return RunPath(Cell("a", "0.3", "1", *kind), round, block)


def train(kind, round, block) -> list[str]:
    files = [run(kind, round, block).file("out", name) for name in ("weights.safetensors", "history.parquet")]
    for file in files:
        write(file)
    return files


def mark(file: str, longest: int = 254) -> None:
    """As Snakemake marks a file that a job is about to write: it cuts names that are too long for a folder."""
    name = urlsafe_b64encode(file.encode()).decode()
    parts = [name[i : i + longest] for i in range(0, len(name), longest)]
    write("/".join([".snakemake/incomplete", *("@" + part for part in parts[:-1]), parts[-1]]))


def benchmark(path: str, seconds: float) -> None:
    write(f"out/benchmarks/{path}.tsv", f"s\th:m:s\n{seconds}\t0:00:01\n")


def states(study) -> dict[tuple, str]:
    found = cells(study)
    assert len(found) == 2 * (1 + 2 * 2), "a dense run, and two rounds of two strategies, for each of two blocks"
    return {(row.rewind, row.Index): row.state for row in found.itertuples()}


def counts(study) -> dict[str, list[int]]:
    made = table(cells(study), spent(Path("out")))
    return {key[2]: list(row) for key, row in zip(made.index, made.iloc[:, :4].to_numpy(), strict=True)}


def test_a_sweep_that_has_not_begun_is_missing_and_its_rates_unknown(study):
    assert set(states(study).values()) == {"missing"}
    assert "left: unknown" in report(study, 2) and "0 done, 0 running, 10 missing, 0 failed" in report(study, 2)


def test_a_cell_is_done_when_it_is_complete_and_running_while_it_is_marked_under_a_lock(study):
    train(DENSE, 0, "0-1")
    files = train(TICKET, 1, "0-1") + train(TICKET, 2, "0-1")
    Path(run(TICKET, 2, "0-1").file("out", "history.parquet")).unlink()
    assert counts(study) == {"dense": [1, 0, 1, 0], "init": [1, 0, 3, 0], "none": [0, 0, 4, 0]}
    for file, longest in zip(files, (254, 254, 40, 40), strict=True):
        mark(file, longest)
    assert set(incomplete(Path(".snakemake"))) == set(files)
    assert counts(study)["init"] == [0, 0, 2, 2], "marked, and nobody writes"
    write(".snakemake/locks/0.output.lock")
    assert counts(study)["init"] == [0, 2, 2, 0]


@pytest.mark.parametrize("text", ["error: config: no", "round 1 ...\nTraceback (most recent call last):\n  File ..."])
def test_a_cell_has_failed_whose_log_ends_in_an_error(study, text):
    write(f"out/logs/train_chain/{PLACE}=2-3.log", "seeds [2]: 100 steps, no error: it goes on\n")
    assert counts(study)["init"] == [0, 0, 4, 0]
    write(f"out/logs/train_chain/{PLACE}=2-3.log", text)
    write(f"out/logs/dump_preactivations/{PLACE.replace('1-2', '2')}=0-1.log", text)
    assert counts(study)["init"] == [0, 0, 2, 2] and counts(study)["none"] == [0, 0, 4, 0]
    assert report(study, 2).endswith(f"\nfailed: out/logs/train_chain/{PLACE}=2-3.log")
    train(TICKET, 1, "2-3")
    assert counts(study)["init"] == [1, 0, 2, 1], "what is there counts, whatever a log said before"


def test_what_is_left_goes_at_the_rates_that_were_measured(study):
    train(DENSE, 0, "0-1")
    benchmark("train_dense/experiment=a/alpha=0.3/lr=1/criterion=dense/rewind=dense/round=0/seeds=0-1", 20)
    for round in (1, 2):
        train(TICKET, round, "0-1")
    benchmark(f"train_chain/{PLACE}=0-1", 120)
    benchmark(f"dump_preactivations/{PLACE}=0-1", 7)
    benchmark("plot_claims/a", 3)
    made = table(cells(study), spent(Path("out"))).droplevel([0, 1])
    assert dict(made["spent"]) == {"dense": 20, "init": 127, "none": 0}
    # Of 200 steps of the dense run 20 s, of 400 of the tickets 120 s, of both 140 s of 600.
    assert dict(made["left"]) == pytest.approx({"dense": 20, "init": 120, "none": 800 * 140 / 600})
    assert "spent: 2 min" in report(study, 2)
    assert "left: 5 min of core time for training at the measured rates, 3 min on 2 cores" in report(study, 2)


@pytest.mark.parametrize("rounds, references", [([0], 0), ([0, 2], 2)])
def test_the_dense_runs_that_features_are_compared_with_count_where_they_are(study, rounds, references):
    study.config["experiments"]["a"]["features"]["rounds"] = rounds
    found = cells(study)
    dense = found.loc[found["criterion"] == "dense", "rewind"].value_counts()
    assert dense["dense"] == 2 and len(dense) == 1 + references and set(dense) == {2}
    assert len(found) == 2 * (5 + references)


def test_nothing_is_written(study):
    train(DENSE, 0, "0-1")
    before = sorted(Path().rglob("*"))
    report(study, 1)
    assert sorted(Path().rglob("*")) == before


def test_a_study_lends_an_unmeasured_experiment_its_rate(study):
    found = pd.DataFrame(
        [("a", "x", "y", "done", 10, None), ("b", "x", "y", "missing", 30, None)],
        columns=["experiment", "criterion", "rewind", "state", "steps", "log"],
    )
    benchmark("retrain/experiment=a/alpha=1/lr=1/criterion=x/rewind=y/round=1/seeds=0-1", 5)
    assert list(table(found, spent(Path("out")))["left"]) == [0, 15]
