"""Uniform or messy, and ours against the baseline: planted truths get the verdicts they should."""

import numpy as np
import pytest
from scipy import stats
from statsmodels.stats.multitest import multipletests

from featprune.claims.inference import FAILS, HOLDS, UNDECIDED, bootstrap_interval, decompose, rank_consistency
from featprune.claims.table import (
    HYPOTHESIS,
)
from tests.unit.claims.claim_tables import (
    DENSE,
    NONE,
    RANDOM,
    RULES,
    TICKET,
    as_regression,
    claims_of,
    diverge,
    headline_gains,
    headline_rows,
    headlines,
    messy,
    planted,
    row,
    sides,
    swept,
    uniform,
    values_of,
)


def test_uniform_tickets_and_a_messy_strategy_are_told_apart():
    claims = claims_of(swept(uniform, messy))
    ticket, other = (row(claims, HYPOTHESIS, "interaction", kind) for kind in (TICKET, RANDOM))
    messier = row(claims, HYPOTHESIS, "messier", RANDOM)
    assert (ticket["verdict"], other["verdict"], messier["verdict"]) == (HOLDS, FAILS, HOLDS)
    assert (ticket["decides"], other["decides"], messier["decides"]) == (True, False, True)
    for kind, verdict in ((TICKET, HOLDS), (RANDOM, FAILS)):
        assert row(claims, HYPOTHESIS, "rank_consistency", kind)["verdict"] == verdict
    assert not ((claims["statistic"] == "messier") & (claims["rewind"] == "init")).any()


def test_messy_tickets_and_a_uniform_strategy_fail():
    claims = claims_of(swept(messy, uniform))
    assert row(claims, HYPOTHESIS, "interaction", TICKET)["verdict"] == FAILS
    assert row(claims, HYPOTHESIS, "messier", RANDOM)["verdict"] == FAILS


def test_equally_uniform_strategies_are_undecided():
    claims = claims_of(swept(uniform, uniform))
    assert row(claims, HYPOTHESIS, "interaction", RANDOM)["verdict"] == HOLDS
    assert row(claims, HYPOTHESIS, "messier", RANDOM)["verdict"] == UNDECIDED


def test_estimates_are_those_of_the_decomposition_over_resampled_seeds():
    summary = swept(uniform, messy, noise=0.01, kinds=(TICKET, RANDOM, NONE))
    claims = claims_of(summary)
    values = {kind: values_of(summary, kind) for kind in (TICKET, RANDOM)}
    split = {kind: decompose(v) for kind, v in values.items()}
    estimates = ("interaction", "interaction_total", "rank_consistency")
    for kind, v in values.items():
        found = {name: row(claims, HYPOTHESIS, name, kind) for name in estimates}
        expected = (split[kind].interaction_of_alpha, split[kind].interaction_total, rank_consistency(v.mean(2)))
        assert [found[name]["estimate"] for name in estimates] == pytest.approx(expected)
        assert found["interaction"]["null_estimate"] == pytest.approx(split[kind].noise_share)
        assert found["rank_consistency"]["null_estimate"] == 1 / 4

    def messier(index):
        other, ticket = (decompose(values[kind][..., index.astype(int)]) for kind in (RANDOM, TICKET))
        return other.interaction_of_alpha - ticket.interaction_of_alpha

    expected = bootstrap_interval(messier, 5, 0.95, RULES.resamples)
    found = row(claims, HYPOTHESIS, "messier", RANDOM)
    got = [found[name] for name in ("estimate", "ci_low", "ci_high", "confidence")]
    assert got == pytest.approx([expected.estimate, expected.low, expected.high, 0.95])


def test_below_three_seeds_the_hypothesis_is_undecided():
    claims = claims_of(swept(uniform, messy, seeds=2))
    rows = claims[claims["claim"] == HYPOTHESIS]
    assert (rows["verdict"] == UNDECIDED).all() and (rows["seeds_needed"].dropna() >= 3).all()
    assert rows.loc[rows["decides"], "seeds_needed"].notna().all()


def test_a_seed_of_which_a_run_diverged_is_no_part_of_the_cube():
    whole = swept(uniform, messy)
    summary = diverge(whole, rewind="init", alpha=0.3, round=2, seed=1)
    found = row(claims_of(summary), HYPOTHESIS, "interaction", TICKET)
    assert found["n_seeds"] == 4
    expected = decompose(np.delete(values_of(whole, TICKET), 1, axis=2)).interaction_of_alpha
    assert found["estimate"] == pytest.approx(expected)


def test_regression_decomposes_the_logarithm_of_the_error():
    usual, regression = (
        row(claims_of(summary), HYPOTHESIS, "interaction", TICKET)
        for summary in (swept(uniform, messy), as_regression(swept(uniform, messy)))
    )
    assert regression["estimate"] == pytest.approx(usual["estimate"])


@pytest.mark.parametrize("narrow", [{"alphas": (1.0,)}, {"rounds": (1,)}])
def test_without_several_alphas_and_densities_there_is_no_hypothesis(narrow):
    claims = claims_of(swept(uniform, messy, **narrow))
    assert HYPOTHESIS not in set(claims["claim"])


def test_a_planted_gain_holds():
    ours, baseline = sides(lambda alpha, lr, round: 0.05 * (alpha == 0.3))
    found = headline_rows(ours, baseline)
    assert found.index.tolist() == [0, 1, 2] and found["decides"].all()
    assert (found["verdict"] == HOLDS).all()
    gains = headline_gains(ours, baseline, 0.3)
    expected = stats.ttest_1samp(gains, 0).confidence_interval(0.95)
    np.testing.assert_allclose(found["estimate"], gains.mean())
    np.testing.assert_allclose(found[["ci_low", "ci_high"]].T, expected)


def test_p_values_are_corrected_by_holm_over_densities():
    ours, baseline = sides(lambda alpha, lr, round: (0.004, 0.006, 0.008, 0.02)[round], noise=0.01, rounds=(1, 2, 3))
    found = headline_rows(ours, baseline)
    p = stats.ttest_1samp(headline_gains(ours, baseline, 0.3), 0).pvalue
    np.testing.assert_allclose(found["p_adjusted"], multipletests(p, method="holm")[1])
    # By hand: the smallest times 4, the next times 3 and at least as much, and so on.
    steps = np.minimum(np.maximum.accumulate(np.sort(p) * [4, 3, 2, 1]), 1)
    np.testing.assert_allclose(np.sort(found["p_adjusted"]), steps)


def test_a_gain_that_holm_takes_back_does_not_hold():
    # Of four densities one has p = 0.03, the others 0.5.
    ours, baseline = sides(lambda *_: 0.0, rounds=(1, 2, 3))
    for round, p in enumerate((0.5, 0.03, 0.5, 0.5)):
        kind = TICKET if round else DENSE
        gains = stats.zscore(range(5), ddof=1) + stats.t.isf(p / 2, 4) / np.sqrt(5)
        baseline = planted(baseline, kind, [0.9] * 5, round=round)
        ours = planted(ours, kind, 0.9 + 0.01 * gains, round=round)
    found = headline_rows(ours, baseline)
    np.testing.assert_allclose(found["p_adjusted"], [1, 0.12, 1, 1])
    assert found.loc[1, "ci_low"] > 0 and (found["verdict"] == UNDECIDED).all()


@pytest.mark.parametrize(
    ("gain", "noise", "verdict"), [(0.0, 5e-4, FAILS), (-0.05, 5e-4, FAILS), (0.002, 0.01, UNDECIDED)]
)
def test_without_a_gain_the_headline_fails_or_needs_more_seeds(gain, noise, verdict):
    ours, baseline = sides(lambda *_: gain, noise=noise)
    found = headline_rows(ours, baseline)
    assert (found["verdict"] == verdict).all()
    if verdict == UNDECIDED:
        assert (found["seeds_needed"] > 5).all()


def test_a_pair_of_which_one_diverged_is_left_out_of_the_headline():
    ours, baseline = sides(lambda alpha, lr, round: 0.05 * (alpha == 0.3))
    baseline = diverge(baseline, round=1, seed=4)
    found = headline_rows(ours, baseline)
    assert found["n_seeds"].tolist() == [5, 4, 5] and (found["verdict"] == HOLDS).all()


def test_what_is_alphas_own_and_what_the_rates():
    # Another alpha brings 0.02; another rate, which the baseline doesn't try, 0.03 more.
    def gain(alpha, lr, round):
        return 0.02 * (alpha == 0.3) + 0.03 * (lr == 3.0)

    ours, baseline = sides(gain, lrs=(1.0, 3.0))
    baseline = baseline[baseline["lr"] == 1.0]
    found = headlines(ours, baseline)
    np.testing.assert_allclose(found["gain"]["estimate"], 0.05, atol=0.01)
    for name in ("gain_common_lrs", "gain_fixed_lr"):
        np.testing.assert_allclose(found[name]["estimate"], headline_gains(ours, baseline, 0.3).mean())
    own = headline_gains(ours, ours[ours["alpha"] == 1.0], 0.3, 1.0)
    np.testing.assert_allclose(found["alpha_effect"]["estimate"], own.mean())
    assert {name: rows["decides"].all() for name, rows in found.items()} == {name: name == "gain" for name in found}


def test_where_both_tried_several_rates_fixed_is_the_one_nearest_1():
    ours, baseline = sides(lambda alpha, lr, round: 0.02 * (lr == 0.3), lrs=(0.3, 1.5, 9.0))
    found = headlines(ours, baseline)
    for name, lr in (("gain_common_lrs", 0.3), ("gain_fixed_lr", 1.5)):
        np.testing.assert_allclose(found[name]["estimate"], headline_gains(ours, baseline, 0.3, lr).mean())


def test_where_alpha_1_itself_is_best_alpha_has_no_effect():
    ours, baseline = sides(lambda alpha, lr, round: 0.05 * (alpha == 1.0))
    found = headlines(ours, baseline)["alpha_effect"]
    assert (found["estimate"] == 0).all() and (found["p_adjusted"] == 1).all() and (found["verdict"] == FAILS).all()
