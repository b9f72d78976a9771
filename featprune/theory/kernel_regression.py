"""The linearized model's gradient flow on squared error is kernel regression, in closed form (Jacot et al. 2018).

On training inputs f(t) = (I - exp(-eta K t)) y, and on others f(t, x) = K(x, X) K^-1 (I - exp(-eta K t)) y, with K the
tangent kernel at the start: each eigenvector of K is learned at a rate of its own. Steps of size lr are Euler's on that
flow, so the distance of simulation and closed form is proportional to lr.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from featprune.network import MLP
from featprune.randomness import numpy_generator
from featprune.theory.laws import fit_law
from featprune.theory.runs import dataset, descent, doubled, follow, functions, kernel_of, linearized, rms

INPUTS, TEST = 10, 32
MODES = 6  # that are shown, evenly from the largest eigenvalue to the smallest
TRAIN, OTHER = "train", "test"


def kernel_flow(kernel: np.ndarray, y: np.ndarray, time: float) -> np.ndarray:
    """f at a time of the gradient flow df/dt = -K (f - y) from f = 0.

    kernel: (m, n), of m inputs, the first n of which are those of the labels y (n,). Returns f, (m,).
    """
    n = len(y)
    values, modes = np.linalg.eigh(kernel[:n])
    # (1 - exp(-lambda t)) / lambda, whose limit at lambda = 0 is t.
    grown = np.where(values > 1e-12 * values.max(), -np.expm1(-values * time) / values, time)
    return kernel @ (modes @ (grown * (modes.T @ y)))


def measure(
    *, seeds: int, activation: str, width: int, samples: int, lrs: Sequence[float], time: float, snapshots: int
) -> pd.DataFrame:
    """Rows of seed, lr, split, mode, time, simulated and predicted.

    time: steps times lr. In the rows of training samples f is written in eigenvectors of K, (mode 0 has the largest
    eigenvalue), as shares of y's component there; those of test samples are f itself, `mode` counts them.
    """
    rows = []
    network = MLP((INPUTS, width, 1), activation, "ntk", "ntk")
    for seed in range(seeds):
        generator = numpy_generator(seed, "theory", "kernel_regression")
        x, test = (generator.standard_normal((n, INPUTS)) for n in (samples, TEST))
        y = generator.standard_normal(samples)
        data, start = dataset(x, y[:, None], test, np.zeros((TEST, 1))), doubled(network.initial([seed]))
        both = np.concatenate([x, test])
        kernel = kernel_of(network, start, both)[:, :samples]
        modes = np.linalg.eigh(kernel[:samples])[1][:, ::-1]
        for lr in lrs:
            settings = linearized(descent(float(lr), round(time / lr), samples, snapshots=snapshots))
            for step, f in functions(network, follow(network, start, data, settings), settings, both).items():
                # The loss is a mean: its gradient with respect to f is 2 (f - y) / samples.
                predicted = kernel_flow(2 / samples * kernel, y, lr * step)
                for split, part, basis in (
                    (TRAIN, slice(samples), modes / (modes.T @ y)),
                    (OTHER, slice(samples, None), np.eye(TEST)),
                ):
                    pairs = zip(basis.T @ f[0, part, 0], basis.T @ predicted[part], strict=True)
                    rows += [(seed, lr, split, mode, lr * step, *pair) for mode, pair in enumerate(pairs)]
    return pd.DataFrame(rows, columns=["seed", "lr", "split", "mode", "time", "simulated", "predicted"])


def distances(table: pd.DataFrame) -> pd.DataFrame:
    """The largest distance along training on test inputs, a root mean square over them, relative to f's own: a row a
    seed and lr."""
    other = table[table["split"] == OTHER]
    parts = []
    for (seed, lr), rows in other.groupby(["seed", "lr"]):
        each = [rms(r["simulated"] - r["predicted"]) for _, r in rows.groupby("time")]
        parts.append((seed, lr, max(each) / rms(rows.loc[rows["time"] == rows["time"].max(), "predicted"])))
    return pd.DataFrame(parts, columns=["seed", "lr", "value"])


def laws(table: pd.DataFrame) -> pd.DataFrame:
    """Euler's method is of the first order."""
    return fit_law("distance of gradient descent from the closed form against lr", 1.0, distances(table), "lr", "value")
