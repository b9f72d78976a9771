"""Published test errors of pruned LeNet-300-100 networks on MNIST, from `published.csv`. Light.

method, year: as a reader knows it. density: weights kept of 266,200. error: of the test split. bytes: on disk, where
told. source: where in the paper, and how a number follows where the paper has another. checked: in what it was read.
Most report one run, some the best error seen while training: they are no more comparable than that.
"""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

POINTS = Path(__file__).with_suffix(".csv")


def published() -> list[dict[str, Any]]:
    """The published points, density and error as fractions; bytes None where the paper tells none."""
    with POINTS.open(encoding="utf-8", newline="") as file:
        return [
            {
                "method": row["method"],
                "year": int(row["year"]),
                "density": float(row["density_percent"]) / 100,
                "error": float(row["error_percent"]) / 100,
                "bytes": int(row["bytes"]) if row["bytes"] else None,
                "source": row["source"],
                "checked": row["checked"],
            }
            for row in csv.DictReader(file)
        ]
