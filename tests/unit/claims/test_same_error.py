"""Claim 1: planted differences of the test error get the verdicts they should."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from featprune.claims.verdicts import CLAIM_1, FAILS, HOLDS, UNDECIDED
from featprune.runs.paths import LONGER
from tests.unit.claims.claim_tables import (
    DENSE,
    NONE,
    PLAIN,
    RANDOM,
    RULES,
    TICKET,
    as_regression,
    claims_of,
    diverge,
    gaps,
    made_summary,
    paired,
    planted,
    row,
)


@pytest.mark.parametrize(
    ("difference", "least", "equal", "better"),
    [(0.0, HOLDS, HOLDS, UNDECIDED), (-0.03, FAILS, FAILS, FAILS), (0.03, HOLDS, FAILS, HOLDS)],
)
def test_planted_differences_of_accuracy_are_found(difference, least, equal, better):
    claims = claims_of(made_summary(gaps(difference)))
    for statistic, verdict in (("at_least_as_good", least), ("as_good", equal), ("better", better)):
        found = row(claims, CLAIM_1, statistic)
        assert (found["verdict"], found["decides"]) == (verdict, statistic == "at_least_as_good")


def test_differences_are_paired_by_seed_with_the_t_interval_of_their_mean():
    summary = made_summary(gaps(0.002), noise=0.002)
    found = row(claims_of(summary), CLAIM_1, "at_least_as_good")
    expected = stats.ttest_1samp(paired(summary), 0).confidence_interval(0.9)
    assert (found["ci_low"], found["ci_high"]) == pytest.approx((expected.low, expected.high))
    assert found["estimate"] == pytest.approx(paired(summary).mean())
    assert (found["confidence"], found["n_seeds"], found["density"], found["decides"]) == (0.9, 5, 0.5, True)


def test_too_few_seeds_are_undecided_and_the_seeds_needed_have_the_power():
    summary = planted(planted(PLAIN, DENSE, [0.9] * 5), TICKET, 0.901 + 0.006 * stats.zscore(range(5), ddof=1))
    found = row(claims_of(summary), CLAIM_1, "as_good")
    assert found["verdict"] == UNDECIDED and found["estimate"] == pytest.approx(0.001)

    def power(n):
        distances = np.array([0.004, 0.006]) / 0.006
        return 1 - stats.nct.cdf(stats.t.ppf(0.95, n - 1), n - 1, distances * np.sqrt(n)).sum()

    assert found["seeds_needed"] > 5 and power(found["seeds_needed"]) >= 0.8 > power(found["seeds_needed"] - 1)


@pytest.mark.parametrize(("ratio", "verdict"), [(1.0, HOLDS), (1.1, HOLDS), (1.6, FAILS), (1 / 1.6, FAILS)])
def test_regression_compares_logarithms_of_the_error(ratio, verdict):
    summary = as_regression(made_summary(gaps(-np.log(ratio)), noise=0.01))
    found = row(claims_of(summary), CLAIM_1, "as_good")
    loss = summary.pivot(index="seed", columns="round", values="test_loss")
    assert found["estimate"] == pytest.approx(-np.log(loss[1] / loss[0]).mean())
    assert found["verdict"] == verdict


@pytest.mark.parametrize("kind", [TICKET, DENSE])
def test_a_diverged_seed_is_left_out(kind):
    summary = made_summary(gaps(0))
    found = row(claims_of(diverge(summary, criterion=kind[0], seed=3)), CLAIM_1, "at_least_as_good")
    expected = np.delete(paired(summary), 3)
    assert found["n_seeds"] == 4 and found["estimate"] == pytest.approx(expected.mean())
    assert found["verdict"] == HOLDS


def test_a_point_at_which_every_pair_diverged_stays_in_the_table():
    summary = diverge(made_summary(gaps(0)), rewind="init", round=1)
    found = row(claims_of(summary), CLAIM_1, "at_least_as_good", TICKET)
    assert found["n_seeds"] == 0 and found["verdict"] == UNDECIDED


def test_the_matched_dense_network_is_the_one_trained_on():
    level = {DENSE: 0.9, NONE: 0.92, LONGER: 0.92}
    summary = made_summary(lambda kind, *_: level[kind], (NONE, LONGER))
    claims = claims_of(summary)
    matched, usual = (row(claims, CLAIM_1, name) for name in ("as_good_matched", "as_good"))
    assert (matched["verdict"], usual["verdict"]) == (HOLDS, FAILS)
    assert matched["estimate"] == pytest.approx(paired(summary, NONE, LONGER).mean())
    assert not matched["decides"]
    assert not (claims["criterion"] == "dense").any()


def test_the_null_is_the_difference_of_random_redraws():
    summary = made_summary(lambda kind, *_: 0.9 - 0.05 * (kind == RANDOM), (TICKET, RANDOM))
    claims = claims_of(summary)
    expected = paired(summary, RANDOM).mean()
    for kind in (TICKET, RANDOM):
        assert row(claims, CLAIM_1, "at_least_as_good", kind)["null_estimate"] == pytest.approx(expected)
    assert np.isnan(row(claims_of(), CLAIM_1, "at_least_as_good")["null_estimate"])


def test_each_side_has_the_rate_that_is_best_on_validation():
    best = {DENSE: 1.0, TICKET: 3.0}
    summary = made_summary(lambda kind, alpha, lr, round: 0.9 + 0.02 * (lr == best[kind]), lrs=(1.0, 3.0))
    found = row(claims_of(summary), CLAIM_1, "at_least_as_good")
    assert found["verdict"] == HOLDS and found["lr"] == 3.0
    shared = row(claims_of(summary[summary["lr"] == 3.0]), CLAIM_1, "at_least_as_good")
    assert shared["verdict"] == HOLDS and shared["estimate"] == pytest.approx(0.02, abs=0.002)


def test_wider_margins_forgive_more():
    summary = made_summary(gaps(-0.03))
    wide = replace(RULES, margins=replace(RULES.margins, accuracy=0.05))
    assert row(claims_of(summary, rules=wide), CLAIM_1, "at_least_as_good")["verdict"] == HOLDS


def test_differences_that_tie_are_undecided():
    assert (claims_of(made_summary(gaps(-0.25), noise=0, seeds=2))["verdict"] == UNDECIDED).all()
    # Of few test samples: all seeds have the same accuracy as their dense network, and other losses.
    coarse = PLAIN.assign(test_accuracy=PLAIN["test_accuracy"].round(1))
    for statistic in ("at_least_as_good", "as_good", "better"):
        found = row(claims_of(coarse), CLAIM_1, statistic)
        assert (found["estimate"], found["verdict"], found["n_seeds"]) == (0, UNDECIDED, 5)
        assert np.isnan(found["ci_low"]) and pd.isna(found["seeds_needed"])


@pytest.mark.parametrize("regression", [False, True])
def test_the_same_network_has_the_same_error(regression):
    metrics = ["test_accuracy", "test_loss", "validation_accuracy", "validation_loss"]
    summary = as_regression(PLAIN) if regression else PLAIN.copy()
    dense, ticket = (summary["criterion"] == kind.criterion for kind in (DENSE, TICKET))
    summary.loc[ticket, metrics] = summary.loc[dense, metrics].to_numpy()
    found = row(claims_of(summary), CLAIM_1, "at_least_as_good")
    assert (found["ci_low"], found["ci_high"], found["verdict"]) == (0, 0, HOLDS)
    # One pair of other networks that tie is enough to leave it open.
    summary.loc[ticket & (summary["seed"] == 2), "test_loss"] *= 1 + 1e-15
    assert row(claims_of(summary), CLAIM_1, "at_least_as_good")["verdict"] == UNDECIDED
