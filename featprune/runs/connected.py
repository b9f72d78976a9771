"""Straight lines between saved runs: which there are, and what lies on them."""

from __future__ import annotations

from collections.abc import Iterable

import pandas as pd

from featprune.datasets.dataset import Dataset
from featprune.engine.objective import Objective
from featprune.features.connectivity import measure_barriers
from featprune.network import MLP
from featprune.pruning.masks import remaining
from featprune.runs.files import FilePath, Run, load_run
from featprune.runs.paths import DENSE, PAIRS, Kind, RunPath


def measure_connectivity(
    network: MLP, data: Dataset, files: Iterable[tuple[FilePath, FilePath]], objective: Objective, center: bool
) -> pd.DataFrame:
    """What lies between the runs of one alpha, lr and block that PAIRS couples: runs of a round, or a dense one.

    files: mask and weights of each run. Both ends are under the mask of the first, and so is the initialization that
    they share, on which f is centered.

    Returns the rows of `measure_barriers` with the columns pair, round, and density (of that mask).
    """
    runs: dict[tuple[Kind, int | str], Run] = {}
    for mask, weights in files:
        path = RunPath.parse(mask)
        runs[path.cell.kind, path.round] = load_run(mask, weights)
    initial = network.initial(next(iter(runs.values())).seeds)
    frames = []
    for pair, (one, other) in PAIRS.items():
        for (kind, round), first in runs.items():
            second = runs.get((other, 0 if other.criterion == DENSE.criterion else round))
            if kind != one or second is None:
                continue
            seeds, masks = first.seeds, first.masks
            reference = initial.masked(masks) if center else None
            ends = first.parameters, second.parameters.masked(masks)
            found = measure_barriers(network, *ends, seeds, data, objective, reference)
            density = dict(zip(seeds, remaining(masks) / sum(mask[0].size for mask in masks), strict=True))
            frames.append(found.assign(pair=pair, round=round, density=found["seed"].map(density)))
    table = pd.concat(frames).astype({"round": "int32"})
    return table.sort_values("seed", kind="stable", ignore_index=True)
