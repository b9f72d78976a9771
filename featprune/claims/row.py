"""A row of the table of claims, and the rows that runs give, a cell each."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np
import pandas as pd

from featprune.claims.inference import Interval
from featprune.claims.verdicts import UNDECIDED
from featprune.tables.frames import AXES


@dataclass(frozen=True, kw_only=True)
class Row:
    """A statistic on a claim, with its interval and verdict; fields are the table's columns.

    decides: whether the claim's verdict is read from it. From alpha to density: where, empty for a statistic of more
    than one place. confidence: of the interval. p_adjusted: for several densities (Holm). null_estimate and
    ceiling_estimate: the same of the references; raw_estimate: what was measured before it was scaled by them.
    seeds_needed: to decide, None where it isn't known.
    """

    experiment: str = ""
    claim: str
    statistic: str = ""
    decides: bool = False
    alpha: float = np.nan
    lr: float = np.nan
    criterion: str = ""
    rewind: str = ""
    round: int | None = None
    density: float = np.nan
    estimate: float = np.nan
    ci_low: float = np.nan
    ci_high: float = np.nan
    confidence: float = np.nan
    p_adjusted: float = np.nan
    null_estimate: float = np.nan
    ceiling_estimate: float = np.nan
    raw_estimate: float = np.nan
    n_seeds: int = 0
    verdict: str = UNDECIDED
    seeds_needed: int | None = None

    def judged(self, interval: Interval, verdict: str, **more: Any) -> Row:
        """The row with an interval and its verdict, and what else there is to say."""
        more |= {"estimate": interval.estimate, "ci_low": interval.low, "ci_high": interval.high}
        return replace(self, n_seeds=interval.n, verdict=verdict, **more)

    @property
    def place(self) -> tuple:
        """Which cell and round the row is of."""
        return tuple(getattr(self, axis) for axis in AXES)


TYPES = {"str": "str", "bool": "bool", "float": "float64", "int": "Int32", "int | None": "Int32"}
COLUMNS = {field.name: TYPES[str(field.type)] for field in fields(Row)}


def rows_of_cells(runs: pd.DataFrame, claim: str, confidence: float) -> Iterator[tuple[Row, pd.DataFrame]]:
    """Each cell and round as a row without a statistic yet, and its runs."""
    for point, mine in runs.groupby(AXES):
        where: dict[str, Any] = dict(zip(AXES, point, strict=True))
        yield Row(claim=claim, confidence=confidence, density=mine["density"].mean(), **where), mine


def table_of(rows: Iterable[Row], experiment: str) -> pd.DataFrame:
    """The rows of an experiment as a frame with the columns of COLUMNS, sorted."""
    table = pd.DataFrame([vars(row) for row in rows], columns=list(COLUMNS)).assign(experiment=experiment)
    order = ["claim", "statistic", "criterion", "rewind", "alpha", "lr", "round"]
    return table.astype(COLUMNS).sort_values(order, ignore_index=True, kind="stable")
