"""A part of the preactivations that is small enough to draw."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from featprune.datasets.dataset import load_dataset
from featprune.features.preactivations import read_preactivations
from featprune.runs.paths import RunPath
from featprune.tables.reading import read_density, with_density

LAYER, SAMPLES = 1, 60


def build_preactivations(preactivations: Sequence[str], densities: Sequence[str], data: str) -> dict[str, pd.DataFrame]:
    """The table `preactivations`: of each run the first seed, at LAYER and SAMPLES inputs, at every step."""
    dataset = load_dataset(data)
    # All are of the first seed.
    frames = [sample(file, dataset.of(RunPath.parse(file).seeds[0]).test_y, LAYER, SAMPLES) for file in preactivations]
    return {"preactivations.parquet": with_density(pd.concat(frames, ignore_index=True), read_density(densities))}


def sample(file: str, labels: np.ndarray, layer: int, samples: int) -> pd.DataFrame:
    """A row a step, sample and unit of a run's first seed, at one layer.

    labels: of the whole test split. Samples are spread over the probe set ordered by label.
    """
    run = RunPath.parse(file)
    seed = run.seeds[0]
    matrices = {t: (probe, h) for _, at, t, probe, h in read_preactivations(file, seed) if at == layer}
    frames = []
    for step in sorted(matrices):
        probe, h = matrices[step]
        by_label = np.argsort(labels[probe].reshape(len(probe), -1)[:, 0], kind="stable")
        rows = by_label[np.unique(np.linspace(0, len(probe) - 1, samples).round().astype(int))]
        units = h.shape[1]
        frame = pd.DataFrame(
            {
                "step": np.int32(step),
                "layer": np.int8(layer),
                "sample": np.repeat(probe[rows], units),
                "label": np.repeat(labels[probe[rows]].reshape(len(rows), -1)[:, 0], units).astype(float),
                "unit": np.tile(np.arange(units, dtype=np.int32), len(rows)),
                "preactivation": h[rows].ravel(),
            }
        )
        frames.append(frame.assign(**run.axes(), seed=np.int32(seed)))
    return pd.concat(frames, ignore_index=True)
