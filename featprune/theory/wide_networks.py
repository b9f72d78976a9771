"""Wide networks evolve as linear models (Lee et al. 2019, theorem 2.1).

The theorem bounds sup over t of |f - f_lin| by width^(-1/2). What it bounds is, to the first order, half the second
derivative of f along the way that the weights take, a sum over hidden units i of terms like a_i sigma(z_i) sigma'(z_i)
/ width^(3/2), with a_i the readout weight. Where their mean isn't zero the sum is of order width^(-1/2), the bound;
where signs are random it is of order width^(-1), as Dyer & Gur-Ari (2020) and Huang & Yau (2020) have it for the
kernel. Both are measured: rectified units with readouts all of one sign, and an odd activation with random ones.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from featprune.features.richness import one_network, weight_movement
from featprune.network import MLP, Parameters
from featprune.randomness import numpy_generator
from featprune.theory.laws import fit_law, gather
from featprune.theory.runs import dataset, descent, doubled, follow, functions, linearized, rms

INPUTS, TEST = 10, 64
# case -> activation, whether readouts are made positive, and the exponent that follows for the distance.
CASES = {"relu, readouts of one sign": ("relu", True, -0.5), "erf, random signs": ("erf", False, -1.0)}
DISTANCE, MOVEMENT = "distance", "movement"


def measure(*, seeds: int, widths: Sequence[int], samples: int, lr: float, steps: int) -> pd.DataFrame:
    """Rows of case, seed, width, measure and value, in NTK parametrization with one hidden layer.

    distance: sup over t of |f - f_lin| over |f_lin| at the end, root mean squares over test inputs. movement: of all
    weights, relative to their initial norm, at the end.
    """
    rows = []
    for case, (activation, positive, _) in CASES.items():
        for width in widths:
            network = MLP((INPUTS, width, 1), activation, "ntk", "ntk")
            for seed in range(seeds):
                generator = numpy_generator(seed, "theory", "wide_networks")
                x, test = (generator.standard_normal((n, INPUTS)) for n in (samples, TEST))
                data = dataset(x, generator.standard_normal((samples, 1)), test, np.zeros((TEST, 1)))
                start = doubled(network.initial([seed]))
                if positive:
                    start = Parameters((*start.weights[:-1], np.abs(start.weights[-1])), start.biases)
                settings = descent(lr, steps, samples)
                states, lazy = follow(network, start, data, settings), linearized(settings)
                limit = functions(network, follow(network, start, data, lazy), lazy, test)
                found = functions(network, states, settings, test)
                distance = max(rms(f - limit[step]) for step, f in found.items()) / rms(limit[steps])
                moved = weight_movement(*(one_network(states[step], 0) for step in (0, steps)))[0]
                rows += [(case, seed, width, DISTANCE, distance), (case, seed, width, MOVEMENT, moved)]
    return pd.DataFrame(rows, columns=["case", "seed", "width", "measure", "value"])


def laws(table: pd.DataFrame) -> pd.DataFrame:
    """The distance over the upper half of the widths, and the movement of the weights over all."""
    late = table[(table["width"] >= table["width"].median()) & (table["measure"] == DISTANCE)]
    moved = table[table["measure"] == MOVEMENT]
    return gather(
        fit_law(f"{what} against width, {case}", law, rows[rows["case"] == case], "width", "value")
        for case, (_, _, exponent) in CASES.items()
        for what, law, rows in (
            ("largest distance from the linearized model", exponent, late),
            ("relative weight movement", -0.5, moved),
        )
    )
