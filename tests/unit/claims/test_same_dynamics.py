"""Claim 3: features along time, and the time shift beside it."""

import numpy as np
import pytest

from featprune.claims.verdicts import CLAIM_2, CLAIM_3, FAILS, HOLDS, UNDECIDED
from tests.unit.claims.claim_tables import (
    claims_of,
    made_features,
    made_shifts,
    row,
)


def test_claim_3_averages_over_log_time_from_step_1():
    curve = {0: np.nan, 1: 0.2, 4: 0.3, 32: 0.8, 100: 0.9}
    features = made_features(curve.get, noise=0)
    claims = claims_of(features=features)
    time, values = np.log([1, 4, 32, 100]), np.array([0.2, 0.3, 0.8, 0.9])
    mean = (np.diff(time) * (values[1:] + values[:-1]) / 2).sum() / time[-1]
    found = row(claims, CLAIM_3, "correlation")
    assert found["raw_estimate"] == pytest.approx(mean) and found["estimate"] == pytest.approx((mean - 0.1) / 0.8)
    assert row(claims, CLAIM_2, "correlation")["raw_estimate"] == pytest.approx(0.9)


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


def test_the_same_features_have_no_shift():
    shifts = made_shifts(0.0, noise=0).assign(correlation=1 - 1e-15)
    found = row(claims_of(features=made_features(0.9), shifts=shifts), CLAIM_3, "time_shift")
    assert (found["ci_low"], found["ci_high"], found["verdict"]) == (0, 0, HOLDS)
