"""Learning curves and their summary, from made histories."""

import numpy as np
import pandas as pd
import pytest

from featprune.tables.performance import SUMMARY_TYPES, build_summary
from featprune.tables.tuning import tune
from tests.unit.tables.made import BEHIND, histories_and_densities, write_run


def summary_of(folders):
    return build_summary(*histories_and_densities(folders), BEHIND, {})["summary.parquet"]


def test_summary_has_the_contracts_columns_and_values(tmp_path):
    folders = [write_run(tmp_path)]
    folders += [write_run(tmp_path, "magnitude", w, r, kept=6 - r) for w in ("init", "none", "late") for r in (1, 2)]
    summary = summary_of(folders)
    assert list(summary.columns) == list(SUMMARY_TYPES)
    row = summary.set_index(["rewind", "round", "seed"]).sort_index()
    dense = row.loc[("dense", 0, 1)]
    assert dense["density"] == 1 and dense["weights_remaining"] == 6
    assert (dense["validation_loss"], dense["test_loss"], dense["steps"]) == (2.0, 4.0, 100)
    assert dense["test_accuracy"] == pytest.approx(1 / (1 + 4 + 1))
    # The smallest validation loss is at step 10, where the test loss is 2.
    assert dense["early_stop_step"] == 10 and dense["early_stop_test_accuracy"] == pytest.approx(1 / (1 + 2 + 1))
    assert row.loc[("none", 2, 0), "density"] == pytest.approx(4 / 6)
    assert not summary["diverged"].any()


def test_all_steps_are_the_runs_own_and_those_behind_its_start(tmp_path):
    folders = [write_run(tmp_path)]
    folders += [write_run(tmp_path, "magnitude", w, r) for w in ("init", "none", "late") for r in (1, 2)]
    summary = summary_of(folders)
    assert (summary["steps"] == 100).all()
    total = summary.groupby(["rewind", "round"])["total_steps"].first().unstack()
    assert total.loc["dense", 0] == 100
    assert {w: total.loc[w, [1, 2]].tolist() for w in ("init", "none", "late")} == {
        "init": [100, 100],
        "none": [200, 300],
        "late": [110, 110],
    }


def test_a_diverged_run_has_null_metrics(tmp_path):
    folders = [write_run(tmp_path), write_run(tmp_path, "magnitude", "init", 1, losses=(3.0, np.nan, np.nan))]
    summary = summary_of(folders)
    lost = summary[summary["round"] == 1]
    assert lost["diverged"].all() and not summary.loc[summary["round"] == 0, "diverged"].any()
    metrics = ["test_accuracy", "test_loss", "validation_accuracy", "validation_loss"]
    assert lost[[*metrics, "early_stop_step", "early_stop_test_accuracy"]].isna().all(axis=None)


def test_curves_are_the_histories_with_densities_and_tuned_is_the_summary_tuned(tmp_path):
    folders = [write_run(tmp_path), write_run(tmp_path, "magnitude", "init", 1, kept=5)]
    tables = build_summary(*histories_and_densities(folders), BEHIND, {})
    (curves,) = tables["learning_curves.parquet"]
    assert len(curves) == 2 * 2 * 3 * 3
    at = curves[(curves["round"] == 1) & (curves["seed"] == 1) & (curves["split"] == "train")]
    assert at["loss"].tolist() == [1.5, 0.5, 1.0] and set(at["density"]) == {5 / 6}
    pd.testing.assert_frame_equal(tables["tuned.parquet"], tune(tables["summary.parquet"], ["lr"]))
