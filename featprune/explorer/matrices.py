"""Preactivation matrices of dense and pruned networks along training, downsampled to what a page can hold."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from featprune.datasets.dataset import load_dataset
from featprune.explorer.curves import as_choice
from featprune.features.preactivations import read_preactivations
from featprune.figures.preactivations import order_units
from featprune.figures.style import pick
from featprune.runs.paths import DENSE, DENSE_RUNS, RunPath

SAMPLES, UNITS = 40, 64  # at most, of a matrix
FEWEST = 4  # samples and units that are kept however many matrices there are
PERCENTILE = 99  # of absolute values: where colours end
LEVELS = 127  # on either side of zero

Network = dict[int, dict[int, tuple[np.ndarray, np.ndarray]]]  # layer -> step -> samples (P,), H (P, N)


def matrices(files: Sequence[str], data: str, budget: int) -> list[dict[str, Any]]:
    """An entry an alpha, lr and layer: the matrices of the dense network and of the pruned ones, of the first seed.

    files: preactivations of runs, of which those of other dense runs are left out. budget: bytes for all of them.
    An entry's networks are "strategy@round" -> steps and, in base64, levels (steps, units, samples) uint8, see
    `quantise`. Samples are spread over the probe set in the order of their labels, units over the layer in the order
    of the figure `preactivations`; both are the same for all networks of an entry.
    """
    runs = [(RunPath.parse(file), file) for file in files]
    runs = [(run, file) for run, file in runs if run.cell.kind not in set(DENSE_RUNS.values()) - {DENSE}]
    dataset = load_dataset(data)
    entries = []
    for place in dict.fromkeys((run.cell.alpha, run.cell.lr) for run, _ in runs):
        mine = [(run, file) for run, file in runs if (run.cell.alpha, run.cell.lr) == place]
        seed = mine[0][0].seeds[0]
        networks = {_name(run): read_network(file, seed) for run, file in mine}
        dense = networks.get(f"{'/'.join(DENSE)}@0")
        if dense is None or len(networks) == 1:
            continue
        labels = dataset.of(seed).test_y
        for layer in dense:
            cells = budget // (len(runs) * len(dense) * len(dense[layer]))
            entry = downsample({name: n[layer] for name, n in networks.items()}, labels, cells)
            where = {"alpha": as_choice(float(place[0])), "lr": float(place[1])}
            entries.append(where | {"layer": layer, "seed": seed} | entry)
    return entries


def read_network(file: str, seed: int) -> Network:
    """A seed's matrices."""
    network: Network = {}
    for _, layer, step, samples, h in read_preactivations(file, seed):
        network.setdefault(layer, {})[step] = samples, h
    return network


def downsample(
    networks: dict[str, dict[int, tuple[np.ndarray, np.ndarray]]], labels: np.ndarray, cells: int
) -> dict[str, Any]:
    """The networks of one layer, the dense one first, in at most `cells` numbers a matrix."""
    along = next(iter(networks.values()))
    samples, last = along[max(along)]
    count, width = size_of(len(samples), last.shape[1], cells)
    target = labels[samples].reshape(len(samples), -1)[:, 0]
    by_label = np.argsort(target, kind="stable")
    rows = by_label[pick(np.arange(len(samples)), count)]
    order = order_units(pd.DataFrame(last.T)) if np.isfinite(last).all() else pd.RangeIndex(last.shape[1])
    units = order.to_numpy()[pick(np.arange(last.shape[1]), width)]
    kept = {
        name: {step: h[np.ix_(rows, units)].T for step, (_, h) in sorted(steps.items())}
        for name, steps in networks.items()
    }
    values = np.abs(np.concatenate([h.ravel() for steps in kept.values() for h in steps.values()]))
    values = values[np.isfinite(values)]
    limit = float(f"{np.percentile(values, PERCENTILE):.3g}") if len(values) else 1.0
    return {
        "limit": limit or 1.0,
        "clipped": float(f"{np.mean(values > limit):.2g}") if len(values) else 0.0,
        "samples": len(rows),
        "units": len(units),
        "all_samples": len(samples),
        "all_units": last.shape[1],
        "labels": [float(f"{label:.3g}") for label in target[rows]],
        "networks": {
            name: {"steps": list(steps), "levels": encode(np.stack(list(steps.values())), limit or 1.0)}
            for name, steps in kept.items()
        },
    }


def size_of(samples: int, units: int, cells: int) -> tuple[int, int]:
    """How many samples and units are kept of a matrix: at most SAMPLES, UNITS and, if FEWEST allows, `cells` in all."""
    count, width = min(samples, SAMPLES), min(units, UNITS)
    shrink = min(1.0, (cells / (count * width)) ** 0.5)
    return max(min(count, FEWEST), int(shrink * count)), max(min(width, FEWEST), int(shrink * width))


def quantise(h: np.ndarray, limit: float) -> np.ndarray:
    """Levels (uint8), 128 + 127 h / limit rounded, of values clipped at +-limit; 0 where there is no finite value."""
    with np.errstate(invalid="ignore"):
        levels = 128 + np.rint(LEVELS * np.clip(h / limit, -1, 1))
    return np.where(np.isfinite(h), levels, 0).astype(np.uint8)


def encode(h: np.ndarray, limit: float) -> str:
    """Levels as text."""
    return b64encode(quantise(h, limit).tobytes()).decode("ascii")


def _name(run: RunPath) -> str:
    return f"{run.cell.criterion}/{run.cell.rewind}@{run.round}"
