"""Files of tables and of runs as frames; the axes of the sweep come from the runs' paths. Light: needs no torch."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import pandas as pd
import pyarrow as pa
import pyarrow.dataset as ds

from featprune.runs.paths import RunPath
from featprune.storage import load_table
from featprune.tables.frames import RUN

FILE = "__filename"  # of a row of a dataset, as pyarrow calls it
BATCH = 50  # runs that a table reads at a time, so that its job takes no more memory for more runs


def read_frame(file: str) -> pd.DataFrame:
    """A table; raises FeatpruneError naming the file if it can't be read."""
    return load_table(file).to_pandas()


def batches(*files: Sequence[str], size: int = BATCH) -> Iterator[tuple[Sequence[str], ...]]:
    """Some runs' files at a time: of several lists, all in one order of runs, those of the same runs."""
    if len({*map(len, files)}) != 1:
        raise ValueError("lists of files of different runs")
    for start in range(0, len(files[0]), size):
        yield tuple(some[start : start + size] for some in files)


def read_runs(files: Iterable[str], columns: Sequence[str] = RUN[:-1]) -> pd.DataFrame:
    """The tables of several runs below each other, with axes of each run as columns: all of them, or these."""
    table = _below_each_other(list(files))
    runs = table[FILE].combine_chunks().dictionary_encode()
    axes = pd.DataFrame([RunPath.parse(file).axes() for file in runs.dictionary.to_pylist()])
    rows = axes.take(runs.indices.to_numpy()).reset_index(drop=True)
    return table.drop_columns([FILE]).to_pandas().assign(**{axis: rows[axis] for axis in columns})


def _below_each_other(files: Sequence[str]) -> pa.Table:
    """The rows of these Parquet files, with the column FILE; raises FeatpruneError naming one that can't be read."""
    try:
        # A run's folder names are Hive keys; the files' own columns are all that is wanted here.
        rows = ds.dataset(files, format="parquet", partitioning=None)
        return rows.to_table(columns=[*rows.schema.names, FILE])
    except (pa.ArrowException, OSError):
        for file in files:
            load_table(file)
        raise


def read_density(files: Iterable[str]) -> pd.DataFrame:
    """A row a run and seed, from the runs' `density.parquet`: the columns of RUN, density and weights_remaining."""
    totals = read_runs(files).groupby(RUN, sort=False, as_index=False)[["weights", "weights_remaining"]].sum()
    totals["density"] = totals["weights_remaining"] / totals["weights"]
    return totals[[*RUN, "density", "weights_remaining"]]


def with_density(rows: pd.DataFrame, density: pd.DataFrame) -> pd.DataFrame:
    """The rows of runs, with the density of each run and seed (from `read_density`, whose order they take)."""
    return density[[*RUN, "density"]].merge(rows, on=RUN, validate="one_to_many")
