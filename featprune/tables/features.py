"""What was measured of the features of each run, and between runs, all runs together, with the density of each."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from featprune.runs.paths import RunPath
from featprune.tables.reading import read_density, read_frame, read_runs, with_density


def build_features(features: Sequence[str], shifts: Sequence[str], densities: Sequence[str]) -> dict[str, pd.DataFrame]:
    """The tables `features` and `time_shift`, from the runs' tables of these names: a row also a `target`, the dense
    run that was compared with, by its rewind."""
    density = read_density(densities)
    return {
        "features.parquet": with_density(read_runs(features), density),
        "time_shift.parquet": with_density(read_runs(shifts), density),
    }


def build_richness(richness: Sequence[str], densities: Sequence[str]) -> dict[str, pd.DataFrame]:
    """The table `richness`, from the runs' tables of this name."""
    return {"richness.parquet": with_density(read_runs(richness), read_density(densities))}


def build_connectivity(connectivity: Sequence[str]) -> dict[str, pd.DataFrame]:
    """The table `connectivity`, from the dense runs' tables of this name, which tell of their tickets' rounds too."""
    axes = (RunPath.parse(file).axes() for file in connectivity)
    frames = [
        read_frame(file).assign(**{axis: at[axis] for axis in ("experiment", "alpha", "lr")})
        for file, at in zip(connectivity, axes, strict=True)
    ]
    return {"connectivity.parquet": pd.concat(frames, ignore_index=True)}
