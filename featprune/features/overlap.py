"""The order parameters of a student that learns from a teacher with known units. Light: numpy only."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from featprune.network import MLP, Parameters


def measure_overlap(
    network: MLP,
    snapshots: Mapping[int, Parameters],
    masks: Sequence[np.ndarray],
    seeds: Sequence[int],
    teachers: np.ndarray,
) -> pd.DataFrame:
    """Overlap of every student unit with every teacher unit at every snapshot step (Saad & Solla 1995).

    network: of one hidden layer. teachers: of each seed the units, (R, K, inputs).

    Returns a frame with the columns seed, step, unit, teacher_unit, overlap (the cosine of their weights; NaN for a
    unit without weights), strength (norm of the weights into the unit times that of those out of it, effective ones)
    and survivors (weights into the unit that the mask keeps).
    """
    into, out = network.multipliers
    frames = []
    for step in sorted(snapshots):
        first, second = snapshots[step].weights
        norm = np.linalg.norm(first.astype(np.float64), axis=2)
        strength = into * norm * out * np.linalg.norm(second.astype(np.float64), axis=1)
        with np.errstate(invalid="ignore", divide="ignore"):
            unit = first / norm[..., None]
        directions = teachers / np.linalg.norm(teachers, axis=2, keepdims=True)
        overlap = unit @ directions.swapaxes(1, 2)
        shape = overlap.shape
        grid = np.broadcast_to
        replica, student, of_teacher = (index.ravel() for index in np.indices(shape))
        frames.append(
            pd.DataFrame(
                {
                    "seed": np.asarray(seeds)[replica],
                    "step": step,
                    "unit": student,
                    "teacher_unit": of_teacher,
                    "overlap": overlap.ravel(),
                    "strength": grid(strength[..., None], shape).ravel(),
                    "survivors": grid(masks[0].sum(2)[..., None], shape).ravel(),
                }
            )
        )
    table = pd.concat(frames, ignore_index=True)
    integers = dict.fromkeys(["seed", "step", "unit", "teacher_unit", "survivors"], "int32")
    return table.astype(integers | {"overlap": "float64", "strength": "float64"})
