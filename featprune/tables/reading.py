"""Files of tables and of runs as frames; the axes of the sweep come from the runs' paths. Light: needs no torch."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pandas as pd

from featprune.errors import FeatpruneError
from featprune.runs.paths import RunPath
from featprune.storage import ABOUT, load_table, open_table
from featprune.tables.frames import RUN


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


def read_runs(files: Iterable[str]) -> pd.DataFrame:
    """The tables of several runs below each other, with the axes of each run as columns."""
    return pd.concat([read_frame(file).assign(**RunPath.parse(file).axes()) for file in files], ignore_index=True)


def read_density(files: Iterable[str]) -> pd.DataFrame:
    """A row a run and seed, from the runs' `density.parquet`: the columns of RUN, density and weights_remaining."""
    totals = read_runs(files).groupby(RUN, sort=False, as_index=False)[["weights", "weights_remaining"]].sum()
    totals["density"] = totals["weights_remaining"] / totals["weights"]
    return totals[[*RUN, "density", "weights_remaining"]]


def with_density(rows: pd.DataFrame, density: pd.DataFrame) -> pd.DataFrame:
    """The rows of runs, with the density of each run and seed (from `read_density`, whose order they take)."""
    return density[[*RUN, "density"]].merge(rows, on=RUN, validate="one_to_many")
