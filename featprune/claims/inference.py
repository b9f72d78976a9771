"""Evidence: what a sample says of a question, and the seeds that an answer takes. docs/method.md states the rules; the
tests are scipy's and statsmodels' own."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy import stats
from statsmodels.stats.power import TTestPower

from featprune.tables.frames import TIE

MOST_SEEDS = 1000  # that `seeds_needed` looks at
SMALLEST = 1e-6  # level that `level_reached` looks at


@dataclass(frozen=True)
class Evidence:
    """One-sided p values of a question's two answers, 1 where nothing can be tested.

    seeds: of a level, how many seeds would give an answer at it; None where it isn't known.
    """

    p_holds: float = 1.0
    p_fails: float = 1.0
    seeds: Callable[[float], int | None] = lambda level: None


@dataclass(frozen=True)
class Sample:
    """Finite values, one a seed. deviation: NaN where too few, or a tie, tell none; 0 where all are surely the same."""

    mean: float
    deviation: float
    n: int

    @staticmethod
    def of(values: ArrayLike, same: ArrayLike = False) -> Sample:
        """The finite ones of values (n,).

        same: whether a value compares a thing with itself, (n,) or one for all. Only then is a tie of all values
        certain; coarse numbers tie without that, and say nothing of their spread.
        """
        sample = np.asarray(values, float)
        finite = np.isfinite(sample)
        certain = bool(np.broadcast_to(same, sample.shape)[finite].all())
        sample = sample[finite]
        if len(sample) < 2:
            return Sample(float(sample.mean()) if len(sample) else np.nan, np.nan, len(sample))
        deviation = float(sample.std(ddof=1))
        if deviation < TIE:
            deviation = 0.0 if certain else np.nan
        return Sample(float(sample.mean()), deviation, len(sample))

    def interval(self, confidence: float) -> tuple[float, float]:
        """Of the mean, by Student's t."""
        if not self.deviation > 0:
            return self.mean + self.deviation, self.mean + self.deviation
        low, high = stats.t.interval(confidence, self.n - 1, self.mean, self.deviation / np.sqrt(self.n))
        return float(low), float(high)

    def p_above(self, threshold: float) -> float:
        """p of the one-sided t test of a mean above a threshold; 1 where nothing can be tested."""
        if np.isnan(self.deviation):
            return 1.0
        if self.deviation == 0:
            return float(self.mean <= threshold)
        return float(stats.t.sf((self.mean - threshold) / self.deviation * np.sqrt(self.n), self.n - 1))

    def p_below(self, threshold: float) -> float:
        """p of the one-sided t test of a mean below a threshold (not above, where all is certain)."""
        return 1.0 if np.isnan(self.deviation) else 1 - self.p_above(threshold)


def above(sample: Sample, threshold: float, power: float) -> Evidence:
    """On "the mean is above the threshold"; it fails where the mean is shown to be below."""
    return Evidence(
        sample.p_above(threshold),
        sample.p_below(threshold),
        lambda level: seeds_needed([abs(sample.mean - threshold)], sample.deviation, level, power),
    )


def within(sample: Sample, margin: float, power: float) -> Evidence:
    """On "the mean is within ±margin": two one-sided tests (Schuirmann 1987); it fails on one side or the other."""
    inside = margin - abs(sample.mean)
    distances = [margin - sample.mean, margin + sample.mean] if inside > 0 else [-inside]
    return Evidence(
        max(sample.p_above(-margin), sample.p_below(margin)),
        min(2 * min(sample.p_below(-margin), sample.p_above(margin)), 1.0),
        lambda level: seeds_needed(distances, sample.deviation, level, power),
    )


def seeds_needed(distances: list[float], deviation: float, level: float, power: float) -> int | None:
    """Seeds at which one-sided t tests of means these distances from their thresholds all succeed, with this power.

    By the noncentral t distribution; several tests by Bonferroni's bound. None: more than MOST_SEEDS, or not known.
    """
    if not np.isfinite([deviation, *distances]).all() or min(distances) <= 0:
        return None
    if deviation == 0:
        return 2
    n = np.arange(2, MOST_SEEDS + 1)
    missed = sum(1 - TTestPower().power(d / deviation, n, level, alternative="larger") for d in distances)
    enough = np.flatnonzero(missed <= 1 - power)
    return int(n[enough[0]]) if len(enough) else None


def fewest(numbers: Iterable[int | None]) -> int | None:
    """The smallest of the numbers that are known."""
    return min((number for number in numbers if number is not None), default=None)


def ratio_interval(above: ArrayLike, below: ArrayLike, confidence: float) -> tuple[float, float]:
    """Fieller's (1954) interval of the ratio of two means, from paired samples (n,).

    From -inf to inf where the lower mean isn't told apart from 0, and NaN where there is nothing to tell.
    """
    values = np.stack([above, below]).astype(float)
    n = values.shape[1]
    if n < 2 or (values.std(axis=1, ddof=1) < TIE).all():
        return np.nan, np.nan
    mean = values.mean(axis=1)
    spread = np.cov(values) * stats.t.isf((1 - confidence) / 2, n - 1) ** 2 / n
    # The ratios r at which the mean of above - r below isn't told apart from 0: c r^2 - 2 b r + a <= 0.
    (a, b), (_, c) = np.outer(mean, mean) - spread
    if c <= 0:
        return -np.inf, np.inf
    half = np.sqrt(max(b * b - a * c, 0.0))
    return float((b - half) / c), float((b + half) / c)


@dataclass(frozen=True)
class Estimate:
    """A number with its one-sided confidence bounds, functions of the level."""

    value: float
    low: Callable[[float], float]
    high: Callable[[float], float]

    def minus(self, other: Estimate) -> Estimate:
        """The difference, by the method of variance estimates recovery (Zou & Donner 2008), as of independent ones."""
        value = self.value - other.value
        return Estimate(
            value,
            lambda level: value - float(np.hypot(self.value - self.low(level), other.high(level) - other.value)),
            lambda level: value + float(np.hypot(self.high(level) - self.value, other.value - other.low(level))),
        )


def level_reached(shown: Callable[[float], bool]) -> float:
    """The smallest level at which something is shown, from SMALLEST on; 1 if not even at a half."""
    if not shown(0.5):
        return 1.0
    low, high = np.log(SMALLEST), np.log(0.5)
    while high - low > 1e-4:
        middle = (low + high) / 2
        low, high = (low, middle) if shown(float(np.exp(middle))) else (middle, high)
    return float(np.exp(high))
