"""The sides of the headline's comparisons, and their differences."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from featprune.runs.paths import TICKET, Kind
from featprune.storage import save_table
from featprune.tables.headline import Side, build_headline, headline, headline_difference, kind_of_ours, paired
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


def test_uncentered_at_equal_schedules_the_same_rounds_stand_beside_each_other():
    table = headline(OURS, BASELINE)
    assert set(zip(table["round"], table["density"], table["stored"], strict=True)) == {(0, 1, 1024), (1, 0.5, 512)}


def test_a_centered_side_stores_twice_and_stands_beside_what_stores_as_much():
    ours, baseline = made_summary(rounds=range(5), seed=1), made_summary(rounds=range(4), alphas=(1.0,), seed=2)
    table = headline(ours, baseline, Side(center=True))
    gain = table[table["comparison"] == "gain"].set_index("side")
    # Ours of rounds 1 to 4 beside the baseline's 0 to 3; ours of round 0 stores more than any network of theirs.
    assert set(gain.loc["baseline", "round"]) == set(gain.loc["ours", "round"]) == {0, 1, 2, 3}
    np.testing.assert_array_equal(gain["stored"], 1024 * 0.5 ** gain["round"])
    np.testing.assert_array_equal(gain["density"], 0.5 ** gain["round"])
    for round in range(4):
        own = ours[ours["round"] == round + 1]
        mine = gain[gain["round"] == round].loc["ours"]
        ((alpha, lr),) = best(ours, round + 1)
        assert set(mine["alpha"]) == {alpha} and set(mine["lr"]) == {lr}
        expected = own[(own["alpha"] == alpha) & (own["lr"] == lr)]
        assert mine["test_accuracy"].tolist() == expected["test_accuracy"].tolist()
    # Against itself a side stores as much at each round.
    own = table[table["comparison"] == "alpha_effect"]
    assert set(own["round"]) == {0, 1, 2, 3, 4}
    assert set(zip(own["round"], own["stored"], strict=True)) == {(r, 2048 >> r) for r in range(5)}


def test_rounds_that_have_no_partner_are_left_out():
    ours, baseline = made_summary(rounds=(0, 1, 2), seed=1), made_summary(rounds=(0, 1, 2, 3), alphas=(1.0,), seed=2)
    gain = headline(ours, baseline, Side(center=True)).query("comparison == 'gain'")
    assert set(gain["round"]) == {0, 1}, "ours of round 2 stores 512 weights, the baseline of round 2 256"
    # Other schedules: a side in between stands beside the next that stores less.
    odd = baseline.assign(weights_remaining=baseline["weights_remaining"] - 100)
    assert set(headline(ours, odd).query("comparison == 'gain' and side == 'ours'")["stored"]) == {512, 256}


def test_a_weight_that_rounding_adds_takes_no_partner_away():
    ours, baseline = made_summary(rounds=(0, 1, 2), seed=1), made_summary(rounds=(0, 1), alphas=(1.0,), seed=2)
    ours, baseline = (side.assign(weights_remaining=1000 * side["weights_remaining"]) for side in (ours, baseline))
    for fewer, partners in ((1, {1024_000, 512_000}), (2000, {512_000})):
        less = baseline.assign(weights_remaining=baseline["weights_remaining"] - fewer)
        gain = headline(ours, less, Side(center=True)).query("comparison == 'gain' and side == 'ours'")
        assert set(gain["stored"]) == partners


def test_each_side_chooses_on_its_own_tuning_seeds():
    # On seed 0 alpha 0.3 and rate 3 are best, on the others alpha 1 and rate 1.
    def liked(table):
        first = (table["alpha"] == 0.3) & (table["lr"] == 3.0)
        others = (table["alpha"] == 1.0) & (table["lr"] == 1.0)
        return np.where(table["seed"] == 0, first * 1.0, others * 2.0)

    ours = made_summary(seed=1).assign(validation_accuracy=liked)
    baseline = made_summary(alphas=(1.0,), seed=2)
    table = headline(ours, baseline, Side(selection={"seeds": [0]}))
    gain = table[table["comparison"] == "gain"].set_index("side")
    assert set(gain.loc["ours", "alpha"]) == {0.3} and set(gain.loc["ours", "lr"]) == {3.0}
    assert set(gain.loc["ours", "seed"]) == {1, 2} and set(gain.loc["baseline", "seed"]) == {0, 1, 2}
    assert set(paired(table)["seed"]) == {1, 2}
    assert set(headline(ours, baseline).query("comparison == 'gain' and side == 'ours'")["alpha"]) == {1.0}


def test_with_frozen_rates_alpha_alone_is_chosen():
    kinds = (("dense", "dense"), ("magnitude", "init"))
    fixed = {(0.3, 3.0), (1.0, 1.0)}
    rates = [
        {"alpha": alpha, "criterion": c, "rewind": w, "lr": lr, "edge": False} for alpha, lr in fixed for c, w in kinds
    ]
    frozen = Side(selection={"seeds": [], "rates": [rate | {"quality": None} for rate in rates]})
    table = headline(OURS, BASELINE, frozen, frozen)
    assert set(table["comparison"]) == {"gain", "alpha_effect"}
    ours = OURS[[pair in fixed for pair in zip(OURS["alpha"], OURS["lr"], strict=True)]]
    for round in (0, 1):
        assert chosen(table, "gain", "ours", round) == chosen(table, "alpha_effect", "ours", round) == best(ours, round)
        for comparison in ("gain", "alpha_effect"):
            assert chosen(table, comparison, "baseline", round) == {(1.0, 1.0)}
    # What is known of the alphas from other seeds chooses among them, whatever these seeds say.
    for winner in fixed:
        known = [rate | {"quality": 0.9 if (rate["alpha"], rate["lr"]) == winner else 0.8} for rate in rates]
        tuned = headline(OURS, BASELINE, Side(selection={"seeds": [], "rates": known}), frozen)
        assert all(chosen(tuned, "gain", "ours", round) == {winner} for round in (0, 1))


def test_each_side_has_its_own_kind_of_runs():
    better = OURS[OURS["round"] == 1].assign(criterion="fisher", rewind="lr")
    both = pd.concat([OURS, better.assign(test_accuracy=0.5)])
    table = headline(both, BASELINE, Side(kind=("fisher", "lr")))
    assert kind_of_ours(table) == Kind("fisher", "lr") and kind_of_ours(headline(OURS, BASELINE)) == TICKET
    gain = table[(table["comparison"] == "gain") & (table["round"] == 1)]
    kinds = gain.groupby("side")[["criterion", "rewind"]].agg(["unique"])
    assert [kind.tolist() for kind in kinds.loc["ours"]] == [["fisher"], ["lr"]]
    assert [kind.tolist() for kind in kinds.loc["baseline"]] == [["magnitude"], ["init"]]
    assert (table.loc[(table["round"] == 1) & (table["side"] == "ours"), "test_accuracy"] == 0.5).all()
