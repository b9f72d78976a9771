"""In mean-field scaling the measure of a network's units has a limit as width grows (Mei, Montanari & Nguyen 2018).

The project's own knob is that scaling. In NTK parametrization h = sum_i a_i sigma(w_i x) / sqrt(N), so that alpha =
1 / sqrt(N) gives f = sum_i a_i sigma(w_i x) / N, and with loss / alpha^2 each unit moves at a rate that has a limit. So
does the output's bias: in the parametrization "mean_field" the rate in proportion to N would reach it undivided.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import sqrt

import numpy as np
import pandas as pd
from scipy.stats import wasserstein_distance

from featprune.activations import ACTIVATIONS
from featprune.datasets.dataset import Dataset
from featprune.network import MLP, Parameters
from featprune.randomness import numpy_generator
from featprune.theory.curves import largest
from featprune.theory.laws import fit_law, gather
from featprune.theory.modes import orthonormal
from featprune.theory.runs import dataset, descent, doubled, follow, functions, rms

MEAN_FIELD, NTK = "mean_field", "ntk"
ALPHAS = {MEAN_FIELD: lambda width: 1 / sqrt(width), NTK: lambda width: 1.0}
F, READOUT, PROJECTION, MOVED = "f", "readout", "projection", "moved"
TEST = 100
RUN = "scaling", "quantity", "width", "seed"
COLUMNS = ["scaling", "width", "seed", "step", "quantity", "value"]


def measure(
    *,
    seeds: int,
    widths: Sequence[int],
    reference: int,
    references: int,
    activation: str,
    inputs: int,
    units: int,
    samples: int,
    lr: float,
    steps: int,
) -> pd.DataFrame:
    """Networks of several widths on the same data: rows of COLUMNS.

    quantity f: |f - f_ref|, root mean square over test inputs. readout, projection: Wasserstein distance between the
    units' distributions of a and of w's component along a teacher's unit, and those of the reference: `references`
    networks of that width, drawn independently, whose units are pooled and whose f is averaged. moved: the distance of
    (a, w, b) from its start, root mean square over units, in both scalings.
    """
    data, teacher = task(inputs, units, samples)

    def run(scaling: str, width: int, seed: int) -> tuple[dict[int, np.ndarray], dict[int, Parameters]]:
        network = MLP((inputs, width, 1), activation, "ntk", "ntk")
        settings = descent(lr, steps, samples, alpha=ALPHAS[scaling](width))
        states = follow(network, doubled(network.initial([seed], "mean_field", width)), data, settings)
        return functions(network, states, settings, data.test_x), states

    limits = [run(MEAN_FIELD, reference, seeds + number) for number in range(references)]
    f_limit = {step: np.mean([f[step] for f, _ in limits], axis=0) for step in limits[0][0]}
    pooled = {
        step: [np.concatenate(parts) for parts in zip(*(marginals(s[step], teacher) for _, s in limits), strict=True)]
        for step in f_limit
    }
    rows = []
    for width in widths:
        for seed in range(seeds):
            f, states = run(MEAN_FIELD, width, seed)
            for step, state in states.items():
                far = rms(f[step] - f_limit[step])
                pairs = zip(marginals(state, teacher), pooled[step], strict=True)
                apart = [wasserstein_distance(mine, theirs) for mine, theirs in pairs]
                found = (far, *apart, movement(state, states[0]))
                named = zip((F, READOUT, PROJECTION, MOVED), found, strict=True)
                rows += [(MEAN_FIELD, width, seed, step, *pair) for pair in named]
            _, states = run(NTK, width, seed)
            rows += [(NTK, width, seed, step, MOVED, movement(state, states[0])) for step, state in states.items()]
    return pd.DataFrame(rows, columns=COLUMNS)


def task(inputs: int, units: int, samples: int) -> tuple[Dataset, np.ndarray]:
    """Gaussian inputs labelled by the sum of erf units along orthonormal directions, of which the first is returned."""
    generator = numpy_generator(0, "theory", "mean_field")
    directions = orthonormal(generator.standard_normal((inputs, units)))
    x, test = (generator.standard_normal((n, inputs)) for n in (samples, TEST))
    y, test_y = (ACTIVATIONS["erf"].array(part @ directions).sum(1, keepdims=True) for part in (x, test))
    return dataset(x, y, test, test_y), directions[:, 0]


def marginals(parameters: Parameters, direction: np.ndarray) -> list[np.ndarray]:
    """Of each unit a, and the component of w along the direction: (N,) each."""
    first, second = parameters.weights
    return [second[0, 0], first[0] @ direction]


def movement(now: Parameters, start: Parameters) -> float:
    """Root mean square over units of the distance that (a, w, b) has moved."""
    pairs = zip((*now.weights, now.biases[0]), (*start.weights, start.biases[0]), strict=True)
    return sqrt(sum(np.square(a - b).sum() for a, b in pairs) / now.weights[0].shape[1])


LAWS = {
    (MEAN_FIELD, F): ("largest distance of f from the limit against width", -0.5),
    (MEAN_FIELD, READOUT): ("that of the readouts' distribution", -0.5),
    (MEAN_FIELD, PROJECTION): ("that of the projections' distribution", -0.5),
    (MEAN_FIELD, MOVED): ("how far units move, mean field", 0.0),
    (NTK, MOVED): ("how far units move, NTK", -0.5),
}


def laws(table: pd.DataFrame) -> pd.DataFrame:
    """Distances from the limit fall as N^(-1/2); units move as far as ever, but in NTK scaling N^(-1/2) as far."""
    found = largest(table, *RUN).set_index(["scaling", "quantity"]).sort_index()
    return gather(fit_law(name, law, found.loc[[place]], "width", "value") for place, (name, law) in LAWS.items())
