"""Tickets found at one alpha (rows) and trained at another (columns): a panel a density."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import LogNorm, Normalize
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from featprune.figures.bands import Metric, choose_metric, over_seeds
from featprune.figures.panels import grid, head, is_bottom, is_left, note_lr
from featprune.figures.style import COUNT_MAP, SMALL, percent, pick_rounds
from featprune.tables.frames import nearest_one

MAX_DENSITIES = 3
CELL = (0.48, 0.42)  # width and height, inches


def draw(tables: Mapping[str, pd.DataFrame]) -> Figure:
    """Draw from the table `transfer`."""
    metric = choose_metric(tables["transfer"])
    metric.require(tables["transfer"], "transfer")
    shown = choose_lr(tables["transfer"])
    rounds = pick_rounds(shown, MAX_DENSITIES)
    shown = shown[shown["round"].isin(rounds)]
    rows, columns = (sorted(shown[name].unique()) for name in ("mask_alpha", "alpha"))
    means = over_seeds(shown, ["round", "mask_alpha", "alpha"], metric)
    norm = (LogNorm if metric.log else Normalize)(means["mean"].min(), means["mean"].max())
    colors = ScalarMappable(norm, COUNT_MAP + "_r" * metric.log)  # bright is good
    width, height = CELL
    figure, axes = grid(len(rounds), width=width * len(columns) + 0.2, height=height * len(rows) + 0.5)
    for index, (ax, (number, density)) in enumerate(zip(axes, rounds.items(), strict=True)):
        mine = means[means["round"] == number].pivot(index="mask_alpha", columns="alpha", values="mean")
        draw_matrix(ax, mine.reindex(index=rows, columns=columns), metric, colors)
        ax.set_title(f"{percent(density)} % of weights" + metric.note_diverged(shown[shown["round"] == number]))
        if is_bottom(axes, index):
            ax.set_xlabel(r"$\alpha$ of the training")
        if is_left(axes, index):
            ax.set_ylabel(r"$\alpha$ of the mask")
    bar = figure.colorbar(colors, ax=axes, label=metric.label, aspect=30)
    bar.outline.set_visible(False)
    for set_formatter in (bar.ax.yaxis.set_major_formatter, bar.ax.yaxis.set_minor_formatter):
        set_formatter("{x:g}")
    # Rows may come from an experiment each, whose names would say what the axis says.
    head(figure, shown if len(shown["experiment"].unique()) == 1 else shown.drop(columns="experiment"))
    note_lr(figure, shown)
    return figure


def choose_lr(table: pd.DataFrame) -> pd.DataFrame:
    """Keep, for each cell, the lr with the best mean validation accuracy; in a regression the lr nearest 1.

    An lr at which a seed diverged loses to all others; ties go to the smaller one.
    """
    if table["validation_accuracy"].isna().all():
        return nearest_one(table, "lr")
    cell = ["mask_alpha", "alpha", "round"]
    score = table["validation_accuracy"].fillna(-np.inf).groupby([table[name] for name in [*cell, "lr"]]).mean()
    best = score.reset_index(name="score").sort_values("score", ascending=False, kind="stable").drop_duplicates(cell)
    return table.merge(best[[*cell, "lr"]], on=[*cell, "lr"])


def draw_matrix(ax: Axes, values: pd.DataFrame, metric: Metric, colors: ScalarMappable) -> None:
    """The matrix with its numbers; below each, how it compares with the diagonal of its column."""
    ax.imshow(values, cmap=colors.cmap, norm=colors.norm, aspect="auto")
    luminances = colors.to_rgba(values.to_numpy())[..., :3] @ (0.3, 0.6, 0.1)
    for row, mask_alpha in enumerate(values.index):
        for column, alpha in enumerate(values.columns):
            value = values.loc[mask_alpha, alpha]
            if mask_alpha == alpha:
                ax.add_patch(Rectangle((column - 0.5, row - 0.5), 1, 1, fill=False, edgecolor="black", linewidth=1.2))
            own = values.loc[alpha, alpha] if alpha in values.index and mask_alpha != alpha else np.nan
            color = "0.4" if np.isnan(value) else "black" if luminances[row, column] > 0.5 else "white"
            write(ax, (column, row), value, own, metric, color)
    ax.set_xticks(range(len(values.columns)), [f"{alpha:g}" for alpha in values.columns])
    ax.set_yticks(range(len(values.index)), [f"{alpha:g}" for alpha in values.index])
    ax.tick_params(length=0)
    ax.spines[:].set_visible(False)


def write(ax: Axes, place: tuple[int, int], value: float, own: float, metric: Metric, color: str) -> None:
    """Write a value in the middle of its cell; below it the difference to `own` (or the ratio, of errors)."""
    text = f"{value:#.2g}" if metric.log else f"{value:.1f}"
    change = f"×{value / own:.2f}" if metric.log else f"{value - own:+.1f}".replace("-", "−")
    position = {"xy": place, "ha": "center", "textcoords": "offset points", "color": color}
    alone = np.isnan(value) or np.isnan(own)
    va = "center" if alone else "bottom"
    ax.annotate("–" if np.isnan(value) else text, xytext=(0, 0), va=va, fontsize=SMALL + 1, **position)
    if not alone:
        ax.annotate(change, xytext=(0, -1), va="top", fontsize=SMALL, **position)
