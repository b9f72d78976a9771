"""A run's features beside those of its dense run, from both runs' preactivation files. Light: needs no torch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from featprune.errors import FeatpruneError
from featprune.features.preactivations import read_preactivations
from featprune.features.similarity import alive, centered, compare, mean_correlation


@dataclass(frozen=True, eq=False)
class Features:
    """What a preactivation file holds: (seed, layer) -> step -> H (P, N), and the probe's samples (P,)."""

    path: str | Path
    matrices: dict[tuple[int, int], dict[int, np.ndarray]]
    samples: np.ndarray


MAX_SHIFT = 2.0  # in factors of two
SHIFTS = np.linspace(-MAX_SHIFT, MAX_SHIFT, 41)


def read_features(path: str | Path) -> Features:
    """All matrices of a preactivation file."""
    matrices: dict[tuple[int, int], dict[int, np.ndarray]] = {}
    samples = np.zeros(0, int)
    for seed, layer, step, samples, h in read_preactivations(path):  # noqa: B007
        matrices.setdefault((seed, layer), {})[step] = h
    return Features(path, matrices, samples)


def compare_features(of_run: Features, of_dense: Features) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Compare a run's features with those of its dense run.

    Returns (features, shifts): a row a seed, layer and step that both files have, with the columns of
    `Similarity` and `change_correlation`, the correlation of H(t) - H(0) (NaN at the first step);
    and a row a seed, see `time_shift`.
    Raises FeatpruneError where the files don't hold the same seeds, layers and probe inputs.
    """
    run, dense = of_run.matrices, of_dense.matrices
    if run.keys() != dense.keys() or not np.array_equal(of_run.samples, of_dense.samples):
        raise FeatpruneError(f"{of_run.path}: seeds, layers or samples differ from those of {of_dense.path}")
    rows = []
    for seed, layer in sorted(run):
        ours, theirs = run[seed, layer], dense[seed, layer]
        for step in sorted(ours.keys() & theirs.keys()):
            row = {"seed": seed, "step": step, "layer": layer} | compare(ours[step], theirs[step]).row()
            changes = [side[step].astype(np.float64) - side[min(side)] for side in (ours, theirs)]
            rows.append(row | {"change_correlation": mean_correlation(*changes)})
    hidden = sorted({layer for _, layer in run})[:-1]
    shifts = [
        {"seed": seed} | time_shift([run[seed, layer] for layer in hidden], [dense[seed, layer] for layer in hidden])
        for seed in sorted({seed for seed, _ in run})
    ]
    features = pd.DataFrame(rows).astype({"seed": "int32", "step": "int32", "layer": "int8"})
    return features, pd.DataFrame(shifts).astype({"seed": "int32"})


def time_shift(run: Sequence[Mapping[int, np.ndarray]], dense: Sequence[Mapping[int, np.ndarray]]) -> dict[str, float]:
    """By how much the run is ahead of the dense network, from each hidden layer's step -> H (P, N).

    Compares H(t) with the dense network's at 2^shift t, interpolated linearly in log time between its steps, for the
    steps t from 2^MAX_SHIFT to the last / 2^MAX_SHIFT, so that all shifts are judged by the same steps.

    Returns `shift`, the best one, `correlation` without a shift, and `shifted_correlation` at the best; NaN where
    there is no such step, or a layer with no unit that is alive throughout.
    """
    last, bound = min(max(run[0]), max(dense[0])), 2**MAX_SHIFT
    steps = [t for t in sorted(run[0]) if bound <= t <= last / bound]
    if not steps:
        return {"shift": np.nan, "correlation": np.nan, "shifted_correlation": np.nan}
    curve = np.mean([_shifted(ours, theirs, steps) for ours, theirs in zip(run, dense, strict=True)], axis=0)
    # Of equally good shifts the smallest.
    best = min(
        np.flatnonzero(np.isclose(curve, np.max(curve), rtol=0, atol=1e-12)), key=lambda i: abs(SHIFTS[i]), default=0
    )
    shift, unshifted = (SHIFTS[best], np.abs(SHIFTS).argmin()) if np.isfinite(curve).all() else (np.nan, best)
    return {
        "shift": float(shift),
        "correlation": float(curve[unshifted]),
        "shifted_correlation": float(curve[best]),
    }


def _shifted(run: Mapping[int, np.ndarray], dense: Mapping[int, np.ndarray], steps: Sequence[int]) -> np.ndarray:
    """Mean correlation of one layer's H(t) with the dense network's H at 2^shift t, for each of SHIFTS."""
    known = np.array([step for step in sorted(dense) if step > 0])
    living = np.all([alive(dense[step]) for step in known] + [alive(run[t]) for t in steps], axis=0)
    if not living.any():
        return np.full(len(SHIFTS), np.nan)
    there = np.stack([centered(dense[step][:, living]) for step in known])
    squares, neighbours = (there**2).sum(1), (there[:-1] * there[1:]).sum(1)
    curves = []
    for t in steps:
        times = t * 2.0**SHIFTS
        at = np.clip(np.searchsorted(known, times), 1, len(known) - 1) - 1
        share = np.clip(np.log(times / known[at]) / np.log(known[at + 1] / known[at]), 0, 1)[:, None]
        here = centered(run[t][:, living])
        inner = np.einsum("pn,spn->sn", here, there)
        # Of H(t) with (1 - share) H(first) + share H(second), from inner products.
        product = (1 - share) * inner[at] + share * inner[at + 1]
        norm = (1 - share) ** 2 * squares[at] + 2 * share * (1 - share) * neighbours[at] + share**2 * squares[at + 1]
        curves.append((product / np.sqrt(norm * (here**2).sum(0))).mean(1))
    return np.mean(curves, axis=0)
