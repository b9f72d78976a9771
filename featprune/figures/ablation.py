"""What a criterion brings: each method's test accuracy minus the lottery tickets', paired by seed, by density."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import matplotlib.pyplot as plt
import pandas as pd
import seaborn as sns
from matplotlib.figure import Figure

from featprune.figures.bands import draw_differences
from featprune.figures.panels import name_strategy
from featprune.figures.style import order_methods, percent, plain
from featprune.runs.paths import Kind
from featprune.tables.frames import of_kind

LINE = 0.24  # inches of a method
COLUMNS = 4
TICKS = (-100, -10, -1, 0, 1, 10)


def draw(tables: Mapping[str, pd.DataFrame]) -> Figure:
    """Draw from the table `ablation`: a panel a density (and alpha, where there are several), a line a method."""
    table = tables["ablation"]
    kinds = order_methods(table)
    parts = [of_kind(table, kind).assign(line=number) for number, kind in enumerate(kinds)]
    rows = pd.concat(parts).sort_values(["alpha", "density"], ascending=[True, False], kind="stable")
    several = len(rows["alpha"].unique()) > 1
    rows = rows.assign(panel=[title(row, several) for row in rows.itertuples()])
    panels = len(rows["panel"].unique())
    columns = min(COLUMNS, panels)
    grid = sns.FacetGrid(rows, col="panel", col_wrap=columns)
    plt.close(grid.figure)  # pyplot would keep it alive
    for ax, (_, mine) in zip(grid.axes.flat, rows.groupby("panel", sort=False), strict=True):
        draw_differences(ax, mine["line"].to_numpy(), mine, upright=False)
    # All axes are shared. Within a point the scale is linear: a criterion that breaks down leaves the others readable.
    ax.set(yticks=range(len(kinds)), yticklabels=list(map(name, kinds)), ylim=(len(kinds) - 0.5, -0.5))
    ax.set_xscale("symlog", linthresh=1)
    ax.margins(x=0.08)
    low, high = ax.get_xlim()
    ax.set_xticks([tick for tick in TICKS if low <= tick <= high])
    for ax in grid.axes.flat:
        ax.xaxis.set_major_formatter(plain)
    grid.set_titles("{col_name}").set_axis_labels("", "")
    grid.figure.set_layout_engine("constrained")
    grid.figure.set_size_inches(2.0 + 1.6 * columns, -(-panels // columns) * (LINE * len(kinds) + 0.5) + 0.6)
    grid.figure.supxlabel("test accuracy minus the lottery ticket's (percentage points)")
    grid.figure.suptitle(", ".join(rows["experiment"].unique()))
    return grid.figure


def title(row: Any, several: bool) -> str:
    """Of the panel that a row belongs to."""
    return f"{percent(row.density)} % of weights" + rf", $\alpha$ = {row.alpha:g}" * several


def name(kind: Kind) -> str:
    """A criterion as the config has it; where its networks aren't rewound to their initial values, and where to."""
    return kind.criterion + f", {name_strategy(kind.rewind)}" * (kind.rewind != "init")
