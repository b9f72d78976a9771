"""Intervals, verdicts and numbers of seeds, against scipy's tests and by simulation."""

import numpy as np
import pytest
from scipy import stats
from statsmodels.stats.weightstats import DescrStatsW

from featprune.claims.inference import MOST_SEEDS, Interval, bootstrap_interval, mean_interval, seeds_needed
from featprune.claims.verdicts import FAILS, HOLDS, UNDECIDED

LEVEL, POWER = 0.05, 0.8
DRAWS = 2000


def samples(n, draws=DRAWS, mean=0.0, deviation=1.0, seed=0):
    return np.random.default_rng((seed, n)).normal(mean, deviation, (draws, n))


def intervals(values, confidence=1 - 2 * LEVEL):
    return [mean_interval(v, confidence) for v in values]


def rate(verdicts, wanted=HOLDS):
    """Share of the verdicts that are the wanted one."""
    return np.mean([verdict == wanted for verdict in verdicts])


def standard_error(p, draws=DRAWS):
    return np.sqrt(p * (1 - p) / draws)


# ---- The interval of a mean


@pytest.mark.parametrize("n", [2, 3, 8, 50])
@pytest.mark.parametrize("confidence", [0.9, 0.95])
def test_the_interval_of_a_mean_is_scipys(n, confidence):
    (values,) = samples(n, 1, 3.0, 2.0)
    interval = mean_interval(values, confidence)
    expected = stats.ttest_1samp(values, 0).confidence_interval(confidence)
    assert (interval.low, interval.high) == pytest.approx((expected.low, expected.high))
    assert (interval.n, interval.estimate) == (n, pytest.approx(values.mean()))
    assert interval.deviation == pytest.approx(values.std(ddof=1))


def test_values_that_are_not_finite_are_left_out():
    assert mean_interval([1.0, np.nan, 2.0, np.inf, 4.0], 0.9) == mean_interval([1.0, 2.0, 4.0], 0.9)


def test_too_few_values_have_no_interval_and_no_verdict():
    one, none = mean_interval([2.0], 0.9), mean_interval([np.nan], 0.9)
    assert (one.estimate, one.n, none.n) == (2.0, 1, 0) and np.isnan(none.estimate)
    assert np.isnan([one.low, one.high, one.deviation, none.low, none.high, none.deviation]).all()
    assert one.within(0, 3) == none.within(0, 3) == UNDECIDED


@pytest.mark.parametrize("tie", [[0.0] * 3, [0.5] * 4, [0.1 + 0.2, 0.3, 0.3], [0.0] * 2, [0.0, np.nan, 0.0]])
def test_a_tie_has_no_interval_and_no_verdict(tie):
    for same in (False, [False] + [True] * (len(tie) - 1)):
        found = mean_interval(tie, 0.9, same)
        assert np.isnan([found.low, found.high, found.deviation]).all() and found.estimate == np.nanmean(tie)
        assert found.within(-1, 1) == found.within(0.6, 1) == UNDECIDED


def test_a_thing_compared_with_itself_is_certain():
    same = mean_interval([0.0] * 3, 0.9, same=True)
    assert (same.low, same.high, same.deviation) == (0.0, 0.0, 0.0)
    assert (same.within(-1, 1), same.within(0.6, 1)) == (HOLDS, FAILS)
    # What is lost needn't be the same, and where values differ it doesn't matter.
    assert mean_interval([0.0, np.nan, 0.0], 0.9, [True, False, True]).within(-1, 1) == HOLDS
    assert mean_interval([0.0, 0.1, 0.0], 0.9, [True, False, True]) == mean_interval([0.0, 0.1, 0.0], 0.9)


@pytest.mark.parametrize("n", [3, 5, 8])
def test_the_interval_of_a_mean_covers_as_often_as_it_says(n):
    covered = np.mean([i.low < 1 < i.high for i in intervals(samples(n, mean=1.0), 0.95)])
    assert covered == pytest.approx(0.95, abs=4 * standard_error(0.95))


# ---- Verdicts


@pytest.mark.parametrize(
    ("low", "high", "verdict"),
    [(-0.5, 0.5, HOLDS), (1.2, 2, FAILS), (-3, -1.1, FAILS), (0.5, 1.5, UNDECIDED), (-2, 2, UNDECIDED)],
)
def test_verdicts_are_read_from_the_interval(low, high, verdict):
    assert Interval(0, low, high, 5, 1).within(-1, 1) == verdict


def test_an_interval_that_touches_the_edge_does_not_hold():
    assert Interval(0, -1, 0.5, 5, 1).within(-1, 1) == UNDECIDED
    assert Interval(2, 1, 3, 5, 1).within(-1, 1) == FAILS


@pytest.mark.parametrize("n", [3, 6])
def test_equivalence_is_two_one_sided_t_tests(n):
    for values in samples(n, 200, mean=0.3, deviation=0.8):
        p = DescrStatsW(values).ttost_mean(-1, 1)[0]
        assert (mean_interval(values, 1 - 2 * LEVEL).within(-1, 1) == HOLDS) == (p < LEVEL)


def test_one_threshold_is_a_one_sided_t_test():
    for values in samples(5, 200, mean=0.5):
        interval = mean_interval(values, 1 - 2 * LEVEL)
        for alternative, verdict in (("greater", HOLDS), ("less", FAILS)):
            p = stats.ttest_1samp(values, 0, alternative=alternative).pvalue
            assert (interval.within(0, np.inf) == verdict) == (p < LEVEL)


@pytest.mark.parametrize("n", [3, 5, 8])
@pytest.mark.parametrize("edge", [-1.0, 1.0])
def test_a_difference_at_the_margin_is_called_equivalent_at_the_level(n, edge):
    quiet, loud = (
        rate(i.within(-1, 1) for i in intervals(samples(n, mean=edge, deviation=deviation))) for deviation in (0.1, 1.0)
    )
    assert quiet == pytest.approx(LEVEL, abs=4 * standard_error(LEVEL))
    assert loud < LEVEL + 4 * standard_error(LEVEL)


# ---- How many seeds


def power_of_equivalence(n, margin, deviation):
    """Of two one-sided tests at a true difference of 0, while both can't be missed at once."""
    return 1 - 2 * stats.nct.cdf(stats.t.ppf(1 - LEVEL, n - 1), n - 1, margin / deviation * np.sqrt(n))


@pytest.mark.parametrize("deviation", [0.4, 1.0])
def test_no_difference_is_called_equivalent_with_the_power_planned(deviation):
    n = seeds_needed([1.0, 1.0], deviation, LEVEL, POWER)
    assert power_of_equivalence(n, 1, deviation) >= POWER > power_of_equivalence(n - 1, 1, deviation)
    found = rate(i.within(-1, 1) for i in intervals(samples(n, deviation=deviation)))
    expected = power_of_equivalence(n, 1, deviation)
    assert found == pytest.approx(expected, abs=4 * standard_error(expected))


@pytest.mark.parametrize("effect", [0.6, 1.0, 2.0])
def test_an_effect_is_found_with_the_power_planned(effect):
    n = seeds_needed([effect], 1.0, LEVEL, POWER)
    found, fewer = (rate(i.within(0, np.inf) for i in intervals(samples(m, mean=effect))) for m in (n, n - 2))
    assert fewer < POWER - 2 * standard_error(POWER) < POWER - standard_error(POWER) < found


def test_a_two_sided_test_needs_as_many_seeds_as_its_noncentral_t_says():
    def power(n, effect=0.9):
        edge, shift = stats.t.ppf(1 - LEVEL / 2, n - 1), effect * np.sqrt(n)
        return stats.nct.sf(edge, n - 1, shift) + stats.nct.cdf(-edge, n - 1, shift)

    n = seeds_needed([0.9], 1.0, LEVEL, POWER, "two-sided")
    assert power(n) >= POWER > power(n - 1)
    assert seeds_needed([1.8], 2.0, LEVEL, POWER, "two-sided") == n > seeds_needed([0.9], 1.0, LEVEL, POWER)


def test_where_no_number_of_seeds_is_known_there_is_none():
    assert seeds_needed([0.0], 1.0, LEVEL, POWER) is None
    assert seeds_needed([1.0, -0.1], 1.0, LEVEL, POWER) is None
    assert seeds_needed([np.nan], 1.0, LEVEL, POWER) is None and seeds_needed([1.0], np.nan, LEVEL, POWER) is None
    needed = (2.4865 / 0.1) ** 2  # (z_0.95 + z_0.8)^2 / effect^2, of the normal distribution
    assert seeds_needed([0.1], 1.0, LEVEL, POWER) == pytest.approx(needed, rel=0.01)
    assert MOST_SEEDS < (2.4865 / 0.05) ** 2 and seeds_needed([0.05], 1.0, LEVEL, POWER) is None
    assert seeds_needed([1.0], 0.0, LEVEL, POWER) == 2


# ---- Bootstrap


@pytest.mark.parametrize("n", [3, 5, 8])
def test_the_bootstrap_of_a_mean_covers(n):
    values = samples(n, 300, mean=1.0)
    found = [bootstrap_interval(lambda index, v=v: v[index.astype(int)].mean(), n, 0.95, 200) for v in values]
    assert np.mean([i.low < 1 < i.high for i in found]) >= 0.9


def test_the_bootstrap_of_a_mean_is_nearly_students_interval():
    (values,) = samples(6, 1)
    found = bootstrap_interval(lambda index: values[index.astype(int)].mean(), 6, 0.95, 5000)
    expected = mean_interval(values, 0.95)
    assert (found.estimate, found.n) == (pytest.approx(expected.estimate), 6)
    assert found.high - found.low == pytest.approx(expected.high - expected.low, rel=0.05)
    assert found.deviation == pytest.approx(expected.deviation, rel=0.05)


def test_the_bootstrap_gives_the_same_twice_and_nothing_for_one_seed():
    values = samples(5, 1)[0]
    twice = [bootstrap_interval(lambda index: np.median(values[index.astype(int)]), 5, 0.95, 100) for _ in range(2)]
    assert twice[0] == twice[1]
    one = bootstrap_interval(lambda index: 3.0, 1, 0.95, 100)
    assert one.estimate == 3 and np.isnan([one.low, one.high]).all() and one.within(0, 9) == UNDECIDED
