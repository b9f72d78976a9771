"""Panels of paired differences: one a density (and alpha, where there are several), a line a comparison."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import matplotlib.pyplot as plt
import pandas as pd
import seaborn as sns
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from featprune.figures.bands import draw_differences
from featprune.figures.style import percent, plain
from featprune.tables.frames import name_alpha

LINE = 0.24  # inches of a line
COLUMNS = 4
TICKS = (-100, -10, -1, 0, 1, 10)
FINE = (-10, -3, -1, 0, 1, 3, 10)  # where all lies within ten points


def panels(rows: pd.DataFrame, names: Sequence[str], what: str) -> Figure:
    """Draw rows with the columns of `paired_difference`, alpha, density and line, the number of its name, and of
    `color` unless all are ours; `what` is the difference of."""
    rows = rows.sort_values(["alpha", "density"], ascending=[True, False], kind="stable")
    several = len(rows["alpha"].unique()) > 1
    rows = rows.assign(panel=[title(row, several) for row in rows.itertuples()])
    count = len(rows["panel"].unique())
    columns = min(COLUMNS, count)
    grid = sns.FacetGrid(rows, col="panel", col_wrap=columns)
    plt.close(grid.figure)  # pyplot would keep it alive
    for ax, (_, mine) in zip(grid.axes.flat, rows.groupby("panel", sort=False), strict=True):
        draw_differences(ax, mine["line"].to_numpy(), mine, upright=False)
    # All axes are shared. Within a point the scale is linear: what breaks down leaves the others readable.
    ax.set(yticks=range(len(names)), yticklabels=names, ylim=(len(names) - 0.5, -0.5))
    ax.set_xscale("symlog", linthresh=1)
    ax.margins(x=0.08)
    low, high = ax.get_xlim()
    ax.set_xticks(ticks(low, high))
    for ax in grid.axes.flat:
        ax.xaxis.set_major_formatter(plain)
    grid.set_titles("{col_name}").set_axis_labels("", "")
    grid.figure.set_layout_engine("constrained")
    grid.figure.set_size_inches(2.0 + 1.6 * columns, -(-count // columns) * (LINE * len(names) + 0.5) + 0.6)
    grid.figure.supxlabel(f"{what} (percentage points)")
    grid.figure.suptitle(", ".join(rows["experiment"].unique()))
    return grid.figure


def ticks(low: float, high: float) -> list[float]:
    """Few round numbers between these; where all lies within a point or so, fractions of it."""
    some = [float(tick) for tick in (FINE if low > -10 and high < 10 else TICKS) if low <= tick <= high]
    if len(some) > 2:
        return some
    return [float(tick) for tick in MaxNLocator(4, steps=[1, 2, 5]).tick_values(low, high) if low <= tick <= high]


def title(row: Any, several: bool) -> str:
    """Of the panel that a row belongs to."""
    alpha = name_alpha(row.alpha, r"$\alpha$ = ")
    return f"{percent(row.density)} % of weights" + f", {alpha}" * several
