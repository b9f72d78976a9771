"""The sides of the headline's comparisons, and their differences."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from featprune.storage import save_table
from featprune.tables.headline import build_headline, headline, headline_difference, paired
from tests.unit.tables.made import made_summary

OURS, BASELINE = made_summary(lrs=(1.0, 3.0, 9.0), seed=1), made_summary(alphas=(1.0,), lrs=(0.3, 1.0, 3.0), seed=2)
COMPARISONS = ("gain", "gain_common_lrs", "gain_fixed_lr", "alpha_effect")


def chosen(table, comparison, side, round):
    rows = table[(table["comparison"] == comparison) & (table["side"] == side) & (table["round"] == round)]
    assert rows["seed"].tolist() == [0, 1, 2]
    return set(zip(rows["alpha"], rows["lr"], strict=True))


def best(summary, round):
    """The alpha and rate with the best mean on validation."""
    return {summary[summary["round"] == round].groupby(["alpha", "lr"])["validation_accuracy"].mean().idxmax()}


@pytest.mark.parametrize("round", [0, 1])
def test_each_comparison_tunes_its_own_sides_on_validation(round):
    table = headline(OURS, BASELINE)
    assert set(table["comparison"]) == set(COMPARISONS)
    here, there = (side[side["lr"].isin((1.0, 3.0))] for side in (OURS, BASELINE))
    sides = {
        "gain": (OURS, BASELINE),
        "gain_common_lrs": (here, there),
        "gain_fixed_lr": (here[here["lr"] == 1.0], there[there["lr"] == 1.0]),
        "alpha_effect": (here, here[here["alpha"] == 1.0]),
    }
    for comparison, (ours, theirs) in sides.items():
        assert chosen(table, comparison, "ours", round) == best(ours, round)
        assert chosen(table, comparison, "baseline", round) == best(theirs, round)


def test_only_dense_networks_and_tickets_take_part():
    others = OURS[OURS["round"] == 1].assign(validation_accuracy=9.0)
    more = [OURS, others.assign(rewind="random"), others.assign(criterion="snip")]
    pd.testing.assert_frame_equal(headline(pd.concat(more), BASELINE), headline(OURS, BASELINE))


def test_without_a_common_rate_there_is_the_gain_alone():
    assert set(headline(OURS, BASELINE.assign(lr=0.1))["comparison"]) == {"gain"}


def test_differences_are_paired_by_seed():
    table = headline(OURS, BASELINE)
    difference = headline_difference(table)
    assert difference[["comparison", "round"]].value_counts().eq(1).all() and len(difference) == 4 * 2
    for row in difference.to_dict("records"):
        mine = table[(table["comparison"] == row["comparison"]) & (table["round"] == row["round"])]
        wide = mine.pivot(index="seed", columns="side", values="test_accuracy")
        gap = wide["ours"] - wide["baseline"]
        assert row["difference"] == pytest.approx(gap.mean()) and row["n_seeds"] == 3
        if gap.std() > 0:
            expected = stats.t.interval(0.95, 2, gap.mean(), stats.sem(gap))
            np.testing.assert_allclose((row["ci_low"], row["ci_high"]), expected)
            assert row["p_value"] == pytest.approx(stats.ttest_1samp(gap, 0).pvalue)


def test_a_seed_that_one_side_lacks_is_no_pair():
    lost = OURS.assign(test_accuracy=OURS["test_accuracy"].mask(OURS["seed"] == 1))
    pairs = paired(headline(lost, BASELINE[BASELINE["seed"] < 2]))
    assert set(pairs.loc[pairs["comparison"] == "gain", "seed"]) == {0}


def test_one_seed_has_a_difference_but_no_interval():
    table = headline(made_summary(seeds=(0,)), made_summary(alphas=(1.0,), seeds=(0,)))
    row = headline_difference(table).iloc[0]
    assert np.isfinite(row["difference"]) and row[["ci_low", "ci_high", "p_value"]].isna().all()


def test_differences_that_tie_have_no_interval():
    table = headline(OURS.assign(test_accuracy=0.9), BASELINE.assign(test_accuracy=0.8))
    difference = headline_difference(table)
    assert difference.loc[difference["comparison"] == "gain", "difference"].tolist() == pytest.approx([0.1, 0.1])
    assert difference[["ci_low", "ci_high", "p_value"]].isna().all(axis=None)


def test_a_network_beside_itself_is_told_from_another_one_that_is_as_good():
    only_one = OURS[OURS["alpha"] == 1.0].assign(test_accuracy=0.9)
    pairs = paired(headline(only_one, BASELINE.assign(test_accuracy=0.9)))
    assert (pairs["gain"] == 0).all()
    assert pairs.groupby("comparison")["same"].unique().map(list).to_dict() == {
        name: [name == "alpha_effect"] for name in COMPARISONS
    }


def test_both_tables_are_made_from_the_summaries(tmp_path):
    for name, summary in (("ours", OURS), ("baseline", BASELINE)):
        save_table(tmp_path / name, summary)
    sides = {"ours": {"center": False, "selection": {}}, "baseline": {"center": False, "selection": {}}}
    tables = build_headline(str(tmp_path / "ours"), str(tmp_path / "baseline"), sides)
    pd.testing.assert_frame_equal(tables["headline.parquet"], headline(OURS, BASELINE))
    pd.testing.assert_frame_equal(
        tables["headline_difference.parquet"], headline_difference(tables["headline.parquet"])
    )
