"""Intervals, verdicts and the seeds a verdict takes. docs/method.md states the rules; the tests are scipy's and
statsmodels' own."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy import stats
from statsmodels.stats.power import TTestPower

from featprune.claims.rules import Rules
from featprune.claims.verdicts import FAILS, HOLDS, UNDECIDED
from featprune.tables.frames import TIE

MIN_BOOTSTRAP = 3  # seeds: two have three distinct resamples
MOST_SEEDS = 1000  # that `seeds_needed` looks at


@dataclass(frozen=True)
class Interval:
    """An estimate with its interval; `deviation` is that of one seed. NaN where too few seeds, or a tie, tell none."""

    estimate: float
    low: float
    high: float
    n: int
    deviation: float

    def within(self, low: float, high: float) -> str:
        """Verdict on "the truth is between low and high": two one-sided tests, by inclusion of the interval."""
        if low < self.low and self.high < high:
            return HOLDS
        return FAILS if self.high <= low or self.low >= high else UNDECIDED


def unknown(estimate: float, n: int) -> Interval:
    """An estimate of which nothing is known but itself: it gives no verdict."""
    return Interval(estimate, np.nan, np.nan, n, np.nan)


def mean_interval(values: ArrayLike, confidence: float, same: ArrayLike = False) -> Interval:
    """Mean of a sample (n,), finite values only, with its Student-t interval.

    same: whether a value compares a thing with itself, (n,) or one for all. Only then is a tie of all values certain,
    and the interval their point; coarse numbers tie without that, so they have none.
    """
    sample = np.asarray(values, float)
    finite = np.isfinite(sample)
    certain = bool(np.broadcast_to(same, sample.shape)[finite].all())
    sample = sample[finite]
    n = len(sample)
    if n < 2:
        return unknown(float(sample.mean()) if n else np.nan, n)
    mean, deviation = float(sample.mean()), float(sample.std(ddof=1))
    if deviation < TIE:
        return Interval(mean, mean, mean, n, 0.0) if certain else unknown(mean, n)
    low, high = stats.t.interval(confidence, n - 1, mean, deviation / np.sqrt(n))
    return Interval(mean, float(low), float(high), n, deviation)


def bootstrap_interval(
    statistic: Callable[[np.ndarray], float], seeds: int, confidence: float, resamples: int
) -> Interval:
    """A statistic of the indices of seeds, with its interval from resampled seeds.

    Student's t times the bootstrap's standard error, times sqrt(n / (n - 1)), which a bootstrap of few seeds lacks
    (Efron & Tibshirani 1993, ch. 12; Hesterberg 2015): intervals of the resamples' quantiles cover far too little.
    """
    estimate = float(statistic(np.arange(seeds)))
    if seeds < 2 or not np.isfinite(estimate):
        return unknown(estimate, seeds)
    result = stats.bootstrap(
        (np.arange(seeds),),
        statistic,
        n_resamples=resamples,
        vectorized=False,
        method="percentile",
        rng=np.random.default_rng(0),
    )
    # A resample may leave nothing to take a share of.
    resampled = result.bootstrap_distribution[np.isfinite(result.bootstrap_distribution)]
    error = float(resampled.std(ddof=1)) * np.sqrt(seeds / (seeds - 1)) if len(resampled) > resamples / 2 else np.nan
    half = float(stats.t.ppf((1 + confidence) / 2, seeds - 1)) * error
    return Interval(estimate, estimate - half, estimate + half, seeds, error * np.sqrt(seeds))


def seeds_needed(
    distances: list[float], deviation: float, level: float, power: float, alternative: str = "larger"
) -> int | None:
    """Seeds at which t tests of means these distances from their thresholds all succeed with probability `power`.

    By the noncentral t distribution; several tests by Bonferroni's bound. None: more than MOST_SEEDS, or not known.
    """
    if not np.isfinite([deviation, *distances]).all() or min(distances) <= 0:
        return None
    if deviation == 0:
        return 2
    n = np.arange(2, MOST_SEEDS + 1)
    missed = sum(1 - TTestPower().power(d / deviation, n, level, alternative=alternative) for d in distances)
    enough = np.flatnonzero(missed <= 1 - power)
    return int(n[enough[0]]) if len(enough) else None


def seeds_for_equivalence(interval: Interval, margin: float, rules: Rules) -> int | None:
    """Seeds for an equivalence test; where the estimate is outside the margin, for showing that it is."""
    inside = margin - abs(interval.estimate)
    distances = [margin - interval.estimate, margin + interval.estimate] if inside > 0 else [-inside]
    return seeds_needed(distances, interval.deviation, rules.level, rules.power)


def seeds_for_threshold(interval: Interval, threshold: float, rules: Rules) -> int | None:
    """Seeds for showing on which side of a threshold the estimate is."""
    return seeds_needed([abs(interval.estimate - threshold)], interval.deviation, rules.level, rules.power)
