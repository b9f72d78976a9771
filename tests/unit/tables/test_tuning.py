"""What is chosen on validation is the best there, and nothing else counts."""

import itertools

import numpy as np
import pytest

from featprune.rates import read_rates
from featprune.runs.paths import Kind
from featprune.storage import save_table
from featprune.tables.tuning import best_of, build_rates, rates, tune
from tests.unit.tables.made import made_summary


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


def planted(quality, seeds=(0, 1, 2, 3)):
    """A summary in which validation accuracy is quality(lr, seed)."""
    summary = made_summary(alphas=(1.0,), lrs=(0.3, 1.0, 3.0), rounds=(1,), seeds=seeds)
    values = [quality(lr, seed) for lr, seed in zip(summary["lr"], summary["seed"], strict=True)]
    return summary.assign(validation_accuracy=values)


def test_only_the_tuning_seeds_choose_and_only_the_others_are_told():
    # Seeds 0 and 1 prefer 0.3, the others 3, and with all together 3 would win.
    summary = planted(lambda lr, seed: -abs(np.log(lr / 0.3)) if seed < 2 else 9 * lr)
    assert set(tune(summary, ["lr"])["lr"]) == {3.0}
    tuned = tune(summary, ["lr"], seeds=[0, 1])
    assert set(tuned["lr"]) == {0.3} and tuned["seed"].tolist() == [2, 3]


def test_a_tuning_seed_that_diverged_decides_and_another_does_not():
    summary = planted(lambda lr, seed: lr)
    lost = (summary["lr"] == 3.0) & (summary["seed"] == 0)
    summary["validation_accuracy"] = summary["validation_accuracy"].mask(lost)
    assert set(tune(summary, ["lr"], seeds=[0])["lr"]) == {1.0}
    assert set(tune(summary, ["lr"], seeds=[1])["lr"]) == {3.0}


@pytest.mark.parametrize(("best", "edge"), [(0.3, True), (1.0, False), (3.0, True)])
def test_the_edge_of_the_grid_is_told(best, edge):
    summary = planted(lambda lr, seed: -abs(np.log(lr / best)))
    tuned = tune(summary, ["lr"])
    assert set(tuned["lr"]) == {best} and set(tuned["edge"]) == {edge} and tuned["edge"].dtype == bool


def test_a_grid_of_one_value_has_no_edge():
    summary = planted(lambda lr, seed: lr)
    assert not tune(summary[summary["lr"] == 1.0], ["lr"])["edge"].any()


def frozen(*rows):
    return [dict(zip(("alpha", "criterion", "rewind", "lr", "edge"), row, strict=True)) for row in rows]


def test_frozen_rates_are_taken_whatever_validation_says():
    summary = made_summary(seed=4).assign(validation_accuracy=lambda table: table["lr"])
    fixed = frozen(
        (0.3, "dense", "dense", 1.0, False),
        (0.3, "magnitude", "init", 3.0, True),
        (1.0, "dense", "dense", 3.0, False),
        (1.0, "magnitude", "init", 1.0, True),
    )
    tuned = tune(summary, ["lr"], seeds=[0], rates=fixed)
    found = tuned.groupby(["alpha", "criterion", "rewind"])[["lr", "edge"]].agg(["unique", "size"])
    assert len(tuned) == 4 * 2 and set(tuned["seed"]) == {1, 2} and (found["lr", "size"] == 2).all()
    told = tuned[["alpha", "criterion", "rewind", "lr", "edge"]].drop_duplicates()
    assert sorted(map(tuple, told.to_numpy().tolist())) == sorted(tuple(rate.values()) for rate in fixed)


def test_alpha_is_chosen_among_those_at_their_frozen_rates():
    summary = made_summary(rounds=(1,)).assign(validation_accuracy=lambda t: t["lr"] + (t["alpha"] == 0.3) * 0.5)
    fixed = frozen((0.3, "magnitude", "init", 1.0, False), (1.0, "magnitude", "init", 3.0, False))
    assert set(tune(summary, ["alpha", "lr"])["alpha"]) == {0.3}
    chosen = tune(summary, ["alpha", "lr"], rates=fixed)
    assert set(zip(chosen["alpha"], chosen["lr"], strict=True)) == {(1.0, 3.0)}


def test_one_rate_serves_all_rounds_that_decide():
    summary = made_summary(alphas=(1.0,), lrs=(0.3, 1.0, 3.0), rounds=(0, 1, 2, 3), seeds=(0, 1))
    # Round 1, which doesn't decide, is for 3; rounds 2 and 3 together for 1; the dense network for 0.3.
    liked = {0: (0.9, 0.5, 0.5), 1: (0, 0, 99), 2: (0.1, 0.6, 0.7), 3: (0.2, 0.8, 0.6)}
    values = [liked[r][(0.3, 1.0, 3.0).index(lr)] for r, lr in zip(summary["round"], summary["lr"], strict=True)]
    table = rates(summary.assign(validation_accuracy=values), decide_at=[2, 3])
    assert table[["alpha", "criterion", "rewind", "lr", "edge"]].to_numpy().tolist() == [
        [1.0, "dense", "dense", 0.3, True],
        [1.0, "magnitude", "init", 1.0, False],
    ]
    np.testing.assert_allclose(table["validation_accuracy"], [0.9, 0.7])
    np.testing.assert_allclose(table["deficit"], [0.4, 0.05])
    alone = summary.assign(validation_accuracy=np.where(summary["seed"] == 0, summary["lr"], -9 * summary["lr"]))
    assert set(rates(alone, [2, 3])["lr"]) == {0.3} and set(rates(alone, [2, 3], seeds=[0])["lr"]) == {3.0}


def test_the_expected_best_of_k_rates_is_that_of_all_draws():
    summary = made_summary(alphas=(1.0,), lrs=(0.3, 1.0, 3.0), rounds=(0, 1, 2), seeds=(0, 1))
    values = {0.3: 0.2, 1.0: 0.9, 3.0: 0.5}
    table = best_of(summary.assign(validation_accuracy=summary["lr"].map(values)), [1, 2])
    tickets = table[table["criterion"] == "magnitude"]
    assert tickets["k"].tolist() == [1, 2, 3] and set(table["n"]) == {3}
    assert set(table["experiment"]) == set(summary["experiment"])
    for k, expected in zip(tickets["k"], tickets["expected"], strict=True):
        draws = itertools.product(values.values(), repeat=k)
        assert expected == pytest.approx(np.mean([max(draw) for draw in draws]))


def test_in_a_regression_the_deficit_is_in_loss():
    summary = made_summary(alphas=(1.0,), rounds=(1,)).assign(validation_accuracy=np.nan)
    losses = summary.groupby("lr")["validation_loss"].mean()
    (row,) = rates(summary, [1]).to_dict("records")
    assert row["lr"] == losses.idxmin() and row["deficit"] == pytest.approx(losses.max() - losses.min())
    assert rates(summary[summary["lr"] == 1.0], [1])["deficit"].isna().all()


def test_the_rates_are_written_as_they_are_read(tmp_path):
    summary = made_summary(lrs=(1.0, 0.33), seed=5)
    save_table(tmp_path / "summary.parquet", summary)
    text = build_rates(str(tmp_path / "summary.parquet"), [1], {"seeds": [], "rates": None})["rates.csv"]
    (tmp_path / "rates.csv").write_text(text)
    read, table = read_rates(str(tmp_path / "rates.csv")), rates(summary, [1])
    assert set(table["lr"]) == {1.0, 0.33}
    for row in table.itertuples():
        rate = read.of(str(row.alpha), Kind(row.criterion, row.rewind))
        assert (rate.lr, rate.edge) == (f"{row.lr:g}", row.edge)
