"""Ours against the baseline: planted gains get the verdicts they should."""

from dataclasses import replace

import numpy as np
import pytest
from scipy import stats
from statsmodels.stats.multitest import multipletests

from featprune.claims.headline import gain as evidence_of
from featprune.claims.inference import Sample
from featprune.claims.row import holm
from featprune.claims.verdicts import FAILS, HOLDS, UNDECIDED
from tests.unit.claims.claim_tables import (
    DENSE,
    RULES,
    TICKET,
    diverge,
    headline_gains,
    headline_rows,
    headlines,
    planted,
    sides,
)


def test_a_planted_gain_holds():
    ours, baseline = sides(lambda alpha, lr, round: 0.05 * (alpha == 0.3))
    found = headline_rows(ours, baseline)
    assert found.index.tolist() == [0, 1, 2] and found["decides"].tolist() == [False, True, True]
    assert (found["verdict"] == HOLDS).all()
    gains = headline_gains(ours, baseline, 0.3)
    expected = stats.ttest_1samp(gains, 0).confidence_interval(0.95)
    np.testing.assert_allclose(found["estimate"], gains.mean())
    np.testing.assert_allclose(found[["ci_low", "ci_high"]].T, expected)


ALL = replace(RULES, decide_at=frozenset(range(4)))


def test_p_values_are_corrected_by_holm_over_the_densities_that_decide():
    ours, baseline = sides(lambda alpha, lr, round: (0.004, 0.006, 0.008, 0.02)[round], noise=0.01, rounds=(1, 2, 3))
    found = headline_rows(ours, baseline, ALL)
    gains = headline_gains(ours, baseline, 0.3)
    p = stats.ttest_1samp(gains, 0).pvalue
    np.testing.assert_allclose(found["p_holds"], np.where(gains.mean() > 0, p, 1))
    np.testing.assert_allclose(
        found["p_fails"], np.minimum(2 * stats.ttest_1samp(gains, 0.005, alternative="less").pvalue, 1)
    )
    for rounds in ([0, 1, 2, 3], [1, 3]):
        rows = headline_rows(ours, baseline, replace(RULES, decide_at=frozenset(rounds)))
        assert rows.index[rows["decides"]].tolist() == rounds
        both = [multipletests(rows.loc[rounds, side], method="holm")[1] for side in ("p_holds", "p_fails")]
        np.testing.assert_allclose(rows.loc[rounds, "p_adjusted"], np.minimum(*both))
    # By hand: the smallest times 4, the next times 3 and at least as much, and so on.
    steps = np.minimum(np.maximum.accumulate(np.sort(p) * [4, 3, 2, 1]), 1)
    np.testing.assert_allclose(np.sort(holm(p)), steps)


def test_a_gain_that_holm_takes_back_does_not_hold():
    # Of four densities one has p = 0.03, the others 0.5.
    ours, baseline = sides(lambda *_: 0.0, rounds=(1, 2, 3))
    for round, p in enumerate((0.5, 0.03, 0.5, 0.5)):
        kind = TICKET if round else DENSE
        gains = stats.zscore(range(5), ddof=1) + stats.t.isf(p / 2, 4) / np.sqrt(5)
        baseline = planted(baseline, kind, [0.9] * 5, round=round)
        ours = planted(ours, kind, 0.9 + 0.01 * gains, round=round)
    found = headline_rows(ours, baseline, ALL)
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
    assert {name: rows["decides"].any() for name, rows in found.items()} == {name: name == "gain" for name in found}


def test_where_both_tried_several_rates_fixed_is_the_one_nearest_1():
    ours, baseline = sides(lambda alpha, lr, round: 0.02 * (lr == 0.3), lrs=(0.3, 1.5, 9.0))
    found = headlines(ours, baseline)
    for name, lr in (("gain_common_lrs", 0.3), ("gain_fixed_lr", 1.5)):
        np.testing.assert_allclose(found[name]["estimate"], headline_gains(ours, baseline, 0.3, lr).mean())


def test_where_alpha_1_itself_is_best_alpha_has_no_effect():
    ours, baseline = sides(lambda alpha, lr, round: 0.05 * (alpha == 1.0))
    found = headlines(ours, baseline)["alpha_effect"]
    assert (found["estimate"] == 0).all() and (found["p_holds"] == 1).all() and (found["verdict"] == FAILS).all()


@pytest.mark.parametrize("gain", [0.0, 0.05, -0.05])
def test_gains_that_tie_are_undecided(gain):
    assert evidence_of(Sample.of([0.25, 0.25]), RULES).p_holds == evidence_of(Sample.of([0.0, 0.0]), RULES).p_holds == 1
    ours, baseline = sides(lambda *_: gain, noise=0)
    found = headline_rows(ours, baseline)
    np.testing.assert_allclose(found["estimate"], gain, atol=1e-12)
    assert (found["verdict"] == UNDECIDED).all() and (found["p_adjusted"] == 1).all() and found["ci_low"].isna().all()
