"""What was measured of the features of each run, all runs together, with the density of each."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from featprune.tables.reading import read_density, read_runs, with_density


def build_features(features: Sequence[str], shifts: Sequence[str], densities: Sequence[str]) -> dict[str, pd.DataFrame]:
    """The tables `features` and `time_shift`, from the runs' tables of these names."""
    density = read_density(densities)
    return {
        "features.parquet": with_density(read_runs(features), density),
        "time_shift.parquet": with_density(read_runs(shifts), density),
    }


def build_richness(richness: Sequence[str], densities: Sequence[str]) -> dict[str, pd.DataFrame]:
    """The table `richness`, from the runs' tables of this name."""
    return {"richness.parquet": with_density(read_runs(richness), read_density(densities))}
