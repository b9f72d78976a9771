"""Claim 2: planted similarities get the verdicts they should (those that claim 3 shares are tested for both)."""

import itertools

import numpy as np
import pytest
from scipy import stats

from featprune.claims.text import describe
from featprune.claims.verdicts import CLAIM_2, CLAIM_3, FAILS, HOLDS, UNDECIDED
from featprune.tables.frames import CHANGE, MEASURES
from tests.unit.claims.claim_tables import (
    CEILING,
    NULL,
    RULES,
    TICKET,
    claims_of,
    made_features,
    row,
)


@pytest.mark.parametrize(("value", "verdict"), [(0.9, HOLDS), (0.95, HOLDS), (0.1, FAILS), (0.5, FAILS)])
@pytest.mark.parametrize(("claim", "deciding"), [(CLAIM_2, "correlation"), (CLAIM_3, CHANGE)])
def test_planted_similarities_are_found_by_every_measure(claim, deciding, value, verdict):
    claims = claims_of(features=made_features(value))
    for measure in MEASURES if claim == CLAIM_2 else ("correlation", CHANGE):
        found = row(claims, claim, measure)
        assert found["verdict"] == verdict and found["decides"] == (measure == deciding)
        assert found["estimate"] == pytest.approx((value - 0.1) / 0.8, abs=0.03)


def hidden_means(features, measure="correlation"):
    """By hand: value, null and ceiling by seed, at the last step, against the reordered run."""
    last = features[(features["step"] == 100) & (features["layer"] < 3) & (features["target"] == "reordered")]
    sides = (last[(last["criterion"] == kind[0]) & (last["rewind"] == kind[1])] for kind in (TICKET, NULL, CEILING))
    return [side.groupby("seed")[measure].mean().to_numpy() for side in sides]


def test_the_estimate_is_the_ratio_of_means_and_the_test_that_of_the_contrast():
    features = made_features(0.7, noise=0.1)
    found = row(claims_of(features=features), CLAIM_2, "correlation")
    value, low, high = hidden_means(features)
    assert found["estimate"] == pytest.approx((value - low).mean() / (high - low).mean())
    contrast = value - low - 0.8 * (high - low)
    for alternative, p in (("greater", "p_holds"), ("less", "p_fails")):
        assert found[p] == pytest.approx(stats.ttest_1samp(contrast, 0, alternative=alternative).pvalue)
    estimates = [found[f"{name}_estimate"] for name in ("raw", "null", "ceiling")]
    assert estimates == pytest.approx([value.mean(), low.mean(), high.mean()])
    # Fieller's ends are the ratios at which the contrast is just not told apart from 0.
    for end, alternative in ((found["ci_low"], "greater"), (found["ci_high"], "less")):
        contrast = value - low - end * (high - low)
        assert stats.ttest_1samp(contrast, 0, alternative=alternative).pvalue == pytest.approx(0.05)


def test_where_less_is_more_alike_the_test_is_turned_around():
    features = made_features(0.75, noise=0.02)
    value, low, high = hidden_means(features, "frobenius")
    found = row(claims_of(features=features), CLAIM_2, "frobenius")
    contrast = value - low - 0.8 * (high - low)
    assert found["p_holds"] == pytest.approx(stats.ttest_1samp(contrast, 0, alternative="less").pvalue)
    assert found["ci_low"] < found["estimate"] < found["ci_high"]


def test_the_parent_is_told_beside_with_a_null_and_a_ceiling_of_its_own():
    found = row(claims_of(features=made_features(0.1, parent=1.0)), CLAIM_2, "parent_correlation")
    assert (found["verdict"], found["decides"]) == (HOLDS, False)
    sides = [found[f"{name}_estimate"] for name in ("null", "ceiling")]
    assert sides == pytest.approx([0.2, 0.8], abs=0.01)


def test_near_the_threshold_it_takes_more_seeds():
    found = row(claims_of(features=made_features(0.72, noise=0.1)), CLAIM_2, "correlation")
    assert found["verdict"] == UNDECIDED and found["seeds_needed"] > 5


@pytest.mark.parametrize("ceiling", [0.1, 0.05])
def test_a_ceiling_that_is_not_above_the_null_decides_nothing(ceiling):
    claims = claims_of(features=made_features(0.1, null=0.1, ceiling=ceiling, noise=0.02))
    rows = claims[claims["statistic"].isin(MEASURES)]
    assert len(rows) == len(MEASURES) + 2 and (rows["verdict"] == UNDECIDED).all()
    # Equal references may be found apart by one of many measures, and then seeds would help.
    assert ceiling == 0.1 or rows["seeds_needed"].isna().all()
    assert ceiling == 0.05 or np.isinf(rows["ci_low"]).any()
    assert "unbounded" in describe(claims, RULES) or ceiling == 0.05


def test_a_feature_that_the_pruned_network_lacks_counts_as_zero():
    full, halved = (claims_of(features=made_features(0.8, noise=0, dead=2, shared=shared)) for shared in (8, 4))
    assert row(full, CLAIM_2, "correlation")["raw_estimate"] == pytest.approx(0.8)
    pairs = [*itertools.product([CLAIM_2], MEASURES), (CLAIM_3, "correlation"), (CLAIM_3, CHANGE)]
    for claim, measure in pairs:
        before, after = (row(claims, claim, measure)["raw_estimate"] for claims in (full, halved))
        factor = 0.5 if measure in ("correlation", "assigned_correlation", CHANGE) else 1
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
    claims = claims_of(features=features)
    for claim in (CLAIM_2, CLAIM_3):
        found = row(claims, claim, "correlation")
        assert (found["n_seeds"], found["verdict"]) == (4, HOLDS)


@pytest.mark.parametrize("kind", [TICKET, CEILING, NULL])
def test_features_of_a_network_that_diverged_are_left_out(kind):
    features = made_features(0.9)
    lost = (features["rewind"] == kind[1]) & (features["seed"] == 2) & (features["step"] > 1)
    nothing = dict.fromkeys(MEASURES, np.nan) | {"shared": 0, "dead": 10}
    for column, value in nothing.items():
        features[column] = features[column].mask(lost, value)
    assert row(claims_of(features=features), CLAIM_2, "correlation")["n_seeds"] == 4
