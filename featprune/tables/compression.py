"""Compressed runs beside the dense networks that they come from."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from featprune.runs.paths import DENSE
from featprune.tables.frames import RUN, of_kind
from featprune.tables.reading import read_frame, read_runs


def build_compression(compressed: Sequence[str], summary: str) -> dict[str, pd.DataFrame]:
    """The table `compression`, from the compressed runs' tables and the experiment's summary."""
    return {"compression.parquet": compression(read_runs(compressed), read_frame(summary))}


def compression(compressed: pd.DataFrame, summary: pd.DataFrame) -> pd.DataFrame:
    """The compressed runs' sizes and accuracies, with density and the accuracy of the dense network of the seed."""
    table = compressed.merge(summary[[*RUN, "density"]], on=RUN, validate="one_to_one")
    cell = ["alpha", "lr", "seed"]
    dense = of_kind(summary, DENSE)[[*cell, "test_accuracy"]].rename(columns={"test_accuracy": "dense_accuracy"})
    return table.merge(dense, on=cell, validate="many_to_one")
