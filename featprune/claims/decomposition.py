"""How much alpha does, and how much of that depends on the density: an analysis of variance with error strata."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np
from scipy import stats
from scipy.optimize import brentq

from featprune.claims.inference import Estimate

# Nodes and weights of a mean over the normal distribution: the trapezoid rule, which is exact for what decays so fast.
NODES = np.linspace(-6, 6, 25)
WEIGHTS = stats.norm.pdf(NODES) / stats.norm.pdf(NODES).sum()
LARGE = 1e4  # sums of squares, in units of the variance, whose root is as good as normal


@dataclass(frozen=True)
class Effect:
    """A fixed effect against the error of its own stratum: mean squares with their degrees of freedom.

    values: how many there are in all. The root-mean-square of an effect is over cells, in the values' unit.
    """

    square: float
    freedom: int
    error: float
    error_freedom: int
    values: int

    @property
    def p(self) -> float:
        """Of the F test of no effect."""
        return float(stats.f.sf(self.square / self.error, self.freedom, self.error_freedom))

    @property
    def mean_square(self) -> float:
        """Of the effect over cells: what is left after what the error adds, at least 0."""
        return max(self.square - self.error, 0.0) * self.freedom / self.values

    def chance(self, mean_square: float, more: bool) -> float:
        """Of so large a mean square or a larger one (or, a smaller one) where the effect's own is `mean_square`.

        A noncentral chi-square, averaged over what the error's mean square says of the variance: a generalized p value
        (Tsui & Weerahandi 1989), without an effect that of the F test.
        """
        # sigma^2 is error / precision, with a precision that is a chi-square over its degrees of freedom.
        precision = stats.chi2.ppf(stats.norm.cdf(NODES), self.error_freedom) / self.error_freedom
        sums, shift = (x * precision / self.error for x in (self.square * self.freedom, self.values * mean_square))
        if max(sums.max(), shift.max()) < LARGE:
            return float(WEIGHTS @ (stats.ncx2.sf if more else stats.ncx2.cdf)(sums, self.freedom, shift))
        distances = np.sqrt(sums) - np.sqrt(shift + self.freedom - 1)
        return float(WEIGHTS @ stats.norm.cdf(-distances if more else distances))

    @lru_cache(maxsize=4096)  # noqa: B019  what is asked of a share is asked of its parts again
    def bound(self, level: float, lower: bool) -> float:
        """One-sided confidence bound of the mean square over cells, at least 0."""

        def excess(root: float) -> float:
            return self.chance(root**2, more=lower) - level

        # What is observed becomes less or more surprising as the effect grows.
        if (excess(0.0) >= 0) == lower:
            return 0.0
        top = np.sqrt(self.square * self.freedom / self.values)
        while (excess(top) < 0) == lower:
            top *= 1.5
        return brentq(excess, 0.0, top, xtol=1e-6 * top) ** 2

    @property
    def root(self) -> Estimate:
        """The root-mean-square effect."""
        return Estimate(
            np.sqrt(self.mean_square),
            lambda level: np.sqrt(self.bound(level, lower=True)),
            lambda level: np.sqrt(self.bound(level, lower=False)),
        )


@dataclass(frozen=True)
class Decomposition:
    """What alpha does on average over densities, and what its effect depends on them."""

    alpha: Effect
    interaction: Effect

    @property
    def share(self) -> Estimate:
        """The interaction's share of both mean squares over cells, with bounds from one-sided ones at half the level.

        NaN where neither is above its error; then the bounds are as wide as they can be.
        """
        a, i = self.alpha, self.interaction
        return Estimate(
            _share(i.mean_square, a.mean_square, np.nan),
            lambda level: _share(i.bound(level / 2, True), a.bound(level / 2, False), 0.0),
            lambda level: _share(i.bound(level / 2, False), a.bound(level / 2, True), 1.0),
        )

    def at(self, seeds: float) -> Decomposition:
        """What to expect of so many times as many seeds, were the effects what they seem."""
        return Decomposition(*(_with_seeds(effect, seeds) for effect in (self.alpha, self.interaction)))


def _share(part: float, rest: float, of_nothing: float) -> float:
    return part / (part + rest) if part + rest > 0 else of_nothing


def _with_seeds(effect: Effect, times: float) -> Effect:
    square = effect.error + max(effect.square - effect.error, 0.0) * times
    per_seed = effect.error_freedom / effect.freedom + 1  # seeds, of which the error has one less
    freedom = round(effect.freedom * (per_seed * times - 1))
    return replace(effect, square=square, error_freedom=freedom, values=round(effect.values * times))


def decompose(values: np.ndarray) -> Decomposition:
    """Of values (alphas, densities, seeds), seeds being blocks and two at least.

    Every effect has its interaction with the seeds as error (alpha x seed; alpha x density x seed), so that what a
    chain of prunings keeps from density to density is no part of the error of what depends on density.
    """
    a, d, n = values.shape

    def effect(by_seed: np.ndarray, freedom: int) -> Effect:
        """by_seed: each seed's own effect, (alphas, densities or 1, seeds)."""
        mean = by_seed.mean(axis=2, keepdims=True)
        repeats = values.size / by_seed.size
        square = n * repeats * float((mean**2).sum()) / freedom
        error = repeats * float(((by_seed - mean) ** 2).sum()) / (freedom * (n - 1))
        return Effect(square, freedom, error, freedom * (n - 1), values.size)

    of_alpha = values.mean(axis=1, keepdims=True) - values.mean(axis=(0, 1), keepdims=True)
    of_density = values.mean(axis=0, keepdims=True)  # with the seed's own level
    return Decomposition(effect(of_alpha, a - 1), effect(values - of_alpha - of_density, (a - 1) * (d - 1)))
