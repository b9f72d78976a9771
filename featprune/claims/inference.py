"""Intervals, verdicts and the seeds a verdict takes. docs/method.md states the rules; the tests are scipy's and
statsmodels' own."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy import stats
from statsmodels.stats.power import TTestPower

from featprune.claims.verdicts import FAILS, HOLDS, UNDECIDED

MIN_BOOTSTRAP = 3  # seeds: two have three distinct resamples
MOST_SEEDS = 1000  # that `seeds_needed` looks at
TIE = 1e-12  # a deviation that is rounding


@dataclass(frozen=True)
class Interval:
    """An estimate with its interval; `deviation` is that of one seed. NaN where there are too few seeds."""

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


def mean_interval(values: np.ndarray, confidence: float) -> Interval:
    """Mean of a sample, finite values only, with its Student-t interval."""
    values = np.asarray(values, float)
    values = values[np.isfinite(values)]
    n = len(values)
    if n < 2:
        return Interval(float(values.mean()) if n else np.nan, np.nan, np.nan, n, np.nan)
    mean, deviation = float(values.mean()), float(values.std(ddof=1))
    if deviation < TIE:
        # As when two networks are the same; else it is a tie of coarse numbers, which says nothing of their spread.
        edge = mean if abs(mean) < TIE and n > 2 else np.nan
        return Interval(mean, edge, edge, n, 0.0)
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
        return Interval(estimate, np.nan, np.nan, seeds, np.nan)
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


@dataclass(frozen=True)
class Decomposition:
    """Sums of squares over the means of seeds, each corrected for the seeds' noise but for `noise`."""

    alpha: float
    density: float
    interaction: float
    interaction_noise: float  # what noise alone adds to the interaction's sum of squares
    alpha_noise: float

    @property
    def interaction_of_alpha(self) -> float:
        """How much of what alpha does depends on density."""
        return _share(self.interaction, self.alpha)

    @property
    def interaction_total(self) -> float:
        """The interaction's share of all that alpha and density do."""
        return _share(self.interaction, self.alpha + self.density)

    @property
    def noise_share(self) -> float:
        """What the seeds' noise in the interaction adds to `interaction_of_alpha` where it isn't taken off."""
        return _share(self.interaction_noise, self.interaction + self.alpha + self.alpha_noise)


def _share(part: float, rest: float) -> float:
    return part / (part + rest) if part + rest > 0 else np.nan


def decompose(values: np.ndarray) -> Decomposition:
    """Two-way analysis of variance of values (alphas, densities, seeds), seeds being blocks (Fisher 1935).

    A sum of squares has its degrees of freedom times the residual mean square taken off, and is at least 0.
    """
    a, d, n = values.shape
    mean = values.mean(axis=(0, 1, 2), keepdims=True)
    of_alpha = values.mean(axis=(1, 2), keepdims=True) - mean
    of_density = values.mean(axis=(0, 2), keepdims=True) - mean
    of_seed = values.mean(axis=(0, 1), keepdims=True) - mean
    cells = values.mean(axis=2, keepdims=True) - mean
    interaction = cells - of_alpha - of_density
    residual = values - mean - cells - of_seed
    noise = (residual**2).sum() / ((a * d - 1) * (n - 1)) if n > 1 else 0.0

    def corrected(effect: np.ndarray, freedom: int) -> float:
        return max(float((effect**2).sum()) * values.size / effect.size - freedom * noise, 0.0)

    return Decomposition(
        alpha=corrected(of_alpha, a - 1),
        density=corrected(of_density, d - 1),
        interaction=corrected(interaction, (a - 1) * (d - 1)),
        interaction_noise=(a - 1) * (d - 1) * noise,
        alpha_noise=(a - 1) * noise,
    )


def rank_consistency(values: np.ndarray) -> float:
    """Kendall's W of the alphas' ranks across densities, from values (alphas, densities); NaN for under 3 alphas."""
    alphas, densities = values.shape
    if alphas < 3:
        return np.nan
    return float(stats.friedmanchisquare(*values).statistic) / (densities * (alphas - 1))
