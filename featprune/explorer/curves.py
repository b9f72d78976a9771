"""Performance and claims of an experiment as plain data."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
import pandas as pd

from featprune.claims.verdicts import CLAIM_1, CLAIM_2, CLAIM_3, HEADLINE, HYPOTHESIS
from featprune.figures.bands import Metric
from featprune.figures.style import percent
from featprune.runs.paths import LONGER
from featprune.tables.frames import AXES, name_alpha, of_kind
from featprune.tables.intervals import student_t

# The statistics that a claim's verdict is read from; a row of them at a round that does not decide is description.
STATISTICS = {
    CLAIM_1: ("at_least_as_good",),
    CLAIM_2: ("correlation",),
    CLAIM_3: ("change_correlation",),
    HYPOTHESIS: ("interaction", "messier"),
    HEADLINE: ("gain",),
}
DIGITS = 6  # significant ones that the page keeps


def curves(summary: pd.DataFrame, tuned: pd.DataFrame, metric: Metric) -> list[dict[str, Any]]:
    """A row an alpha, lr, strategy and round: mean over the seeds that are told of, 95 % interval, how many diverged.

    chosen: whether the validation split chose this rate here, as `tuned` tells. Means and intervals are geometric
    where the metric's axis is logarithmic, and the interval is null from fewer than three seeds.
    """
    runs = summary[summary["seed"].isin(tuned["seed"])]
    runs = runs.drop(of_kind(runs, LONGER).index)
    chosen = set(tuned[AXES].itertuples(index=False, name=None))
    rows = []
    for place, mine in runs.groupby(AXES):
        values = metric.of(mine).dropna()
        scaled = np.log(values) if metric.log else values
        told = [scaled.mean(), *student_t(scaled)] if len(scaled) else [np.nan] * 3
        mean, low, high = np.exp(told) if metric.log else told
        rows.append(
            _place(place)
            | {
                "density": mine["density"].mean(),
                "percent": percent(mine["density"].mean()),
                "mean": mean,
                "low": low,
                "high": high,
                "seeds": len(values),
            }
            | {"diverged": len(mine) - len(values), "chosen": place in chosen}
        )
    return plain(rows)


def claims(table: pd.DataFrame) -> list[dict[str, Any]]:
    """The rows of the table `claims` that verdicts are read from; null where a row is of more than one place."""
    rows = []
    for row in table.to_dict("records"):
        if row["statistic"] not in STATISTICS[row["claim"]]:
            continue
        kept = ("claim", "statistic", "decides", "estimate", "ci_low", "ci_high", "confidence", "n_seeds", "verdict")
        rows.append(_place([row[axis] for axis in AXES]) | {name: row[name] for name in (*kept, "seeds_needed")})
    return plain(rows)


def _place(axes: Iterable[Any]) -> dict[str, Any]:
    alpha, lr, criterion, rewind, number = axes
    return {"alpha": as_choice(alpha), "lr": lr, "strategy": f"{criterion}/{rewind}", "round": number}


def as_choice(alpha: float) -> float | str:
    """An alpha as the page has it: JSON has no infinite numbers."""
    return name_alpha(alpha) if np.isinf(alpha) else alpha


def plain(rows: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """The rows as JSON holds them: no number that isn't finite, and few digits."""
    return [{name: _plain(value) for name, value in row.items()} for row in rows]


def _plain(value: Any) -> Any:
    if isinstance(value, (bool, np.bool_)):
        return bool(value)
    if isinstance(value, str):
        return value
    if pd.isna(value) or not np.isfinite(value):
        return None
    return int(value) if value == int(value) else float(f"{value:.{DIGITS}g}")
