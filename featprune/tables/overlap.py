"""How far the units of each run are those of the teacher that made the labels."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import pandas as pd

from featprune.datasets.dataset import load_dataset
from featprune.errors import FeatpruneError
from featprune.features.overlap import measure_overlap
from featprune.network import network_for
from featprune.runs.files import load_masks, load_snapshots
from featprune.runs.paths import RunPath
from featprune.tables.reading import read_density, with_density


def build_overlap(
    snapshots: Sequence[str], masks: Sequence[str], densities: Sequence[str], data: str, model: dict
) -> dict[str, Iterator[pd.DataFrame]]:
    """The table `overlap`: `measure_overlap` of runs, whose files come in one order of runs; read a run at a time.

    data: the prepared dataset, which knows the teacher. model: the config's description of the network.
    """
    dataset = load_dataset(data)
    if dataset.teacher is None:
        raise FeatpruneError(f"{data}: has no teacher to compare with; a dataset of the source 'teacher' has one")
    network = network_for(model, dataset)

    def rows() -> Iterator[pd.DataFrame]:
        for snapshot_file, mask_file, density_file in zip(snapshots, masks, densities, strict=True):
            seeds, parameters = load_snapshots(snapshot_file, mask_file)
            teachers = np.stack([teacher for seed in seeds if (teacher := dataset.of(seed).teacher) is not None])
            overlap = measure_overlap(network, parameters, load_masks(mask_file)[1], seeds, teachers)
            yield with_density(overlap.assign(**RunPath.parse(snapshot_file).axes()), read_density([density_file]))

    return {"overlap.parquet": rows()}
