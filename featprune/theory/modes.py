"""What deep linear networks learn: the singular modes of a linear map, from whitened inputs (Saxe et al. 2014)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import reduce

import numpy as np

from featprune.datasets.dataset import Dataset
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
    singular: Sequence[float], inputs: int, samples: int, generator: np.random.Generator, *, axes: bool = False
) -> Modes:
    """Random singular vectors, as many outputs as modes; with `axes` each mode has one input and one output alone.

    Inputs are whitened, x^T x / n = I, and centered, both exactly: so biases that start at zero stay there.
    """
    count = len(singular)
    x = generator.standard_normal((samples, inputs))
    x = np.sqrt(samples) * orthonormal(x - x.mean(0))
    left = np.eye(count) if axes else orthonormal(generator.standard_normal((count, count)))
    right = np.eye(inputs)[:, :count] if axes else orthonormal(generator.standard_normal((inputs, count)))
    strength = np.asarray(singular, np.float64)
    y = x @ (right * strength) @ left.T
    return Modes(strength, left, right, dataset(x, y, x, y))


def orthonormal(columns: np.ndarray) -> np.ndarray:
    """Orthonormal columns that span the same; of Gaussian ones, random directions."""
    return np.linalg.qr(columns)[0]
