"""Our errors beside published ones, against weights kept and bytes."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from featprune.storage import save_table
from featprune.tables.published import published
from featprune.tables.records import COLUMNS, build_records, records

WEIGHTS = 784 * 300 + 300 * 100 + 100 * 10
POINTS = [
    {
        "method": "A",
        "year": 2015,
        "density": 0.08,
        "error": 0.0159,
        "bytes": None,
        "source": "table 1",
        "checked": "paper",
    },
    {
        "method": "B",
        "year": 2016,
        "density": 0.05,
        "error": 0.0158,
        "bytes": 27000,
        "source": "x",
        "checked": "as quoted",
    },
]


def by_name(start):
    (point,) = (point for point in published() if point["method"].startswith(start))
    return point


def kept_of(layers):
    return sum(n * m for n, m in zip(layers, [*layers[1:], 10], strict=True))


def test_published_points_are_whole():
    points = published()
    assert len({(p["method"], p["year"], p["density"]) for p in points}) == len(points) >= 12
    for point in points:
        assert 0.005 < point["density"] < 0.1 and 0.01 < point["error"] < 0.05 and point["year"] >= 2015
        assert point["bytes"] is None or 10_000 < point["bytes"] < 50_000
        assert point["source"] and point["checked"].startswith(("paper", "repository ", "as quoted"))
    assert [p["year"] for p in points] == sorted(p["year"] for p in points)


def test_numbers_that_follow_from_others_of_the_paper():
    assert by_name("Deep Compression")["bytes"] == pytest.approx(1.07e6 / 40, rel=0.02)
    assert by_name("Soft weight-sharing")["bytes"] == round(4 * (WEIGHTS + 410) / 64)
    assert by_name("Sparse VD")["density"] == pytest.approx(1 / 68, abs=5e-5)
    assert by_name("Information")["density"] == pytest.approx(kept_of([97, 71, 33]) / WEIGHTS, abs=5e-4)
    for name, layers, sparsity in (("RigL (", [408, 100, 69], 0.870), ("RigL twice", [375, 62, 51], 0.886)):
        point, weights = by_name(name), kept_of(layers)
        assert point["density"] == pytest.approx((1 - sparsity) * weights / WEIGHTS, abs=1e-4)
        # The paper's bytes: 4 a weight that is left and a bias, and a bit a weight for the mask.
        told = 4 * (1 - sparsity) * weights + weights / 8 + 4 * (sum(layers[1:]) + 10)
        assert point["bytes"] == pytest.approx(told, rel=2e-3)


def runs(criterion="magnitude", rewind="init", experiment="mine", **columns):
    """Two rounds of four seeds."""
    rng = np.random.default_rng(len(criterion + rewind))
    table = pd.DataFrame([(number, seed) for number in (1, 2) for seed in range(4)], columns=["round", "seed"])
    table = table.assign(experiment=experiment, alpha=1.0, lr=3.3, criterion=criterion, rewind=rewind)
    table["density"] = 0.5 ** table["round"]
    return table.assign(test_accuracy=rng.uniform(0.97, 0.98, 8), **columns)


def compressed(table):
    rng = np.random.default_rng(1)
    accuracy = table["test_accuracy"] - 0.01
    return table.assign(quantized_accuracy=accuracy, huffman_bytes=rng.integers(900, 1100, len(table)))


def test_ours_are_means_with_their_student_t_intervals():
    tuned = pd.concat([runs(), runs("fisher"), runs("dense", "dense")])
    files = compressed(runs("fisher"))
    table = records({("ours", "density"): tuned, ("ours", "bytes"): files}, POINTS)
    assert list(table.columns) == COLUMNS
    mine = table[table["side"] == "ours"]
    assert len(mine) == 2 * 2 + 2 and "dense" not in set(mine["criterion"])
    for against, of, accuracy, kept in (
        ("density", tuned, "test_accuracy", "density"),
        ("bytes", files, "quantized_accuracy", "huffman_bytes"),
    ):
        chosen = (mine["against"] == against) & (mine["criterion"] == "fisher") & (mine["round"] == 2)
        (row,) = mine[chosen].to_dict("records")
        seeds = of.query("criterion == 'fisher' and round == 2")
        error = 1 - seeds[accuracy]
        assert row["error"] == pytest.approx(error.mean()) and row["n_seeds"] == 4
        assert row["kept"] == pytest.approx(seeds[kept].mean())
        expected = stats.t.interval(0.95, 3, loc=error.mean(), scale=stats.sem(error))
        assert (row["ci_low"], row["ci_high"]) == pytest.approx(expected)


def test_published_points_stand_where_the_paper_tells_something():
    table = records({("ours", "density"): runs()}, POINTS)
    told = table[table["side"] == "published"]
    assert told[["method", "against", "kept", "error"]].to_numpy().tolist() == [
        ["A", "density", 0.08, 0.0159],
        ["B", "density", 0.05, 0.0158],
        ["B", "bytes", 27000, 0.0158],
    ]
    assert told["checked"].tolist() == ["paper", "as quoted", "as quoted"]


def test_diverged_runs_are_left_out_and_the_baseline_has_tickets_only():
    lost = runs()
    lost.loc[lost["seed"] == 0, "test_accuracy"] = np.nan
    baseline = pd.concat(
        [runs(experiment="lth"), runs("snip", experiment="lth"), runs(rewind="none", experiment="lth")]
    )
    table = records({("ours", "density"): lost, ("baseline", "density"): baseline}, [])
    assert table.query("side == 'ours'")["n_seeds"].tolist() == [3, 3]
    theirs = table.query("side == 'baseline'")
    assert set(zip(theirs["experiment"], theirs["criterion"], theirs["rewind"], strict=True)) == {
        ("lth", "magnitude", "init")
    }
    assert len(theirs) == 2


def test_the_table_is_built_from_what_files_there_are(tmp_path):
    for name, frame in {"tuned": runs(), "compression": compressed(runs())}.items():
        save_table(tmp_path / f"{name}.parquet", frame)
    alone = build_records(POINTS, str(tmp_path / "tuned.parquet"))["records.parquet"]
    assert set(zip(alone["side"], alone["against"], strict=True)) == {
        ("ours", "density"),
        ("published", "density"),
        ("published", "bytes"),
    }
    paths = [str(tmp_path / f"{name}.parquet") for name in ("tuned", "compression")]
    both = build_records(POINTS, *paths, *paths)["records.parquet"]
    assert len(both) == 4 * 2 + 3
