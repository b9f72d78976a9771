"""What a criterion brings: each method's test accuracy minus the lottery tickets', paired by seed, by density."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from featprune.figures.style import OURS, choose_method, order_methods, percent
from featprune.tables.frames import of_kind

LINE = 0.24  # inches of a method
COLUMNS = 4


def draw(tables: Mapping[str, pd.DataFrame]) -> Figure:
    """Draw from the table `ablation`: a panel a density (and alpha, where there are several), a line a method."""
    table = tables["ablation"]
    kinds = order_methods(table)
    parts = [of_kind(table, kind).assign(method=choose_method(*kind).label) for kind in kinds]
    rows = pd.concat(parts).sort_values(["alpha", "density"], ascending=[True, False], kind="stable")
    several = len(rows["alpha"].unique()) > 1
    rows = rows.assign(panel=[title(row, several) for row in rows.itertuples()])
    columns, height = min(COLUMNS, len(rows["panel"].unique())), LINE * len(kinds) + 1.0
    grid = sns.FacetGrid(rows, col="panel", col_wrap=columns, height=height)
    plt.close(grid.figure)  # pyplot would keep it alive
    for ax, (_, mine) in zip(grid.axes.flat, rows.groupby("panel", sort=False), strict=True):
        differences(ax, mine, [choose_method(*kind).label for kind in kinds])
    grid.set_titles("{col_name}")
    grid.figure.set_layout_engine("constrained")
    grid.figure.set_size_inches(2.0 + 1.6 * columns, height)
    grid.figure.supxlabel("test accuracy minus the lottery ticket's (percentage points)")
    grid.figure.suptitle(", ".join(rows["experiment"].unique()))
    return grid.figure


def title(row: Any, several: bool) -> str:
    """Of the panel that a row belongs to."""
    return f"{percent(row.density)} % of weights" + rf", $\alpha$ = {row.alpha:g}" * several


def differences(ax: Axes, rows: pd.DataFrame, methods: list[str]) -> None:
    """Means with their intervals; open where the interval holds zero."""
    place = {method: number for number, method in enumerate(methods)}
    y = rows["method"].map(place).to_numpy()
    mean, low, high = (100 * rows[column].to_numpy(float) for column in ("difference", "ci_low", "ci_high"))
    clear = (low > 0) | (high < 0)
    ax.axvline(0, color="0.4", linewidth=0.8)
    ax.hlines(y, low, high, color=OURS)
    ax.scatter(mean, y, s=16, facecolor=np.where(clear, OURS, "white"), edgecolor=OURS, zorder=3)
    ax.set(yticks=range(len(methods)), yticklabels=methods, ylim=(len(methods) - 0.5, -0.5), xlabel="", ylabel="")
