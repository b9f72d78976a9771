import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from scipy import stats

from featprune.runs.files import HISTORY
from featprune.storage import save_arrays, save_table
from featprune.tables.tables import (
    SUMMARY_TYPES,
    axes,
    compression,
    headline,
    headline_difference,
    layers,
    learning_curves,
    pixel_mask,
    summarize,
    transfer,
    tune,
)

STEPS = (0, 10, 100)


def write_run(root, criterion="dense", rewind="dense", round=0, losses=(3.0, 1.0, 2.0), alpha="0.3", kept=6):
    """A run of seeds 0 and 1 whose validation loss is `losses`, test loss twice and train loss half of that."""
    folder = root / f"experiment=e/alpha={alpha}/lr=1/criterion={criterion}/rewind={rewind}/round={round}/seeds=0-1"
    masks = [np.arange(4).reshape(1, 2, 2).repeat(2, 0) < kept - 2, np.ones((2, 1, 2), bool)]
    save_arrays(
        folder / "mask.safetensors", {"mask1": masks[0], "mask2": masks[1], "seeds": np.array([0, 1], np.int32)}
    )
    rows = [
        (seed, step, split, loss * scale, None if loss is None else 1 / (1 + loss * scale + seed))
        for seed in (0, 1)
        for step, loss in zip(STEPS, losses, strict=True)
        for split, scale in (("train", 0.5), ("validation", 1.0), ("test", 2.0))
    ]
    save_table(
        folder / "history.parquet",
        pa.Table.from_pylist([dict(zip(HISTORY.names, r, strict=True)) for r in rows], HISTORY),
    )
    return folder


def test_axes_come_from_the_path(tmp_path):
    folder = write_run(tmp_path, "magnitude", "init", 3, alpha="1e-1")
    expected = {"experiment": "e", "alpha": 0.1, "lr": 1.0, "criterion": "magnitude", "rewind": "init", "round": 3}
    assert axes(folder) == expected


def test_summary_has_the_contracts_columns_and_values(tmp_path):
    folders = [write_run(tmp_path)]
    folders += [write_run(tmp_path, "magnitude", w, r, kept=6 - r) for w in ("init", "none", "late") for r in (1, 2)]
    summary = summarize(learning_curves(folders), late_step=10)
    assert list(summary.columns) == list(SUMMARY_TYPES)
    row = summary.set_index(["rewind", "round", "seed"]).sort_index()
    dense = row.loc[("dense", 0, 1)]
    assert dense["density"] == 1 and dense["weights_remaining"] == 6
    assert (dense["validation_loss"], dense["test_loss"], dense["steps"]) == (2.0, 4.0, 100)
    assert dense["test_accuracy"] == pytest.approx(1 / (1 + 4 + 1))
    # The smallest validation loss is at step 10, where the test loss is 2.
    assert dense["early_stop_step"] == 10 and dense["early_stop_test_accuracy"] == pytest.approx(1 / (1 + 2 + 1))
    assert row.loc[("none", 2, 0), "density"] == pytest.approx(4 / 6)
    totals = {w: row.loc[(w, 2, 0), "total_steps"] for w in ("init", "none", "late")}
    assert totals == {"init": 100, "none": 300, "late": 110}
    assert not summary["diverged"].any()


def test_a_diverged_run_has_null_metrics(tmp_path):
    folders = [write_run(tmp_path), write_run(tmp_path, "magnitude", "init", 1, losses=(3.0, np.nan, np.nan))]
    summary = summarize(learning_curves(folders), None)
    lost = summary[summary["round"] == 1]
    assert lost["diverged"].all() and not summary.loc[summary["round"] == 0, "diverged"].any()
    metrics = ["test_accuracy", "test_loss", "validation_accuracy", "validation_loss"]
    assert lost[[*metrics, "early_stop_step", "early_stop_test_accuracy"]].isna().all(axis=None)


def made_summary(alphas=(0.3, 1.0), lrs=(1.0, 3.0), rounds=(0, 1), seeds=(0, 1, 2), seed=0):
    rng = np.random.default_rng(seed)
    rows = [
        {
            "experiment": "e",
            "alpha": alpha,
            "lr": lr,
            "criterion": "magnitude" if r else "dense",
            "rewind": "init" if r else "dense",
            "round": r,
            "density": 0.5**r,
            "seed": s,
            "validation_accuracy": rng.random(),
            "validation_loss": rng.random(),
            "test_accuracy": rng.random(),
            "test_loss": rng.random(),
        }
        for alpha in alphas
        for lr in lrs
        for r in rounds
        for s in seeds
    ]
    return pd.DataFrame(rows)


def test_tuning_takes_the_best_validation_mean_and_never_sees_the_test_split():
    summary = made_summary()
    tuned = tune(summary, ["lr"])
    for (alpha, round), group in summary.groupby(["alpha", "round"]):
        best = group.groupby("lr")["validation_accuracy"].mean().idxmax()
        chosen = tuned[(tuned["alpha"] == alpha) & (tuned["round"] == round)]
        assert set(chosen["lr"]) == {best} and len(chosen) == 3
    shuffled = summary.assign(test_accuracy=-summary["test_accuracy"], test_loss=0.0)
    assert tune(shuffled, ["lr"])["lr"].tolist() == tuned["lr"].tolist()


def test_a_value_at_which_a_seed_diverged_loses():
    summary = made_summary(alphas=(1.0,), rounds=(1,))
    summary.loc[summary["lr"] == 3.0, "validation_accuracy"] = [1.0, 1.0, np.nan]
    assert set(tune(summary, ["lr"])["lr"]) == {1.0}


def test_regression_is_tuned_on_the_smallest_validation_loss():
    summary = made_summary(alphas=(1.0,), rounds=(1,)).assign(validation_accuracy=np.nan)
    best = summary.groupby("lr")["validation_loss"].mean().idxmin()
    assert set(tune(summary, ["lr"])["lr"]) == {best}


def test_ties_go_to_the_smaller_value():
    summary = made_summary(alphas=(1.0,), rounds=(1,)).assign(validation_accuracy=0.5)
    assert set(tune(summary, ["lr"])["lr"]) == {1.0}


def test_headline_tunes_both_sides_on_validation_and_pairs_by_seed():
    ours, baseline = made_summary(seed=1), made_summary(alphas=(1.0,), seed=2)
    table = headline(ours, baseline)
    for round in (0, 1):
        best = ours[ours["round"] == round].groupby(["alpha", "lr"])["validation_accuracy"].mean().idxmax()
        mine = table[(table["side"] == "ours") & (table["round"] == round)]
        assert set(zip(mine["alpha"], mine["lr"], strict=True)) == {best}
    difference = headline_difference(table).set_index("round")
    sides = {name: side.set_index(["round", "seed"])["test_accuracy"] for name, side in table.groupby("side")}
    gap = (sides["ours"] - sides["baseline"]).loc[1]
    expected = stats.t.interval(0.95, 2, gap.mean(), stats.sem(gap))
    row = difference.loc[1]
    assert row["difference"] == pytest.approx(gap.mean()) and row["n_seeds"] == 3
    np.testing.assert_allclose((row["ci_low"], row["ci_high"]), expected)
    assert row["p_value"] == pytest.approx(stats.ttest_1samp(gap, 0).pvalue)


def test_one_seed_has_a_difference_but_no_interval():
    table = headline(made_summary(seeds=(0,)), made_summary(alphas=(1.0,), seeds=(0,)))
    row = headline_difference(table).iloc[0]
    assert np.isfinite(row["difference"]) and row[["ci_low", "ci_high", "p_value"]].isna().all()


def test_pixel_mask_counts_survivors_of_each_input(tmp_path):
    table = pixel_mask([write_run(tmp_path, kept=5)])
    assert table.loc[table["seed"] == 1, "survivors"].tolist() == [2, 1]
    assert set(table["density"]) == {5 / 6}


def test_layers_have_their_densities_and_say_where_one_collapsed(tmp_path):
    folders = [write_run(tmp_path), write_run(tmp_path, "snip", "init", 1, kept=2)]
    table = layers(folders).set_index(["round", "seed", "layer"])["layer_density"]
    assert table.to_dict() == {
        (r, s, n): 0.0 if (r, n) == (1, 1) else 1.0 for r in (0, 1) for s in (0, 1) for n in (1, 2)
    }
    lost = layers(folders).query("collapsed")
    assert set(zip(lost["round"], lost["layer"], strict=True)) == {(1, 1)} and set(lost["density"]) == {2 / 6}


def test_transfer_has_the_own_tickets_on_the_diagonal_and_the_alpha_of_every_mask():
    own = made_summary(alphas=(0.3, 1.0, 3.0))
    borrowed = made_summary(lrs=(1.0,), rounds=(1,), seed=1).assign(criterion="ticket", experiment="f")
    dropped = borrowed.assign(criterion="shuffled")
    table = transfer(own, pd.concat([borrowed, dropped]), {"f": 0.3}).set_index(["mask_alpha", "alpha", "seed"])
    # The masks of 0.3 at both alphas, and of 1 at its own; 3 isn't among the alphas of training.
    assert set(table.index.droplevel("seed")) == {(0.3, 0.3), (0.3, 1.0), (1.0, 1.0)} and len(table) == 9
    tickets = own[(own["round"] == 1) & (own["lr"] == 1.0)].set_index(["alpha", "seed"])["test_accuracy"]
    assert table.loc[(0.3, 0.3, 2), "test_accuracy"] == tickets[0.3, 2]
    assert table.loc[(1.0, 1.0, 0), "test_accuracy"] == tickets[1.0, 0]
    theirs = borrowed.set_index(["alpha", "seed"])["test_accuracy"]
    assert table.loc[(0.3, 1.0, 1), "test_accuracy"] == theirs[1.0, 1]
    assert set(table["experiment"]) == {"e"}


def test_compression_is_told_beside_the_dense_network_of_the_same_seed(tmp_path):
    folders = [write_run(tmp_path), write_run(tmp_path, "magnitude", "init", 1, kept=5)]
    rows = pd.DataFrame({"seed": [0, 1], "huffman_bytes": [10, 20]})
    save_table(folders[1] / "compression.parquet", rows)
    summary = summarize(learning_curves(folders), None)
    table = compression(folders[1:], summary).set_index("seed")
    dense = summary[summary["round"] == 0].set_index("seed")["test_accuracy"]
    assert table["dense_accuracy"].to_dict() == dense.to_dict()
    assert set(table["density"]) == {5 / 6} and table["huffman_bytes"].tolist() == [10, 20]
