"""What was measured of the features of each run, and between runs, all runs together, with the density of each."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import pandas as pd

from featprune.tables.reading import batches, read_density, read_runs, with_density


def build_features(
    features: Sequence[str], shifts: Sequence[str], densities: Sequence[str]
) -> dict[str, Iterator[pd.DataFrame]]:
    """The tables `features` and `time_shift`, from the runs' tables of these names: a row also a `target`, the dense
    run that was compared with, by its rewind."""
    return {
        "features.parquet": _with_densities(features, densities),
        "time_shift.parquet": _with_densities(shifts, densities),
    }


def build_richness(richness: Sequence[str], densities: Sequence[str]) -> dict[str, Iterator[pd.DataFrame]]:
    """The table `richness`, from the runs' tables of this name."""
    return {"richness.parquet": _with_densities(richness, densities)}


def _with_densities(files: Sequence[str], densities: Sequence[str]) -> Iterator[pd.DataFrame]:
    """The rows of some runs at a time, with the density of each; the files are in one order of runs."""
    for some, theirs in batches(files, densities):
        yield with_density(read_runs(some), read_density(theirs))


def build_connectivity(connectivity: Sequence[str]) -> dict[str, Iterator[pd.DataFrame]]:
    """The table `connectivity`, from the dense runs' tables of this name, which tell of their tickets' rounds too."""
    axes = ["experiment", "alpha", "lr"]
    rows = (read_runs(some, axes) for (some,) in batches(connectivity))
    return {"connectivity.parquet": rows}
