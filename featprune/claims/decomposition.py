"""How much of what alpha does depends on the density: a two-way analysis of variance, and the ranks of the alphas."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import stats


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
