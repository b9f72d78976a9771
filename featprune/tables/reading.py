"""Files of tables and of runs as frames; the axes of the sweep come from the runs' paths. Light: needs no torch."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa

from featprune.errors import FeatpruneError
from featprune.runs.paths import RunPath
from featprune.storage import ABOUT, load_table, open_table
from featprune.tables.frames import RUN

BATCH = 50  # runs that a table reads at a time, so that its job takes no more memory for more runs


def read_frame(file: str) -> pd.DataFrame:
    """A table; raises FeatpruneError naming the file if it can't be read."""
    return load_table(file).to_pandas()


@contextmanager
def expected(files: Iterable[str]) -> Iterator[None]:
    """Make an error of a column or key that a table of another version lacks one that names its file."""
    try:
        yield
    except (LookupError, AttributeError) as error:
        for file in files:
            if Path(file).suffix == ".parquet" and ABOUT.encode() not in (open_table(file).schema_arrow.metadata or {}):
                way = "delete it and run again to make it anew"
                raise FeatpruneError(
                    f"{file}: of another version, without what is read here ({error}); {way}"
                ) from error
        raise


def batches(*files: Sequence[str], size: int = BATCH) -> Iterator[tuple[Sequence[str], ...]]:
    """Some runs' files at a time: of several lists, all in one order of runs, those of the same runs."""
    if len({*map(len, files)}) != 1:
        raise ValueError("lists of files of different runs")
    for start in range(0, len(files[0]), size):
        yield tuple(some[start : start + size] for some in files)


def read_runs(files: Iterable[str], columns: Sequence[str] = RUN[:-1]) -> pd.DataFrame:
    """The tables of several runs below each other, with axes of each run as columns: all of them, or these."""
    files = list(files)
    tables = [load_table(file) for file in files]
    axes = pd.DataFrame([RunPath.parse(file).axes() for file in files])
    rows = axes.take(np.repeat(range(len(files)), [len(table) for table in tables])).reset_index(drop=True)
    whole = pa.concat_tables(table.replace_schema_metadata() for table in tables).to_pandas()
    return whole.assign(**{axis: rows[axis] for axis in columns})


def read_density(files: Iterable[str]) -> pd.DataFrame:
    """A row a run and seed, from the runs' `density.parquet`: the columns of RUN, density and weights_remaining."""
    totals = read_runs(files).groupby(RUN, sort=False, as_index=False)[["weights", "weights_remaining"]].sum()
    totals["density"] = totals["weights_remaining"] / totals["weights"]
    return totals[[*RUN, "density", "weights_remaining"]]


def with_density(rows: pd.DataFrame, density: pd.DataFrame) -> pd.DataFrame:
    """The rows of runs, with the density of each run and seed (from `read_density`, whose order they take)."""
    return density[[*RUN, "density"]].merge(rows, on=RUN, validate="one_to_many")
