"""Networks of different widths are the same in mean-field parametrization, and not in NTK's (Vyas et al. 2023)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import pandas as pd

from featprune.datasets.dataset import Dataset
from featprune.features.similarity import frobenius, unbiased_cka
from featprune.theory.laws import fit_law, gather
from featprune.theory.runs import descent, follow
from featprune.theory.widths import ALPHAS, Seen, digits, kernel_distance, network, see

COLUMNS = ["parametrization", "seed", "width", "step", "layer", "measure", "value"]
EARLY = 0.02  # of the steps: so long little has moved, as laws of NTK parametrization assume
LAST, BEGUN = "last step", "early"
# (measure, when) -> the exponents of the width in mean-field and in NTK parametrization.
LAWS = {
    ("distance", LAST): {"mean_field": -0.5, "ntk": -0.5},
    ("kernel_distance", LAST): {"mean_field": -0.5, "ntk": -0.5},
    ("preactivation_movement", BEGUN): {"mean_field": 0.0, "ntk": -0.5},
    ("preactivation_movement", LAST): {"mean_field": 0.0, "ntk": -0.5},
    ("kernel_movement", BEGUN): {"ntk": -1.0},
    ("kernel_movement", LAST): {"mean_field": 0.0, "ntk": -1.0},
}
NAMES = {
    "distance": "distance of f from the widest network's",
    "kernel_distance": "distance of the kernel from the widest network's",
    "preactivation_movement": "movement of preactivations",
    "kernel_movement": "movement of the kernel",
}
TITLES = {"mean_field": "mean-field", "ntk": "NTK"}


def measure(
    *, seeds: int, widths: Sequence[int], widest: int, alpha: float, lr: float, batch: int, steps: int
) -> pd.DataFrame:
    """How far networks are from the widest one, and from their own start: rows of COLUMNS.

    All see the same batches. alpha: that of the narrowest network, which both parametrizations share. The reference of
    a seed is the widest network of another draw; so the widest beside it, at its own width, are the null. Measures:
    `test_loss`; `distance`, of f from the reference's over that's norm; for each hidden layer `kernel_distance`, and
    `dissimilarity`, 1 - linear CKA, from the reference; `preactivation_movement` and `kernel_movement` from the start,
    relative.
    """
    data = digits()
    rows: list[tuple] = []
    for parametrization, factor in ALPHAS.items():
        reference: Seen | None = None
        for width in (widest, *widths):
            here = alpha * factor(width / min(widths))
            found = run_width(data, width, seeds, here, lr, batch, steps)
            reference = reference or found
            rows += [(parametrization, *row) for row in compare(found, reference, width, data.test_y)]
    return pd.DataFrame(rows, columns=COLUMNS)


def run_width(data: Dataset, width: int, seeds: int, alpha: float, lr: float, batch: int, steps: int) -> Seen:
    """Train networks of a width, one a seed, on the same batches; seen on the test inputs."""
    model = network(data, width, width)
    settings = descent(lr, steps, batch, alpha=alpha, snapshots=10)
    draws = model.initial(range(seeds), "theory", width)
    states = follow(model, draws, data, settings, seeds=[0] * seeds)
    return see(model, states, settings, data.test_x)


def compare(found: Seen, reference: Seen, width: int, y: np.ndarray) -> Iterator[tuple]:
    """All measures of networks of a width: seed, width, step, layer, measure, value."""
    seeds = len(found.f[0])
    for seed in range(seeds):
        other = (seed + 1) % seeds
        start = [z[seed] for z in found.layers[0]]
        for step, f in found.f.items():
            yield seed, width, step, 0, "test_loss", float(np.square(f[seed] - y).mean())
            # Centered, f is zero at the start.
            if step:
                yield seed, width, step, 0, "distance", frobenius(f[seed], reference.f[step][other])
            pairs = zip(found.layers[step], reference.layers[step], start, strict=True)
            for layer, (z, widest, before) in enumerate(pairs, 1):
                h = z[seed]
                yield seed, width, step, layer, "kernel_distance", kernel_distance(h, widest[other])
                yield seed, width, step, layer, "dissimilarity", 1 - unbiased_cka(h, widest[other])
                if step:
                    yield seed, width, step, layer, "preactivation_movement", frobenius(h, before)
                    yield seed, width, step, layer, "kernel_movement", kernel_distance(h, before)


def quantity(measure: str, when: str, parametrization: str, layer: int) -> str:
    """What a law is said of."""
    where = f", layer {layer}" if layer else ""
    return f"{NAMES[measure]}{where}, {when}, {TITLES[parametrization]}"


def at(table: pd.DataFrame, when: str) -> pd.DataFrame:
    """One step's rows, with the column `joint`: 1 / (1/N + 1/M), which the variance of a difference is inverse to."""
    steps = table.loc[table["step"] > 0, "step"]
    step = steps.max() if when == LAST else steps[steps <= max(EARLY * steps.max(), steps.min())].max()
    rows = table[table["step"] == step]
    return rows.assign(joint=1 / (1 / rows["width"] + 1 / rows["width"].max()))


def excess(rows: pd.DataFrame) -> pd.Series:
    """Each distance over what draws alone give: that of two draws of the widest, whose variance goes as 1 / width.

    rows: of `at`, of one measure, layer and parametrization. 1 where networks differ by their draws only.
    """
    null = rows[rows["width"] == rows["width"].max()]
    noise = np.sqrt(np.square(null["value"]).mean() * null["joint"].iloc[0] / rows["joint"])
    return rows["value"] / noise


def laws(table: pd.DataFrame) -> pd.DataFrame:
    """Exponents over the upper half of the widths; of distances, against the joint width and without the null."""
    fits = []
    for (measure, when), law in LAWS.items():
        rows = at(table[table["measure"] == measure], when)
        apart = measure.endswith("distance")
        rows = rows[rows["width"] < rows["width"].max()] if apart else rows
        rows = rows[rows["width"] >= rows["width"].median()]
        x = "joint" if apart else "width"
        for parametrization, exponent in law.items():
            own = rows[rows["parametrization"] == parametrization]
            for layer in sorted(own["layer"].unique()):
                name = quantity(measure, when, parametrization, layer)
                fits.append(fit_law(name, exponent, own[own["layer"] == layer], x, "value"))
    return gather(fits)
