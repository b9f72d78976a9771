"""Grokking is the passage from lazy to rich training, later for larger alpha (Kumar et al. 2024)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from featprune.network import MLP
from featprune.randomness import numpy_generator
from featprune.theory.curves import crossing
from featprune.theory.laws import fit_law, gather
from featprune.theory.runs import dataset, descent, doubled, follow, functions, kernel_of, linearized

TEST = 500
PROBE = 64  # test inputs that the tangent kernel is measured on
SMALL_LOSS = 0.1  # of the loss of f = 0: below it samples are fitted, or test inputs generalized to
FIT, GENERALIZED = "train_loss", "test_loss"
LAWS = {
    "time of fitting": 0.0,
    "time of generalization": 1.0,
    "residual summed until generalization": 1.0,
    "kernel movement at a given time": -2.0,
}


def target(x: np.ndarray) -> np.ndarray:
    """The ReLU of the first input, (n, 1), of mean 0 and variance 1 for Gaussian inputs (n, inputs)."""
    mean, square = 1 / np.sqrt(2 * np.pi), 0.5
    return (np.maximum(x[:, :1], 0) - mean) / np.sqrt(square - mean**2)


def measure(
    *, seeds: int, alphas: Sequence[float], inputs: int, width: int, samples: int, lr: float, steps: int
) -> pd.DataFrame:
    """Losses and kernels along training: rows of seed, alpha, step, time, measure and value.

    time: lr times steps, in which f's own speed is the same at every alpha. Measures: `train_loss` and `test_loss`,
    over those of f = 0; of the tangent kernel K on test inputs `kernel_movement`, 1 - cos(K_t, K_0), and `alignment`,
    cos(K_t, y y^T). At alpha = inf it is the linearized model's training. Half of the target is odd, as the units are,
    whose kernel at first is nearly odd; the other half needs features.
    """
    network = MLP((inputs, width, 1), "erf", "ntk", "ntk")
    rows = []
    for seed in range(seeds):
        generator = numpy_generator(seed, "theory", "grokking")
        x, test = (generator.standard_normal((n, inputs)) for n in (samples, TEST))
        y, test_y = target(x), target(test)
        start, data = doubled(network.initial([seed])), dataset(x, y, test, test_y)
        for alpha in (*alphas, np.inf):
            lazy = np.isinf(alpha)
            settings = descent(lr, steps, samples, alpha=1.0 if lazy else float(alpha), snapshots=60)
            settings = linearized(settings) if lazy else settings
            states = follow(network, start, data, settings)
            f, test_f = (functions(network, states, settings, inputs) for inputs in (x, test))
            first = kernel_of(network, start, test[:PROBE])
            for step, state in states.items():
                k = first if lazy else kernel_of(network, state, test[:PROBE])
                found = {
                    FIT: np.square(f[step][0] - y).mean() / np.square(y).mean(),
                    GENERALIZED: np.square(test_f[step][0] - test_y).mean() / np.square(test_y).mean(),
                    "kernel_movement": 1 - cosine(k, first),
                    "alignment": cosine(k, test_y[:PROBE] @ test_y[:PROBE].T),
                }
                rows += [(seed, alpha, step, lr * step, name, value) for name, value in found.items()]
    return pd.DataFrame(rows, columns=["seed", "alpha", "step", "time", "measure", "value"])


def cosine(a: np.ndarray, b: np.ndarray) -> float:
    """<A, B> / (|A| |B|)."""
    return float((a * b).sum() / (np.linalg.norm(a) * np.linalg.norm(b)))


def when(curve: pd.DataFrame, loss: str) -> float:
    """When a loss first is small, on log-log axes; NaN where it isn't. curve: times from 0, a column a measure."""
    later = curve[loss].iloc[1:]
    return float(np.exp(crossing(np.log(later.index.to_numpy(float)), np.log(later.to_numpy()), np.log(SMALL_LOSS))))


def events(table: pd.DataFrame) -> pd.DataFrame:
    """Of each run what LAWS names, as columns beside alpha and seed; NaN where it has not come by the last step.

    The given time is that of the fit of the linearized model. The residual is the root of the train loss.
    """
    curves = {
        key: rows.pivot_table(index="time", columns="measure", values="value")
        for key, rows in table.groupby(["alpha", "seed"])
    }
    lazy = table["alpha"].max()
    rows = []
    for (alpha, seed), curve in curves.items():
        time = curve.index.to_numpy(float)
        fit, late, given = when(curve, FIT), when(curve, GENERALIZED), when(curves[lazy, seed], FIT)
        residual = np.sqrt(curve[FIT].to_numpy())
        summed = np.concatenate([[0.0], np.cumsum(np.diff(time) * (residual[1:] + residual[:-1]) / 2)])
        moved = curve["kernel_movement"].to_numpy()
        values = fit, late, np.interp(late, time, summed), np.interp(given, time, moved)
        rows.append((alpha, seed, *values))
    return pd.DataFrame(rows, columns=["alpha", "seed", *LAWS])


def laws(table: pd.DataFrame) -> pd.DataFrame:
    """Exponents of alpha over the upper half of the alphas, of the runs in which what is said has come."""
    found = events(table)
    found = found[np.isfinite(found["alpha"])]
    late = found[found["alpha"] >= found["alpha"].median()]
    return gather(
        fit_law(f"{name} against alpha", law, late.dropna(subset=name), "alpha", name) for name, law in LAWS.items()
    )
