"""What is compared across widths: networks of two hidden layers on scikit-learn's digits, and how far two are apart.

f = alpha_N h in NTK parametrization, h = N^(-1/2) v . sigma(N^(-1/2) W sigma(D^(-1/2) U x)) with entries of order 1.
Where alpha_N falls as N^(-1/2) this is feature-learning (mean-field) parametrization, h / N^(1/2) trained at a rate
N lr (Bordelon & Pehlevan 2022), but for the output's bias, whose rate would then grow with N.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from featprune.data import prepare_dataset
from featprune.datasets.dataset import Dataset
from featprune.engine.settings import Settings
from featprune.features.similarity import frobenius
from featprune.network import MLP, Parameters
from featprune.theory.runs import functions

# Parametrization -> alpha's factor by width over the width at which both are the same network.
ALPHAS: dict[str, Callable[[float], float]] = {
    "mean_field": lambda ratio: ratio**-0.5,
    "ntk": lambda ratio: 1.0,
}


def digits() -> Dataset:
    """The digits with their classes as regression targets, centered one-hot vectors (n, 10) float32."""
    data = prepare_dataset("digits")
    codes = np.eye(data.outputs, dtype=np.float32)
    codes -= codes.mean(0)
    labels = (codes[y] for y in (data.train_y, data.validation_y, data.test_y))
    train_y, validation_y, test_y = labels
    return Dataset(data.train_x, train_y, data.validation_x, validation_y, data.test_x, test_y)


def network(data: Dataset, *hidden: int) -> MLP:
    """A ReLU network with these hidden layers on the data."""
    return MLP((data.inputs, *hidden, data.outputs), "relu", "ntk", "ntk")


@dataclass(frozen=True, eq=False)
class Seen:
    """Networks along training, on inputs: step -> f (R, n, outputs), and preactivations (R, n, N) of each hidden layer;
    of one of them without the axis R."""

    f: dict[int, np.ndarray]
    layers: dict[int, list[np.ndarray]]

    def one(self, number: int) -> Seen:
        """One of the networks."""
        f = {step: f[number] for step, f in self.f.items()}
        return Seen(f, {step: [z[number] for z in layers] for step, layers in self.layers.items()})


def see(model: MLP, states: dict[int, Parameters], settings: Settings, x: np.ndarray) -> Seen:
    """What networks that `follow` gave for these settings make of inputs."""
    layers = {step: model.preactivations(s.weights, s.biases, x)[:-1] for step, s in states.items()}
    return Seen(functions(model, states, settings, x), layers)


def kernel_distance(a: np.ndarray, b: np.ndarray) -> float:
    """|A - B| / |B| of the kernels A = a a^T / N of preactivations (P, N), each with its own N."""
    a, b = a.astype(np.float64), b.astype(np.float64)
    return frobenius(a @ a.T / a.shape[1], b @ b.T / b.shape[1])
