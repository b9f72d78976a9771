"""What deep linear networks learn: the singular modes of a linear map, from whitened inputs (Saxe et al. 2014)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import reduce

import numpy as np
from scipy.linalg import hadamard

from featprune.datasets.dataset import Dataset
from featprune.errors import FeatpruneError, lookup
from featprune.network import MLP, Parameters
from featprune.theory.runs import dataset


@dataclass(frozen=True)
class Modes:
    """The map U S V^T that is to be learned.

    singular: S, (K,). left: U, (outputs, K). right: V, (inputs, K). data: whitened inputs x with targets U S V^T x.
    """

    singular: np.ndarray
    left: np.ndarray
    right: np.ndarray
    data: Dataset

    @property
    def tau(self) -> float:
        """The time constant of Saxe et al. in units of lr times steps: the loss is the mean over outputs, of
        |f - y|^2 and not of half of it."""
        return len(self.left) / 2

    def strengths(self, network: MLP, parameters: Parameters) -> np.ndarray:
        """u_i^T W v_i of the product W of all effective weights: how much of each mode there is, (R, K)."""
        layers = zip(parameters.weights, network.multipliers, strict=True)
        product = reduce(lambda before, w: w @ before, (factor * w for w, factor in layers))
        return np.einsum("ok,roi,ik->rk", self.left, product, self.right)


def make_modes(
    singular: Sequence[float], inputs: int, samples: int, generator: np.random.Generator, vectors: str = "random"
) -> Modes:
    """Singular vectors of a kind in VECTORS, and as many outputs as modes.

    Inputs are whitened, x^T x / n = I, and centered, both exactly: so biases that start at zero stay there.
    """
    draw = lookup(VECTORS, vectors, "kind of vectors")
    x = generator.standard_normal((samples, inputs))
    x = np.sqrt(samples) * orthonormal(x - x.mean(0))
    strength = np.asarray(singular, np.float64)
    left, right = (draw(n, len(strength), generator) for n in (len(strength), inputs))
    y = x @ (right * strength) @ left.T
    return Modes(strength, left, right, dataset(x, y, x, y))


def orthonormal(columns: np.ndarray) -> np.ndarray:
    """Orthonormal columns that span the same; of Gaussian ones, random directions."""
    return np.linalg.qr(columns)[0]


def flat(size: int, count: int, generator: np.random.Generator) -> np.ndarray:
    """Random orthogonal signs over sqrt(size). Raises FeatpruneError where the size isn't a power of two."""
    try:
        signs = hadamard(size)
    except ValueError as error:
        raise FeatpruneError(f"flat vectors: their size, {size}, is to be a power of two") from error
    return generator.permutation(signs.T)[:count].T * generator.choice([-1.0, 1.0], (size, 1)) / np.sqrt(size)


# Orthonormal columns, (size, count): how even a direction lies on the coordinates.
VECTORS: dict[str, Callable[[int, int, np.random.Generator], np.ndarray]] = {
    "axes": lambda size, count, generator: np.eye(size)[:, :count],  # each along a coordinate of its own
    "random": lambda size, count, generator: orthonormal(generator.standard_normal((size, count))),
    "flat": flat,  # all coordinates of one size
}
