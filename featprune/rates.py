"""Frozen rates: the learning rate of each alpha and kind of run, as another study's tuning found it."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from math import inf
from pathlib import Path
from typing import Any

from featprune.errors import FeatpruneError, first_line
from featprune.runs.paths import LINEARIZED, Kind

COLUMNS = ("alpha", "criterion", "rewind", "lr", "edge")
EDGES = {"True": True, "False": False}


@dataclass(frozen=True)
class Rate:
    """A multiplier of the learning rate, as it is written; `edge`: whether it lay at the edge of what was tried.

    quality: how good it was on validation, more being better, by which one of several alphas is chosen; None where the
    file doesn't say.
    """

    lr: str
    edge: bool
    quality: float | None = None


@dataclass(frozen=True)
class Rates:
    """The table of a file made by `snakemake rates`, or written by hand."""

    path: str
    of_place: Mapping[tuple[float, Kind], Rate]

    def of(self, alpha: str, kind: Kind) -> Rate:
        """The rate of a kind at an alpha; raises FeatpruneError where the file has none.

        Linearized networks that have none of their own take that of the largest alpha, whose limit they are.
        """
        lazy = max((known for known, other in self.of_place if other == kind), default=inf)
        try:
            return self.of_place[min(float(alpha), lazy) if alpha == LINEARIZED else float(alpha), kind]
        except KeyError:
            where = f"criterion {kind.criterion}, rewind {kind.rewind} at alpha {alpha}"
            raise FeatpruneError(f"{self.path}: no rate for {where}; tune it too, or leave it out") from None

    def rows(self, places: list[tuple[str, Kind]]) -> list[dict[str, Any]]:
        """The rates of these as plain data, with the columns of the file; raises like `of`."""
        found = ((alpha, kind, self.of(alpha, kind)) for alpha, kind in places)
        return [
            {"alpha": float(alpha), **kind._asdict(), "lr": float(rate.lr), "edge": rate.edge, "quality": rate.quality}
            for alpha, kind, rate in found
        ]


def read_rates(path: str) -> Rates:
    """Read the CSV with the columns of COLUMNS, and validation_accuracy or validation_loss where it has them.

    Equal multipliers that are written differently appear as the first of them. Raises FeatpruneError that names the
    file, and the line where one is wrong.
    """
    try:
        with Path(path).open(encoding="utf-8", newline="") as file:
            rows = list(csv.DictReader(file))
    except (OSError, ValueError, csv.Error) as error:
        reason = getattr(error, "strerror", None) or first_line(error)
        raise FeatpruneError(f"{path}: {reason}; `snakemake rates` makes such a table") from error
    table: dict[tuple[float, Kind], Rate] = {}
    written: dict[float, str] = {}
    for line, row in enumerate(rows, 2):
        try:
            place = float(row["alpha"]), Kind(row["criterion"], row["rewind"])
            lr = float(row["lr"])
            rate = Rate(written.setdefault(lr, row["lr"].strip()), EDGES[row["edge"]], _quality(row))
            if not 0 < lr < inf:
                raise ValueError("no multiplier")
        except (KeyError, TypeError, ValueError) as error:
            wanted = f"{', '.join(COLUMNS)}, with numbers for alpha and lr, and True or False for edge"
            raise FeatpruneError(f"{path}: line {line}: expected {wanted}") from error
        if place in table:
            raise FeatpruneError(f"{path}: line {line}: a second rate of the same alpha, criterion and rewind")
        table[place] = rate
    return Rates(str(path), table)


def _quality(row: Mapping[str, str | None]) -> float | None:
    """The validation accuracy, or for regression, which has none, minus the validation loss."""
    for column, sign in (("validation_accuracy", 1), ("validation_loss", -1)):
        if row.get(column):
            return sign * float(row[column] or 0)
    return None
