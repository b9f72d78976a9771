"""Tickets trained at other alphas than that of their masks."""

import numpy as np
import pandas as pd

from featprune.storage import save_table
from featprune.tables.transfer import build_transfer, transfer
from tests.unit.tables.made import made_summary

CHOOSE = {experiment: {"seeds": [], "rates": None} for experiment in "efg"}


def borrowed(**axes):
    return made_summary(rounds=(1,), seed=1, **axes).assign(criterion="ticket", experiment="f")


def test_transfer_has_the_own_tickets_on_the_diagonal_and_the_alpha_of_every_mask():
    own = made_summary(alphas=(0.3, 1.0, 3.0))
    others = borrowed(lrs=(1.0,))
    dropped = others.assign(criterion="shuffled")
    table = transfer(own, pd.concat([others, dropped]), {"f": 0.3}, CHOOSE).set_index(["mask_alpha", "alpha", "seed"])
    # The masks of 0.3 at both alphas, and of 1 at its own; 3 isn't among the alphas of training.
    assert set(table.index.droplevel("seed")) == {(0.3, 0.3), (0.3, 1.0), (1.0, 1.0)} and len(table) == 9
    tickets = own[(own["round"] == 1) & (own["lr"] == 1.0)].set_index(["alpha", "seed"])["test_accuracy"]
    assert table.loc[(0.3, 0.3, 2), "test_accuracy"] == tickets[0.3, 2]
    assert table.loc[(1.0, 1.0, 0), "test_accuracy"] == tickets[1.0, 0]
    theirs = others.set_index(["alpha", "seed"])["test_accuracy"]
    assert table.loc[(0.3, 1.0, 1), "test_accuracy"] == theirs[1.0, 1]
    assert set(table["experiment"]) == {"e"}


def test_in_a_regression_every_cell_stays_at_the_rate_with_the_smallest_validation_loss():
    nothing = {"validation_accuracy": np.nan, "test_accuracy": np.nan}
    own, others = made_summary().assign(**nothing), borrowed(lrs=(1.0, 3.0)).assign(**nothing)
    table = transfer(own, others, {"f": 0.3}, CHOOSE)
    cells = {(0.3, 0.3): own, (0.3, 1.0): others, (1.0, 1.0): own}
    assert table.groupby(["mask_alpha", "alpha", "round"]).size().to_dict() == {(*cell, 1): 3 for cell in cells}
    for (mask_alpha, alpha), summary in cells.items():
        runs = summary[(summary["alpha"] == alpha) & (summary["round"] == 1)]
        best = runs.groupby("lr")["validation_loss"].mean().idxmin()
        mine = table[(table["mask_alpha"] == mask_alpha) & (table["alpha"] == alpha)]
        assert set(mine["lr"]) == {best}
        assert mine["test_loss"].tolist() == runs.loc[runs["lr"] == best, "test_loss"].tolist()
    assert set(table["lr"]) == {1.0, 3.0}, "not all cells choose the same rate"


def test_the_table_is_made_from_all_borrowers(tmp_path):
    own, first = made_summary(), borrowed()
    second = first.assign(experiment="g")
    paths = {name: str(tmp_path / name) for name in ("own", "f", "g")}
    for name, summary in zip(paths, (own, first, second), strict=True):
        save_table(paths[name], summary)
    alphas = {"f": 0.3, "g": 1.0}
    table = build_transfer(paths["own"], [paths["f"], paths["g"]], alphas, CHOOSE)["transfer.parquet"]
    pd.testing.assert_frame_equal(table, transfer(own, pd.concat([first, second], ignore_index=True), alphas, CHOOSE))
    assert set(zip(table["mask_alpha"], table["alpha"], strict=True)) == {(m, a) for m in (0.3, 1) for a in (0.3, 1)}


def test_each_experiment_keeps_its_own_frozen_rates_and_tuning_seeds_are_left_out():
    def at(criterion, *rates):
        rows = [{"alpha": a, "criterion": criterion, "rewind": "init", "lr": lr, "edge": False} for a, lr in rates]
        return {"seeds": [0], "rates": rows}

    own, others = made_summary(), borrowed(lrs=(9.0, 27.0))
    selections = {"e": at("magnitude", (0.3, 3.0), (1.0, 1.0)), "f": at("ticket", (0.3, 9.0), (1.0, 27.0))}
    table = transfer(own, others, {"f": 0.3}, selections)
    assert set(table["seed"]) == {1, 2}
    assert {(row.mask_alpha, row.alpha): row.lr for row in table.itertuples()} == {
        (0.3, 0.3): 3.0,
        (0.3, 1.0): 27.0,
        (1.0, 1.0): 1.0,
    }
