"""As alpha grows, training becomes that of the linearized model (Chizat, Oyallon & Bach 2019, theorem 2.3)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from featprune.network import MLP
from featprune.randomness import numpy_generator
from featprune.theory.curves import largest
from featprune.theory.laws import fit_law, gather
from featprune.theory.runs import dataset, descent, doubled, follow, functions, linearized, rms

RUN = "activation", "seed", "alpha"
INPUTS = 10
TEST = 64


def measure(
    *, seeds: int, alphas: Sequence[float], activations: Sequence[str], width: int, samples: int, lr: float, steps: int
) -> pd.DataFrame:
    """How far f is from the linearized model along training: rows of activation, seed, alpha, step and value.

    value: |f_alpha - f_lin| over |f_lin| at the last step, root mean squares over test inputs. Targets are noise, so
    that nothing about the task is simpler than fitting it.
    """
    rows = []
    for activation in activations:
        network = MLP((INPUTS, width, 1), activation, "ntk", "ntk")
        for seed in range(seeds):
            generator = numpy_generator(seed, "theory", "lazy_limit")
            x, test = generator.standard_normal((samples, INPUTS)), generator.standard_normal((TEST, INPUTS))
            data = dataset(x, generator.standard_normal((samples, 1)), test, np.zeros((TEST, 1)))
            start = doubled(network.initial([seed]))
            lazy = linearized(descent(lr, steps, samples))
            limit = functions(network, follow(network, start, data, lazy), lazy, test)
            for alpha in alphas:
                settings = descent(lr, steps, samples, alpha=float(alpha))
                found = functions(network, follow(network, start, data, settings), settings, test)
                far = {step: rms(f - limit[step]) / rms(limit[steps]) for step, f in found.items()}
                rows += [(activation, seed, alpha, step, value) for step, value in far.items()]
    return pd.DataFrame(rows, columns=["activation", "seed", "alpha", "step", "value"])


def laws(table: pd.DataFrame) -> pd.DataFrame:
    """The supremum over time falls as 1 / alpha, where alpha is large: over the upper half of the alphas."""
    found = largest(table, *RUN)
    late = found[found["alpha"] >= found["alpha"].median()]
    return gather(
        fit_law(f"largest distance from the linearized model against alpha, {activation}", -1.0, rows, "alpha", "value")
        for activation, rows in late.groupby("activation", sort=False)
    )
