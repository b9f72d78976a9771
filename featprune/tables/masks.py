"""Which weights survive: the density of every layer, and the survivors at every input."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import pandas as pd

from featprune.runs.files import load_masks
from featprune.runs.paths import RunPath
from featprune.tables.frames import AXES, RUN
from featprune.tables.reading import batches, read_density, read_runs, with_density


def build_masks(masks: Sequence[str], densities: Sequence[str]) -> dict[str, Iterator[pd.DataFrame]]:
    """The tables `layer_density` and `pixel_mask`, from the masks of all runs and what was counted of them, some runs
    at a time; the files are in one order of runs."""
    return {
        "layer_density.parquet": (layer_density(some) for (some,) in batches(densities)),
        "pixel_mask.parquet": (pixel_mask(*some) for some in batches(masks, densities)),
    }


def layer_density(densities: Sequence[str]) -> pd.DataFrame:
    """A row a run, seed and layer (from 1); `collapsed` where no weights are left."""
    layers = read_runs(densities)
    layers["layer_density"] = layers["weights_remaining"] / layers["weights"]
    layers["collapsed"] = layers["weights_remaining"] == 0
    density = read_density(densities)[[*RUN, "density"]]
    return layers[[*RUN, "layer", "layer_density", "collapsed"]].merge(density, on=RUN, validate="many_to_one")


def pixel_mask(masks: Sequence[str], densities: Sequence[str]) -> pd.DataFrame:
    """Surviving first-layer weights at each input: a row a run, seed and pixel."""
    frames = []
    for file in masks:
        seeds, (first, *_) = load_masks(file)
        for seed, mask in zip(seeds, first, strict=True):
            survivors = mask.sum(0, dtype=np.int32)
            frame = pd.DataFrame({"pixel": np.arange(len(survivors), dtype=np.int32), "survivors": survivors})
            frames.append(frame.assign(**RunPath.parse(file).axes(), seed=np.int32(seed)))
    table = with_density(pd.concat(frames, ignore_index=True), read_density(densities))
    return table[["experiment", *AXES, "density", "seed", "pixel", "survivors"]]
