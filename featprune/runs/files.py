"""The files that a run leaves in its folder: mask, weights, history, and snapshots where features are studied.

Light: reading a run doesn't need torch.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from featprune.errors import FeatpruneError
from featprune.network import Parameters
from featprune.storage import load_arrays, save_arrays, save_table

if TYPE_CHECKING:
    from featprune.engine.training import Outcome

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


def save_run(folder: Path, masks: Sequence[np.ndarray], outcome: Outcome, seeds: Sequence[int]) -> None:
    """Write mask, weights, history and snapshots (of no steps, where none were asked for)."""
    folder = Path(folder)
    names = {f"mask{layer}": mask for layer, mask in enumerate(masks, 1)}
    block = {"seeds": np.array(seeds, np.int32)}
    save_arrays(folder / "mask.safetensors", names | block)
    save_arrays(folder / "weights.safetensors", pack(outcome.parameters, masks) | block)
    columns = {name: pa.array(column, from_pandas=True) for name, column in outcome.history.items()}
    save_table(folder / "history.parquet", pa.table(columns, schema=HISTORY))
    save_arrays(folder / "snapshots.safetensors", pack_snapshots(outcome.snapshots, masks) | block)


def load_run(folder: Path, seeds: Sequence[int] | None = None) -> Run:
    """Read a run's masks and weights; raises FeatpruneError where a file is broken or holds other seeds."""
    folder = Path(folder)
    held, masks = load_masks(folder)
    if seeds is not None and held != list(seeds):
        raise FeatpruneError(f"{folder / 'mask.safetensors'}: holds seeds {held}, not {list(seeds)}; delete it")
    return Run(held, masks, unpack(load_arrays(folder / "weights.safetensors", ["weights", "biases"]), masks))


def load_snapshots(folder: Path) -> tuple[list[int], dict[int, Parameters]]:
    """A run's seeds, and its parameters at the recorded steps, with exact zeros where a weight is pruned."""
    seeds, masks = load_masks(folder)
    return seeds, unpack_snapshots(load_arrays(Path(folder) / "snapshots.safetensors"), masks)


def load_masks(folder: Path) -> tuple[list[int], list[np.ndarray]]:
    """A run's seeds and masks."""
    arrays = load_arrays(Path(folder) / "mask.safetensors")
    seeds = arrays.pop("seeds").tolist()
    return seeds, [arrays[f"mask{layer}"] for layer in range(1, 1 + len(arrays))]


def pack(parameters: Parameters, masks: Sequence[np.ndarray]) -> dict[str, np.ndarray]:
    """Only the surviving weights (R, k), layer after layer in index order, and the biases (R, n).

    What is pruned takes no room and can't be anything but zero. k is one number because every replica keeps as many.
    """
    alive, flat = (_flatten(arrays) for arrays in (masks, parameters.weights))
    return {"weights": flat[alive].reshape(len(flat), -1), "biases": _flatten(parameters.biases)}


def unpack(arrays: Mapping[str, np.ndarray], masks: Sequence[np.ndarray]) -> Parameters:
    """The inverse of `pack`: parameters with exact zeros where a weight is pruned."""
    alive = _flatten(masks)
    flat = np.zeros(alive.shape, arrays["weights"].dtype)
    flat[alive] = arrays["weights"].ravel()
    weights = np.split(flat, np.cumsum([m[0].size for m in masks])[:-1], axis=1)
    biases = np.split(arrays["biases"], np.cumsum([m.shape[1] for m in masks])[:-1], axis=1)
    return Parameters(tuple(w.reshape(m.shape) for w, m in zip(weights, masks, strict=True)), tuple(biases))


def _flatten(arrays: Sequence[np.ndarray]) -> np.ndarray:
    """(R, everything else) of all layers."""
    return np.concatenate([a.reshape(len(a), -1) for a in arrays], axis=1)


def pack_snapshots(snapshots: Mapping[int, Parameters], masks: Sequence[np.ndarray]) -> dict[str, np.ndarray]:
    """Several steps packed: steps (T,), weights (R, T, k), biases (R, T, n)."""
    steps = sorted(snapshots)
    if not steps:
        return {"steps": np.zeros(0, np.int32)}
    packed = [pack(snapshots[step], masks) for step in steps]
    return {"steps": np.array(steps, np.int32)} | {name: np.stack([p[name] for p in packed], 1) for name in packed[0]}


def unpack_snapshots(arrays: Mapping[str, np.ndarray], masks: Sequence[np.ndarray]) -> dict[int, Parameters]:
    """The inverse of `pack_snapshots`: step -> parameters."""
    return {
        step: unpack({name: arrays[name][:, t] for name in ("weights", "biases")}, masks)
        for t, step in enumerate(arrays["steps"].tolist())
    }
