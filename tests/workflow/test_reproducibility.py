"""The same numbers whatever the cores and the blocks of seeds, and cells that diverge beside cells that don't."""

import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest
from safetensors.numpy import load_file

from benchmarks.compare import digests

CELL = "runs/experiment=digits/alpha=1/lr=1/criterion=magnitude/rewind=init/round=2"
FILES = ("mask.safetensors", "weights.safetensors", "history.parquet")


def test_one_core_gives_the_same_files(scratch):
    again = {"results": "again"}
    scratch.run(*(f"again/{CELL}/seeds=0-1/{file}" for file in FILES), overlay=again, cores=1)
    for file in FILES:
        there = (scratch.root / f"again/{CELL}/seeds=0-1/{file}").read_bytes()
        assert there == (scratch.results / f"{CELL}/seeds=0-1/{file}").read_bytes(), file


def test_blocks_of_one_seed_give_the_same_numbers(scratch):
    targets = [f"apart/{CELL}/seeds={seed}-{seed}/{file}" for seed in (0, 1) for file in FILES]
    scratch.run(*targets, overlay={"results": "apart", "seeds": {"block": 1}})
    together = scratch.results / CELL / "seeds=0-1"
    history = pq.read_table(together / "history.parquet", partitioning=None).to_pandas()
    for seed in (0, 1):
        alone = scratch.root / "apart" / CELL / f"seeds={seed}-{seed}"
        for file in FILES[:2]:
            arrays, both = load_file(alone / file), load_file(together / file)
            assert set(arrays) == set(both)
            for name, array in arrays.items():
                assert array.tobytes() == both[name][seed : seed + 1].tobytes(), f"{file}: {name} of seed {seed}"
        mine = pq.read_table(alone / "history.parquet", partitioning=None).to_pandas()
        assert mine.equals(history[history["seed"] == seed].reset_index(drop=True))


def test_tables_depend_neither_on_cores_nor_blocks_nor_rounds_per_job(scratch):
    rounds = {"tiny": 2, "digits": 1}  # in the shared run each has the other
    experiments = {name: {"pruning": {"rounds_per_job": number}} for name, number in rounds.items()}
    overlay = {"results": "again", "seeds": {"block": 1}, "experiments": experiments}
    scratch.run(*(f"again/tables/{name}/summary.parquet" for name in rounds), overlay=overlay, cores=1)
    again, before = digests(scratch.root / "again"), digests(scratch.results)
    assert len(again) == 2 * 3, "summary, tuned, learning_curves"
    assert again.items() <= before.items()


WILD = {
    "run": ["wild"],
    "keep_snapshots": False,
    "experiments": {
        "wild": {
            "inherit": "digits",
            "training": {"optimizer": "sgd", "lr": 0.1},
            "lrs": ["1", "1e30"],
            "pruning": {"rewinds": ["init"]},
            "baseline": None,
        }
    },
}


@pytest.fixture(scope="module")
def wild(finished, once):
    """A study in which one learning rate is far too large."""
    return once("wild", lambda root: finished.copy(root).run(overlay=WILD))


def test_a_diverged_run_is_recorded_and_the_others_finish(wild):
    table = pq.read_table(wild.results / "tables/wild/summary.parquet")
    summary = table.to_pandas()
    assert len(summary) == 2 * 3 * 2, "learning rates, rounds, seeds"
    assert (summary["diverged"] == (summary["lr"] == 1e30)).all()
    measured = [*(f"{split}_{metric}" for split in ("test", "validation") for metric in ("loss", "accuracy"))]
    measured += ["early_stop_step", "early_stop_test_accuracy"]
    for diverged, rows in summary.groupby("diverged"):
        assert (rows[measured].isna() if diverged else rows[measured].notna()).all(axis=None)
    assert summary["density"].notna().all()
    assert table["test_loss"].null_count == summary["diverged"].sum(), "null and not NaN"


def test_a_diverged_run_has_null_metrics_in_its_history(wild):
    files = list(wild.results.glob("runs/experiment=wild/*/lr=1e30/*/*/*/*/history.parquet"))
    assert len(files) == 3
    for file in files:
        table = pq.read_table(file, partitioning=None)
        late = table.filter(pc.field("step") > 1)
        assert late["loss"].null_count == late["accuracy"].null_count == len(late) > 0
        assert pc.all(pc.is_finite(table["loss"].drop_null())).as_py() is not False


def test_the_learning_rate_that_diverged_is_never_the_tuned_one(wild):
    tuned = pq.read_table(wild.results / "tables/wild/tuned.parquet").to_pandas()
    assert set(tuned["lr"]) == {1.0}


def test_snapshots_go_when_the_study_is_done_and_nothing_runs_again(wild):
    assert not list(wild.results.glob("runs/experiment=wild/**/snapshots.safetensors"))
    assert wild.plan(overlay=WILD) == []
