"""The files of a run: mask, density, weights, history, and snapshots where features are studied.

Light: reading a run doesn't need torch.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from featprune.errors import FeatpruneError, unreadable
from featprune.network import Parameters
from featprune.pruning.masks import Mask, Masks
from featprune.storage import load_arrays, save_arrays, save_table

if TYPE_CHECKING:
    from featprune.engine.training import Outcome

HISTORY_SCHEMA = pa.schema(
    [
        ("seed", pa.int32()),
        ("step", pa.int32()),
        ("split", pa.string()),
        ("loss", pa.float64()),
        ("accuracy", pa.float64()),
    ]
)
DENSITY_SCHEMA = pa.schema(
    [("seed", pa.int32()), ("layer", pa.int8()), ("weights", pa.int64()), ("weights_remaining", pa.int64())]
)
FilePath = str | Path


@dataclass(frozen=True)
class Run:
    """A saved run: masks and trained weights of its seeds."""

    seeds: list[int]
    masks: Masks
    parameters: Parameters


def save_mask(mask_file: FilePath, density_file: FilePath, mask: Mask, seeds: Sequence[int]) -> None:
    """Write a round's mask, and beside it how many weights it leaves in each layer (from 1) of each seed."""
    arrays = {f"mask{number}": layer for number, layer in enumerate(mask.layers, 1)}
    save_arrays(mask_file, arrays | {"seeds": np.array(seeds, np.int32), "sound": mask.sound})
    rows = [
        (seed, number, layer[i].size, int(layer[i].sum()))
        for i, seed in enumerate(seeds)
        for number, layer in enumerate(mask.layers, 1)
    ]
    columns = dict(zip(DENSITY_SCHEMA.names, map(list, zip(*rows, strict=True)), strict=True))
    save_table(density_file, pa.table(columns, schema=DENSITY_SCHEMA))


def load_mask(mask_file: FilePath, seeds: Sequence[int] | None = None) -> tuple[list[int], Mask]:
    """A run's seeds and mask; raises FeatpruneError where the file is broken or holds other seeds than asked for."""
    arrays = load_arrays(mask_file)
    try:
        held, sound = arrays.pop("seeds").tolist(), arrays.pop("sound")
        mask = Mask([arrays[f"mask{number}"] for number in range(1, 1 + len(arrays))], sound)
        check_mask(mask, len(held))
    except (KeyError, TypeError, ValueError) as error:
        raise FeatpruneError(unreadable(mask_file, error)) from error
    if seeds is not None and held != list(seeds):
        raise FeatpruneError(f"{mask_file}: holds seeds {held}, not {list(seeds)}; delete it")
    return held, mask


def check_mask(mask: Mask, replicas: int) -> None:
    """Raise ValueError unless it is a mask of 0 and 1 of so many networks, whose layers follow each other."""
    if not mask.layers or mask.sound.shape != (replicas,):
        raise ValueError(f"not a mask of {replicas} networks")
    fan_in = mask.layers[0].shape[-1]
    for layer in mask.layers:
        if layer.dtype != bool or layer.view(np.uint8).max(initial=0) > 1:
            raise ValueError("a mask of more than 0 and 1")
        if layer.ndim != 3 or len(layer) != replicas or layer.shape[2] != fan_in:
            raise ValueError(f"masks of {', '.join(str(layer.shape) for layer in mask.layers)}, of no network")
        fan_in = layer.shape[1]


def load_masks(mask_file: FilePath) -> tuple[list[int], Masks]:
    """A run's seeds, and the layers of its mask, bool (R, out, in)."""
    seeds, mask = load_mask(mask_file)
    return seeds, mask.layers


def save_outcome(
    outcome: Outcome,
    masks: Masks,
    seeds: Sequence[int],
    weights_file: FilePath,
    history_file: FilePath,
    snapshots_file: FilePath,
) -> None:
    """Write what training under these masks left (snapshots of no steps, where none were asked for)."""
    block = {"seeds": np.array(seeds, np.int32)}
    save_arrays(weights_file, pack(outcome.parameters, masks) | block)
    columns = {name: pa.array(column, from_pandas=True) for name, column in outcome.history.items()}
    save_table(history_file, pa.table(columns, schema=HISTORY_SCHEMA))
    save_arrays(snapshots_file, pack_snapshots(outcome.snapshots, masks) | block)


def load_run(mask_file: FilePath, weights_file: FilePath, seeds: Sequence[int] | None = None) -> Run:
    """Read a run's masks and weights; raises FeatpruneError where a file is broken or holds other seeds."""
    held, mask = load_mask(mask_file, seeds)
    arrays = load_arrays(weights_file, ["weights", "biases", "seeds"])
    if arrays["seeds"].tolist() != held:
        raise FeatpruneError(f"{weights_file}: holds seeds {arrays['seeds'].tolist()}, not {held}; delete it")
    try:
        return Run(held, mask.layers, unpack(arrays, mask.layers))
    except ValueError as error:
        raise FeatpruneError(f"{unreadable(weights_file, error)}, or {mask_file} if that is what is wrong") from error


def load_parameters(
    mask_file: FilePath | None, weights_file: FilePath | None, seeds: Sequence[int] | None = None
) -> Parameters | None:
    """A run's weights, as `load_run` has them; None where there are no files."""
    return load_run(mask_file, weights_file, seeds).parameters if mask_file and weights_file else None


def load_snapshots(snapshots_file: FilePath, mask_file: FilePath) -> tuple[list[int], dict[int, Parameters]]:
    """A run's seeds, and its parameters at the recorded steps, with exact zeros where a weight is pruned."""
    seeds, masks = load_masks(mask_file)
    try:
        return seeds, unpack_snapshots(load_arrays(snapshots_file), masks)
    except (KeyError, ValueError, IndexError) as error:
        raise FeatpruneError(unreadable(snapshots_file, error)) from error


def pack(parameters: Parameters, masks: Masks) -> dict[str, np.ndarray]:
    """Only the surviving weights (R, k), layer after layer in index order, and the biases (R, n).

    What is pruned takes no room and can't be anything but zero. k is one number because every replica keeps as many.
    """
    alive, flat = (_flatten(arrays) for arrays in (masks, parameters.weights))
    return {"weights": flat[alive].reshape(len(flat), -1), "biases": _flatten(parameters.biases)}


def unpack(arrays: Mapping[str, np.ndarray], masks: Masks) -> Parameters:
    """The inverse of `pack`: parameters with exact zeros where a weight is pruned; ValueError where they don't fit."""
    alive, units = _flatten(masks), sum(m.shape[1] for m in masks)
    kept = np.count_nonzero(alive, axis=1)
    if not (kept == arrays["weights"].shape[1]).all() or arrays["biases"].shape != (len(alive), units):
        found = f"{arrays['weights'].shape[1]} weights and {arrays['biases'].shape[1]} biases"
        raise ValueError(f"{found} of a network, where its mask leaves {kept.max(initial=0)} and {units}")
    flat = np.zeros(alive.shape, arrays["weights"].dtype)
    flat[alive] = arrays["weights"].ravel()
    weights = np.split(flat, np.cumsum([m[0].size for m in masks])[:-1], axis=1)
    biases = np.split(arrays["biases"], np.cumsum([m.shape[1] for m in masks])[:-1], axis=1)
    return Parameters(tuple(w.reshape(m.shape) for w, m in zip(weights, masks, strict=True)), tuple(biases))


def _flatten(arrays: Sequence[np.ndarray]) -> np.ndarray:
    """(R, everything else) of all layers."""
    return np.concatenate([a.reshape(len(a), -1) for a in arrays], axis=1)


def pack_snapshots(snapshots: Mapping[int, Parameters], masks: Masks) -> dict[str, np.ndarray]:
    """Several steps packed: steps (T,), weights (R, T, k), biases (R, T, n)."""
    steps = sorted(snapshots)
    if not steps:
        return {"steps": np.zeros(0, np.int32)}
    packed = [pack(snapshots[step], masks) for step in steps]
    return {"steps": np.array(steps, np.int32)} | {name: np.stack([p[name] for p in packed], 1) for name in packed[0]}


def unpack_snapshots(arrays: Mapping[str, np.ndarray], masks: Masks) -> dict[int, Parameters]:
    """The inverse of `pack_snapshots`: step -> parameters."""
    return {
        step: unpack({name: arrays[name][:, t] for name in ("weights", "biases")}, masks)
        for t, step in enumerate(arrays["steps"].tolist())
    }
