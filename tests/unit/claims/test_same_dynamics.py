"""Claim 3: features along time, and the time shift beside it."""

import numpy as np
import pytest

from featprune.claims.text import describe
from featprune.claims.verdicts import CLAIM_2, CLAIM_3, FAILS, HOLDS, UNDECIDED
from featprune.tables.frames import CHANGE
from tests.unit.claims.claim_tables import (
    NONE,
    RULES,
    claims_of,
    gaps,
    made_features,
    made_shifts,
    made_summary,
    row,
)

CURVE = {0: np.nan, 1: 0.2, 4: 0.3, 32: 0.8, 100: 0.9}


def trapezoids(values):
    """By hand: the integral over the log of steps 1 to 100."""
    time = np.log([1, 4, 32, 100])
    return (np.diff(time) * (values[1:] + values[:-1]) / 2).sum()


def test_claim_3_averages_over_log_time_from_step_1():
    claims = claims_of(features=made_features(CURVE.get, noise=0))
    mean = trapezoids(np.array([0.2, 0.3, 0.8, 0.9])) / np.log(100)
    found = row(claims, CLAIM_3, "correlation")
    assert found["raw_estimate"] == pytest.approx(mean) and found["estimate"] == pytest.approx((mean - 0.1) / 0.8)
    assert row(claims, CLAIM_2, "correlation")["raw_estimate"] == pytest.approx(0.9)


def test_changes_weigh_by_how_far_the_target_has_moved_layer_by_layer():
    features = made_features(CURVE.get, noise=0)
    still = (features["layer"] == 1) & (features["step"] < 100)  # layer 1 moves at the end only
    moved = features["movement"].mask(still, 0.0)
    found = row(claims_of(features=features.assign(movement=moved)), CLAIM_3, CHANGE)
    second, weights = np.array([0.2, 0.3, 0.8, 0.9]) + 0.05, np.sqrt([1, 4, 32, 100])
    expected = (0.9 - 0.05 + trapezoids(second * weights) / trapezoids(weights)) / 2
    assert found["raw_estimate"] == pytest.approx(expected)


def test_a_layer_that_never_moves_has_no_changes_to_compare():
    features = made_features(0.9)
    moved = features["movement"].mask(features["layer"] == 1, 0.0)
    found = row(claims_of(features=features.assign(movement=moved)), CLAIM_3, CHANGE)
    assert found["n_seeds"] == 0 and found["verdict"] == UNDECIDED


@pytest.mark.parametrize("behind", [0, 100])
def test_changes_are_not_asked_of_what_starts_from_trained_values(behind):
    summary = made_summary(gaps(0), (NONE,))
    summary["total_steps"] += behind * (summary["rewind"] == "none")
    claims = claims_of(summary, made_features(0.9, kind=NONE))
    assert (claims["statistic"] == CHANGE).any() == (behind == 0)
    assert row(claims, CLAIM_3, "correlation")["verdict"] == HOLDS


@pytest.mark.parametrize(("shift", "verdict"), [(0.0, HOLDS), (0.3, HOLDS), (1.0, FAILS), (-1.0, FAILS)])
def test_planted_time_shifts_are_found(shift, verdict):
    claims = claims_of(features=made_features(0.9), shifts=made_shifts(shift))
    found = row(claims, CLAIM_3, "time_shift")
    assert (found["verdict"], found["decides"], found["n_seeds"]) == (verdict, False, 5)
    assert found["estimate"] == pytest.approx(shift, abs=0.1)
    assert (found["null_estimate"], found["ceiling_estimate"]) == pytest.approx((1.5, 0.1), abs=0.1)


def test_there_is_no_time_shift_between_unrelated_networks():
    unrelated = claims_of(features=made_features(0.1), shifts=made_shifts(0.0))
    assert row(unrelated, CLAIM_3, "time_shift")["verdict"] == UNDECIDED


@pytest.mark.parametrize("shift", [0.0, 0.1, 2.0])
def test_shifts_that_tie_on_their_grid_are_undecided(shift):
    found = row(claims_of(features=made_features(0.9), shifts=made_shifts(shift, noise=0)), CLAIM_3, "time_shift")
    assert (found["estimate"], found["verdict"]) == (shift, UNDECIDED) and np.isnan(found["ci_low"])


def test_a_shift_at_its_bound_is_no_estimate():
    shifts = made_shifts(0.0)
    first = (shifts["target"] == "reordered") & (shifts["seed"] == 0) & (shifts["criterion"] == "magnitude")
    claims = claims_of(features=made_features(0.9), shifts=shifts.assign(at_bound=shifts["at_bound"] | first))
    found = row(claims, CLAIM_3, "time_shift")
    assert (found["verdict"], found["n_at_bound"]) == (UNDECIDED, 1) and np.isnan(found["ci_low"])
    assert "In 1 of 1 rows a seed's estimate is only a bound" in describe(claims, RULES)
