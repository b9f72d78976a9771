"""Intervals, verdicts and numbers of seeds, against scipy's tests and by simulation."""

import numpy as np
import pytest
from scipy import stats
from statsmodels.stats.weightstats import DescrStatsW

from featprune.claims.inference import (
    MOST_SEEDS,
    SMALLEST,
    Estimate,
    Sample,
    above,
    level_reached,
    ratio_interval,
    seeds_needed,
    within,
)

LEVEL, POWER = 0.05, 0.8
DRAWS = 2000


def samples(n, draws=DRAWS, mean=0.0, deviation=1.0, seed=0):
    return np.random.default_rng((seed, n)).normal(mean, deviation, (draws, n))


def rate(values, asked):
    """Share of the samples of which it holds."""
    return np.mean([asked(Sample.of(v)).p_holds < LEVEL for v in values])


def standard_error(p, draws=DRAWS):
    return np.sqrt(p * (1 - p) / draws)


# ---- A sample and its mean


@pytest.mark.parametrize("n", [2, 3, 8, 50])
@pytest.mark.parametrize("confidence", [0.9, 0.95])
def test_the_interval_of_a_mean_is_scipys(n, confidence):
    (values,) = samples(n, 1, 3.0, 2.0)
    sample = Sample.of(values)
    expected = stats.ttest_1samp(values, 0).confidence_interval(confidence)
    assert sample.interval(confidence) == pytest.approx((expected.low, expected.high))
    assert (sample.n, sample.mean, sample.deviation) == (
        n,
        pytest.approx(values.mean()),
        pytest.approx(values.std(ddof=1)),
    )


def test_values_that_are_not_finite_are_left_out():
    assert Sample.of([1.0, np.nan, 2.0, np.inf, 4.0]) == Sample.of([1.0, 2.0, 4.0])


def assert_nothing_known(sample):
    assert np.isnan([sample.deviation, *sample.interval(0.9)]).all()
    for evidence in (above(sample, -1e9, POWER), within(sample, 1e9, POWER)):
        assert (evidence.p_holds, evidence.p_fails, evidence.seeds(LEVEL)) == (1, 1, None)


def test_too_few_values_have_no_interval_and_no_answer():
    one, none = Sample.of([2.0]), Sample.of([np.nan])
    assert (one.mean, one.n, none.n) == (2.0, 1, 0) and np.isnan(none.mean)
    assert_nothing_known(one)
    assert_nothing_known(none)


@pytest.mark.parametrize("tie", [[0.0] * 3, [0.5] * 4, [0.1 + 0.2, 0.3, 0.3], [0.0] * 2, [0.0, np.nan, 0.0]])
def test_a_tie_has_no_interval_and_no_answer(tie):
    for same in (False, [False] + [True] * (len(tie) - 1)):
        found = Sample.of(tie, same)
        assert found.mean == np.nanmean(tie)
        assert_nothing_known(found)


def test_a_thing_compared_with_itself_is_certain():
    same = Sample.of([0.0] * 3, same=True)
    assert same.interval(0.9) == (0.0, 0.0) and same.deviation == 0
    for threshold, holds in ((-1, True), (0, False), (1, False)):
        evidence = above(same, threshold, POWER)
        assert (evidence.p_holds, evidence.p_fails) == (float(not holds), float(holds))
    assert (within(same, 1, POWER).p_holds, within(same, 1, POWER).p_fails) == (0, 1)
    # What is lost needn't be the same, and where values differ it doesn't matter.
    assert Sample.of([0.0, np.nan, 0.0], [True, False, True]).deviation == 0
    assert Sample.of([0.0, 0.1, 0.0], [True, False, True]) == Sample.of([0.0, 0.1, 0.0])


# ---- Answers


@pytest.mark.parametrize("n", [3, 6])
def test_equivalence_is_two_one_sided_t_tests(n):
    for values in samples(n, 100, mean=0.3, deviation=0.8):
        evidence = within(Sample.of(values), 1, POWER)
        assert evidence.p_holds == pytest.approx(DescrStatsW(values).ttost_mean(-1, 1)[0])
        outside = [stats.ttest_1samp(values, e, alternative=a).pvalue for e, a in ((1, "greater"), (-1, "less"))]
        assert evidence.p_fails == pytest.approx(min(2 * min(outside), 1))


def test_one_threshold_is_a_one_sided_t_test():
    for values in samples(5, 100, mean=0.5):
        evidence = above(Sample.of(values), 0, POWER)
        for alternative, p in (("greater", evidence.p_holds), ("less", evidence.p_fails)):
            assert stats.ttest_1samp(values, 0, alternative=alternative).pvalue == pytest.approx(p)


@pytest.mark.parametrize("n", [3, 5, 8])
@pytest.mark.parametrize("edge", [-1.0, 1.0])
def test_a_difference_at_the_margin_is_called_equivalent_at_the_level(n, edge):
    quiet, loud = (
        rate(samples(n, mean=edge, deviation=deviation), lambda s: within(s, 1, POWER)) for deviation in (0.1, 1.0)
    )
    assert quiet == pytest.approx(LEVEL, abs=4 * standard_error(LEVEL))
    assert loud < LEVEL + 4 * standard_error(LEVEL)


# ---- Ratios


@pytest.mark.parametrize("n", [3, 8])
def test_fiellers_ends_are_where_the_contrast_is_just_not_told_from_0(n):
    rng = np.random.default_rng(0)
    x, y = 0.5 + 0.1 * rng.standard_normal(n), 1 + 0.1 * rng.standard_normal(n)
    for end, alternative in zip(ratio_interval(x, y, 0.9), ("greater", "less"), strict=True):
        assert stats.ttest_1samp(x - end * y, 0, alternative=alternative).pvalue == pytest.approx(0.05)


def test_fiellers_interval_without_a_denominator_has_no_ends():
    rng = np.random.default_rng(0)
    assert ratio_interval(rng.random(5), rng.standard_normal(5) * 10, 0.9) == (-np.inf, np.inf)
    assert (
        np.isnan(ratio_interval([1.0], [2.0], 0.9)).all() and np.isnan(ratio_interval([1.0] * 3, [2.0] * 3, 0.9)).all()
    )


# ---- Bounds


def normal(mean, deviation):
    return Estimate(
        mean, lambda p: mean - stats.norm.isf(p) * deviation, lambda p: mean + stats.norm.isf(p) * deviation
    )


def test_the_difference_of_normal_estimates_has_the_normal_interval():
    found = normal(3.0, 0.3).minus(normal(1.0, 0.4))
    assert found.value == 2.0
    for level in (0.01, 0.05):
        half = 0.5 * stats.norm.isf(level)
        assert (found.low(level), found.high(level)) == pytest.approx((2 - half, 2 + half))


@pytest.mark.parametrize("mean", [0.5, 1.0, 2.0, 9.0])
def test_a_p_value_is_the_smallest_level_that_shows_it(mean):
    estimate = normal(mean, 1.0)
    assert level_reached(lambda level: estimate.low(level) > 0) == pytest.approx(
        max(stats.norm.sf(mean), SMALLEST), rel=1e-3
    )
    assert level_reached(lambda level: estimate.high(level) < 0) == 1


# ---- How many seeds


def power_of_equivalence(n, margin, deviation):
    """Of two one-sided tests at a true difference of 0, while both can't be missed at once."""
    return 1 - 2 * stats.nct.cdf(stats.t.ppf(1 - LEVEL, n - 1), n - 1, margin / deviation * np.sqrt(n))


@pytest.mark.parametrize("deviation", [0.4, 1.0])
def test_no_difference_is_called_equivalent_with_the_power_planned(deviation):
    n = seeds_needed([1.0, 1.0], deviation, LEVEL, POWER)
    assert power_of_equivalence(n, 1, deviation) >= POWER > power_of_equivalence(n - 1, 1, deviation)
    found = rate(samples(n, deviation=deviation), lambda s: within(s, 1, POWER))
    expected = power_of_equivalence(n, 1, deviation)
    assert found == pytest.approx(expected, abs=4 * standard_error(expected))


@pytest.mark.parametrize("effect", [0.6, 1.0, 2.0])
def test_an_effect_is_found_with_the_power_planned(effect):
    n = seeds_needed([effect], 1.0, LEVEL, POWER)
    found, fewer = (rate(samples(m, mean=effect), lambda s: above(s, 0, POWER)) for m in (n, n - 2))
    assert fewer < POWER - 2 * standard_error(POWER) < POWER - standard_error(POWER) < found


def test_where_no_number_of_seeds_is_known_there_is_none():
    assert seeds_needed([0.0], 1.0, LEVEL, POWER) is None
    assert seeds_needed([1.0, -0.1], 1.0, LEVEL, POWER) is None
    assert seeds_needed([np.nan], 1.0, LEVEL, POWER) is None and seeds_needed([1.0], np.nan, LEVEL, POWER) is None
    needed = (2.4865 / 0.1) ** 2  # (z_0.95 + z_0.8)^2 / effect^2, of the normal distribution
    assert seeds_needed([0.1], 1.0, LEVEL, POWER) == pytest.approx(needed, rel=0.01)
    assert MOST_SEEDS < (2.4865 / 0.05) ** 2 and seeds_needed([0.05], 1.0, LEVEL, POWER) is None
    assert seeds_needed([1.0], 0.0, LEVEL, POWER) == 2
