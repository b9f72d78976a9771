"""Claim 2: planted similarities get the verdicts they should (those that claim 3 shares are tested for both)."""

import itertools

import numpy as np
import pytest
from scipy import stats

from featprune.claims.verdicts import CLAIM_2, CLAIM_3, FAILS, HOLDS, UNDECIDED
from featprune.tables.frames import MEASURES
from tests.unit.claims.claim_tables import (
    CEILING,
    NULL,
    TICKET,
    claims_of,
    made_features,
    row,
)


@pytest.mark.parametrize(("value", "verdict"), [(0.9, HOLDS), (0.95, HOLDS), (0.1, FAILS), (0.5, FAILS)])
@pytest.mark.parametrize("claim", [CLAIM_2, CLAIM_3])
def test_planted_similarities_are_found_by_every_measure(claim, value, verdict):
    claims = claims_of(features=made_features(value))
    for measure in MEASURES:
        found = row(claims, claim, measure)
        assert found["verdict"] == verdict and found["decides"] == (measure == "correlation")
        assert found["estimate"] == pytest.approx((value - 0.1) / 0.8, abs=0.03)


def test_a_similarity_is_scaled_seed_by_seed_between_null_and_ceiling():
    features = made_features(0.7, noise=0.1)
    found = row(claims_of(features=features), CLAIM_2, "correlation")
    hidden = features[(features["step"] == 100) & (features["layer"] < 3)]
    value, low, high = (
        hidden[hidden["rewind"] == kind[1]].groupby("seed")["correlation"].mean() for kind in (TICKET, NULL, CEILING)
    )
    share = (value - low) / (high - low)
    expected = stats.ttest_1samp(share, 0).confidence_interval(0.9)
    assert found["estimate"] == pytest.approx(share.mean())
    assert (found["ci_low"], found["ci_high"]) == pytest.approx((expected.low, expected.high))
    estimates = [found[f"{name}_estimate"] for name in ("raw", "null", "ceiling")]
    assert estimates == pytest.approx([value.mean(), low.mean(), high.mean()])


def test_near_the_threshold_it_takes_more_seeds():
    found = row(claims_of(features=made_features(0.72, noise=0.1)), CLAIM_2, "correlation")
    assert found["verdict"] == UNDECIDED and found["seeds_needed"] > 5


@pytest.mark.parametrize("ceiling", [0.1, 0.05])
def test_a_ceiling_that_is_not_above_the_null_decides_nothing(ceiling):
    claims = claims_of(features=made_features(0.1, null=0.1, ceiling=ceiling, noise=0.02))
    rows = claims[claims["statistic"].isin(MEASURES)]
    assert len(rows) == 2 * len(MEASURES) and (rows["verdict"] == UNDECIDED).all()
    # Equal references may be found apart by one of many measures, and then seeds would help.
    assert ceiling == 0.1 or rows["seeds_needed"].isna().all()


def test_a_feature_that_the_pruned_network_lacks_counts_as_zero():
    full, halved = (claims_of(features=made_features(0.8, noise=0, dead=2, shared=shared)) for shared in (8, 4))
    assert row(full, CLAIM_2, "correlation")["raw_estimate"] == pytest.approx(0.8)
    for claim, measure in itertools.product((CLAIM_2, CLAIM_3), MEASURES):
        before, after = (row(claims, claim, measure)["raw_estimate"] for claims in (full, halved))
        factor = 0.5 if measure in ("correlation", "assigned_correlation") else 1
        assert after == pytest.approx(factor * before)


def test_without_a_shared_feature_the_similarity_is_zero():
    features = made_features(0.8, shared=0)
    matched = ["correlation", "assigned_correlation"]
    features[matched] = features[matched].mask(features["shared"] == 0)
    found = row(claims_of(features=features), CLAIM_2, "correlation")
    assert found["raw_estimate"] == 0 and found["verdict"] == FAILS


def test_a_seed_without_a_similarity_is_left_out():
    features = made_features(0.9)
    lost = (features["rewind"] == "init") & (features["seed"] == 2) & (features["step"] > 1)
    features["correlation"] = features["correlation"].mask(lost)
    for claim in (CLAIM_2, CLAIM_3):
        found = row(claims_of(features=features), claim, "correlation")
        assert (found["n_seeds"], found["verdict"]) == (4, HOLDS)


@pytest.mark.parametrize("kind", [TICKET, CEILING, NULL])
def test_features_of_a_network_that_diverged_are_left_out(kind):
    features = made_features(0.9)
    lost = (features["rewind"] == kind[1]) & (features["seed"] == 2) & (features["step"] > 1)
    nothing = dict.fromkeys(MEASURES, np.nan) | {"shared": 0, "dead": 10}
    for column, value in nothing.items():
        features[column] = features[column].mask(lost, value)
    assert row(claims_of(features=features), CLAIM_2, "correlation")["n_seeds"] == 4
