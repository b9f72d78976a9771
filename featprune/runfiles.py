"""The files that a run leaves in its folder: mask, weights, history, and snapshots where features are studied.

Light: reading a run doesn't need torch.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from featprune.errors import FeatpruneError
from featprune.network import Parameters
from featprune.storage import load_arrays, save_arrays, save_table

if TYPE_CHECKING:
    from featprune.training import Outcome, Settings

HISTORY = pa.schema(
    [
        ("seed", pa.int32()),
        ("step", pa.int32()),
        ("split", pa.string()),
        ("loss", pa.float64()),
        ("accuracy", pa.float64()),
    ]
)


@dataclass(frozen=True)
class Run:
    """A saved run: masks and trained weights of its seeds."""

    seeds: list[int]
    masks: list[np.ndarray]
    parameters: Parameters


def save_run(folder: Path, masks, outcome: Outcome, seeds: Sequence[int], settings: Settings) -> None:
    """Write mask, weights, history and, where asked for, snapshots."""
    folder = Path(folder)
    names = {f"mask{layer}": mask for layer, mask in enumerate(masks, 1)}
    block = {"seeds": np.array(seeds, np.int32)}
    save_arrays(folder / "mask.safetensors", names | block)
    save_arrays(folder / "weights.safetensors", outcome.parameters.masked(masks).arrays() | block)
    save_table(folder / "history.parquet", pa.table(outcome.history, schema=HISTORY))
    if settings.snapshot_at:
        save_arrays(folder / "snapshots.safetensors", pack_snapshots(outcome.snapshots, masks) | block)


def load_run(folder: Path, seeds: Sequence[int] | None = None) -> Run:
    """Read a run's masks and weights; raises FeatpruneError where a file is broken or holds other seeds."""
    folder = Path(folder)
    held, masks = load_masks(folder)
    if seeds is not None and held != list(seeds):
        raise FeatpruneError(f"{folder / 'mask.safetensors'}: holds seeds {held}, not {list(seeds)}; delete it")
    return Run(held, masks, Parameters.from_arrays(load_arrays(folder / "weights.safetensors")))


def load_snapshots(folder: Path) -> tuple[list[int], dict[int, Parameters]]:
    """A run's seeds, and its parameters at the recorded steps, with exact zeros where a weight is pruned."""
    seeds, masks = load_masks(folder)
    return seeds, unpack_snapshots(load_arrays(Path(folder) / "snapshots.safetensors"), masks)


def load_masks(folder: Path) -> tuple[list[int], list[np.ndarray]]:
    """A run's seeds and masks."""
    arrays = load_arrays(Path(folder) / "mask.safetensors")
    seeds = arrays.pop("seeds").tolist()
    return seeds, [arrays[f"mask{layer}"] for layer in range(1, 1 + len(arrays))]


def pack_snapshots(snapshots: dict[int, Parameters], masks: Sequence[np.ndarray]) -> dict[str, np.ndarray]:
    """Only the surviving weights: steps (T,), weights (R, T, k) layer after layer in index order, biases (R, T, n).

    k is one number because every replica keeps the same count of weights.
    """
    alive = np.concatenate([m.reshape(len(m), -1) for m in masks], axis=1)
    steps = sorted(snapshots)
    weights, biases = [], []
    for step in steps:
        parameters = snapshots[step]
        flat = np.concatenate([w.reshape(len(w), -1) for w in parameters.weights], axis=1)
        weights.append(flat[alive].reshape(len(flat), -1))
        biases.append(np.concatenate(parameters.biases, axis=1))
    return {
        "steps": np.array(steps, np.int32),
        "weights": np.stack(weights, 1),
        "biases": np.stack(biases, 1),
    }


def unpack_snapshots(arrays: dict[str, np.ndarray], masks: Sequence[np.ndarray]) -> dict[int, Parameters]:
    """The inverse of pack_snapshots: step -> parameters with exact zeros where a weight is pruned."""
    alive = np.concatenate([m.reshape(len(m), -1) for m in masks], axis=1)
    weight_edges = np.cumsum([m[0].size for m in masks])[:-1]
    bias_edges = np.cumsum([m.shape[1] for m in masks])[:-1]
    snapshots = {}
    for t, step in enumerate(arrays["steps"].tolist()):
        flat = np.zeros(alive.shape, np.float32)
        flat[alive] = arrays["weights"][:, t].ravel()
        weights = [w.reshape(m.shape) for w, m in zip(np.split(flat, weight_edges, axis=1), masks, strict=True)]
        snapshots[step] = Parameters(tuple(weights), tuple(np.split(arrays["biases"][:, t], bias_edges, axis=1)))
    return snapshots
