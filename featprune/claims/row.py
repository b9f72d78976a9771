"""A row of the table of claims, and how rows get their verdicts."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from featprune.claims.inference import Evidence
from featprune.claims.rules import Rules
from featprune.claims.verdicts import FAILS, HOLDS, UNDECIDED
from featprune.tables.frames import AXES


@dataclass(frozen=True, kw_only=True)
class Row:
    """A statistic on a claim, with its interval and verdict; fields are the table's columns.

    decides: whether the claim's verdict is read from it. From alpha to density: where, empty for a statistic of more
    than one place. confidence: of the interval, which may be infinite. p_holds, p_fails: one-sided p values of both
    answers; p_adjusted: that of the verdict, the smaller of both without one, after Holm's correction over the rows
    that decide beside it. null_estimate and ceiling_estimate: the same of the references; raw_estimate: what was
    measured before it was scaled by them. n_at_bound: seeds whose estimate is only a bound. seeds_needed: to decide,
    None where it isn't known.
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
    p_holds: float = 1.0
    p_fails: float = 1.0
    p_adjusted: float = 1.0
    null_estimate: float = np.nan
    ceiling_estimate: float = np.nan
    raw_estimate: float = np.nan
    n_seeds: int = 0
    n_at_bound: int = 0
    verdict: str = UNDECIDED
    seeds_needed: int | None = None

    def found(self, estimate: float, interval: tuple[float, float], evidence: Evidence, **more: Any) -> Finding:
        """The row with an estimate and its interval, and what else there is to say, beside the evidence."""
        low, high = interval
        p_holds, p_fails = evidence.p_holds, evidence.p_fails
        row = replace(self, estimate=estimate, ci_low=low, ci_high=high, p_holds=p_holds, p_fails=p_fails, **more)
        return Finding(row, evidence)

    def may_decide(self, rules: Rules) -> bool:
        """Whether it is of a place that decides: of such a round, and of a network that isn't linearized."""
        return self.round in rules.decide_at and not np.isinf(self.alpha)

    @property
    def place(self) -> tuple:
        """Which cell and round the row is of."""
        return tuple(getattr(self, axis) for axis in AXES)


class Finding(NamedTuple):
    """A row without its verdict, which other rows have a part in, and the evidence on it."""

    row: Row
    evidence: Evidence


TYPES = {"str": "str", "bool": "bool", "float": "float64", "int": "Int32", "int | None": "Int32"}
COLUMNS = {field.name: TYPES[str(field.type)] for field in fields(Row)}


def rows_of_cells(runs: pd.DataFrame, claim: str, confidence: float) -> Iterator[tuple[Row, pd.DataFrame]]:
    """Each cell and round as a row without a statistic yet, and its runs."""
    for point, mine in runs.groupby(AXES):
        where: dict[str, Any] = dict(zip(AXES, point, strict=True))
        yield Row(claim=claim, confidence=confidence, density=mine["density"].mean(), **where), mine


def judged(findings: Iterable[Finding], rules: Rules) -> list[Row]:
    """The rows with their verdicts: an answer holds where its p value is below the level.

    The rows of a claim and strategy that decide share one level for each answer (Holm 1979); others stand alone.
    """
    families: dict[Any, list[Finding]] = {}
    for index, finding in enumerate(findings):
        row = finding.row
        families.setdefault((row.claim, row.criterion, row.rewind) if row.decides else index, []).append(finding)
    return [row for family in families.values() for row in _judged_together(family, rules)]


def _judged_together(family: list[Finding], rules: Rules) -> Iterator[Row]:
    holding, failing = zip(*((evidence.p_holds, evidence.p_fails) for _, evidence in family), strict=True)
    for (row, evidence), holds, fails in zip(family, holm(holding), holm(failing), strict=True):
        if min(holds, fails) >= rules.level:
            # With as many tests, the last one at the level itself: so many seeds are enough in any case.
            needed = evidence.seeds(rules.level / len(family))
            yield replace(row, p_adjusted=min(holds, fails), seeds_needed=needed)
        elif holds < rules.level:
            yield replace(row, p_adjusted=holds, verdict=HOLDS)
        else:
            yield replace(row, p_adjusted=fails, verdict=FAILS)


def holm(p: Sequence[float]) -> np.ndarray:
    """p values (n,) after the step-down correction of Holm (1979). (statsmodels' collects garbage at every call.)"""
    values, order = np.asarray(p), np.argsort(p)
    adjusted = np.empty(len(values))
    adjusted[order] = np.minimum(np.maximum.accumulate(values[order] * np.arange(len(values), 0, -1)), 1)
    return adjusted


def table_of(rows: Iterable[Row], experiment: str) -> pd.DataFrame:
    """The rows of an experiment as a frame with the columns of COLUMNS, sorted."""
    table = pd.DataFrame([vars(row) for row in rows], columns=list(COLUMNS)).assign(experiment=experiment)
    order = ["claim", "statistic", "criterion", "rewind", "alpha", "lr", "round"]
    return table.astype(COLUMNS).sort_values(order, ignore_index=True, kind="stable")
