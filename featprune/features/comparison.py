"""A run's features beside those of dense networks, from the runs' preactivation files. Light: needs no torch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from featprune.errors import FeatpruneError
from featprune.features.preactivations import read_preactivations
from featprune.features.similarity import alive, compare, compare_changes, standardized

Matrices = Mapping[int, np.ndarray]  # one layer's step -> H (P, N)


@dataclass(frozen=True, eq=False)
class Features:
    """What a preactivation file holds: (seed, layer) -> step -> H (P, N), and the probe's samples (P,)."""

    path: str | Path
    matrices: dict[tuple[int, int], dict[int, np.ndarray]]
    samples: np.ndarray


MAX_SHIFT = 4.0  # in factors of two
REGULAR = 0.1  # by how much of their mean the gaps between steps may differ, in log time
MIN_STEPS = 3  # by which a shift is judged


def read_features(path: str | Path) -> Features:
    """All matrices of a preactivation file."""
    matrices: dict[tuple[int, int], dict[int, np.ndarray]] = {}
    samples = np.zeros(0, int)
    for seed, layer, step, samples, h in read_preactivations(path):  # noqa: B007
        matrices.setdefault((seed, layer), {})[step] = h
    return Features(path, matrices, samples)


def compare_with_targets(run: Features, targets: Mapping[str, Features]) -> tuple[pd.DataFrame, pd.DataFrame]:
    """What `compare_features` returns with each of these dense networks, whose name is in the column `target`."""
    each = {name: compare_features(run, target) for name, target in targets.items()}
    features, shifts = (
        pd.concat([tables[number].assign(target=name) for name, tables in each.items()], ignore_index=True)
        for number in range(2)
    )
    return features, shifts


def compare_features(of_run: Features, of_target: Features) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Compare a run's features with those of a dense network, its target.

    Returns (features, shifts): a row a seed, layer and step that both files have, with the columns of `Similarity`
    and `Changes`; and a row a seed, see `time_shift`.
    Raises FeatpruneError where the files don't hold the same seeds, layers and probe inputs.
    """
    run, target = of_run.matrices, of_target.matrices
    if run.keys() != target.keys() or not np.array_equal(of_run.samples, of_target.samples):
        raise FeatpruneError(f"{of_run.path}: seeds, layers or samples differ from those of {of_target.path}")
    rows = []
    for seed, layer in sorted(run):
        ours, theirs = run[seed, layer], target[seed, layer]
        for step in sorted(ours.keys() & theirs.keys()):
            changes = (side[step].astype(np.float64) - side[min(side)] for side in (ours, theirs))
            row = compare(ours[step], theirs[step]).row() | vars(compare_changes(*changes))
            rows.append({"seed": seed, "step": step, "layer": layer} | row)
    hidden = sorted({layer for _, layer in run})[:-1]
    shifts = [
        {"seed": seed} | time_shift([run[seed, layer] for layer in hidden], [target[seed, layer] for layer in hidden])
        for seed in sorted({seed for seed, _ in run})
    ]
    features = pd.DataFrame(rows).astype({"seed": "int32", "step": "int32", "layer": "int8"})
    return features, pd.DataFrame(shifts).astype({"seed": "int32"})


def time_shift(run: Sequence[Matrices], target: Sequence[Matrices]) -> dict[str, float | bool]:
    """By how much the run is ahead of a dense network, in factors of two of its time, from each hidden layer's H.

    Compares H(t_i) with the target's H(t_(i+k)), and the target's H(t_i) with the run's H(t_(i-k)), at whole lags k of
    the steps that are evenly spaced in log time. Never between steps: a mean of two snapshots has less noise than
    either, and would be preferred. And both ways, so that a run is not ahead of itself where it slows down: run and
    target exchanged, the shift only changes its sign. All lags are judged by the same steps t_i, MIN_STEPS at least,
    and reach as far as these let them, to MAX_SHIFT at most.

    Returns `shift`, the peak of the parabola through the mean correlations at the best lag and its two neighbours;
    `at_bound`, whether the best lag is the furthest, and `shift` therefore only a bound; `correlation` at lag 0 and
    `shifted_correlation` at the best lag. NaN where there are too few steps, or a layer with no unit that is alive
    throughout.
    """
    steps = regular_steps(sorted(run[0].keys() & target[0].keys()))
    gap = np.log2(steps[-1] / steps[0]) / (len(steps) - 1) if len(steps) > 1 else np.inf
    reach = min((len(steps) - MIN_STEPS) // 2, int(MAX_SHIFT / gap))
    curve = np.full(1, np.nan)
    if reach > 0:
        pairs = zip(run, target, strict=True)
        curve = np.mean([_correlations_at_lags(ours, theirs, steps, reach) for ours, theirs in pairs], axis=0)
    if not np.isfinite(curve).all():
        return {"shift": np.nan, "at_bound": False, "correlation": np.nan, "shifted_correlation": np.nan}
    # Of equally good lags the smallest.
    equal = np.flatnonzero(np.isclose(curve, curve.max(), rtol=0, atol=1e-12))
    best = min(equal, key=lambda i: abs(i - reach))
    at_bound = best in (0, 2 * reach)
    return {
        "shift": float(gap * (best - reach + (0 if at_bound else peak(*curve[best - 1 : best + 2])))),
        "at_bound": at_bound,
        "correlation": float(curve[reach]),
        "shifted_correlation": float(curve[best]),
    }


def regular_steps(steps: Sequence[int]) -> list[int]:
    """The last of these ascending steps, as many as are evenly spaced in log time; rounding spoils the first."""
    later = [step for step in steps if step > 0]
    for first in range(len(later) - 1):
        gaps = np.diff(np.log(later[first:]))
        if np.abs(gaps / gaps.mean() - 1).max() <= REGULAR:
            return later[first:]
    return later[-1:]


def peak(before: float, at: float, after: float) -> float:
    """Where the parabola through values at -1, 0 and 1 is largest; 0 is the largest of them."""
    curvature = 2 * at - before - after
    return (after - before) / (2 * curvature) if curvature > 1e-12 else 0.0


def _correlations_at_lags(run: Matrices, target: Matrices, steps: Sequence[int], reach: int) -> np.ndarray:
    """One layer's mean correlation at each lag from -reach to reach."""
    living = np.all([alive(side[t]) for side in (run, target) for t in steps], axis=0)
    if not living.any():
        return np.full(2 * reach + 1, np.nan)
    ours, theirs = (np.stack([standardized(side[t][:, living]).ravel() for t in steps]) for side in (run, target))
    table = ours @ theirs.T / living.sum()
    inner = np.arange(reach, len(steps) - reach)
    return np.array([(table[inner, inner + k] + table[inner - k, inner]).mean() / 2 for k in range(-reach, reach + 1)])
