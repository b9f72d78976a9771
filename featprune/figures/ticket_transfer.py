"""Tickets found at one alpha (rows) and trained at another (columns): a panel a density."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.colors import LogNorm, Normalize
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from seaborn.utils import relative_luminance

from featprune.figures.bands import Metric, choose_metric
from featprune.figures.panels import choose_columns, facets, head, note_diverged
from featprune.figures.style import COUNT_MAP, SMALL, percent, pick_rounds, plain

MAX_DENSITIES = 3
CELL = (0.48, 0.42)  # width and height, inches


def draw(tables: Mapping[str, pd.DataFrame]) -> Figure:
    """Draw from the table `transfer`."""
    transfer = tables["transfer"]
    metric = choose_metric(transfer)
    metric.require(transfer, "transfer")
    rounds = pick_rounds(transfer, MAX_DENSITIES)
    shown = transfer[transfer["round"].isin(rounds)].sort_values("round", kind="stable")
    shown = shown.assign(panel=[f"{percent(rounds[number])} % of weights" for number in shown["round"]])
    shown = note_diverged(shown, metric)
    rows, columns = (sorted(shown[name].unique()) for name in ("mask_alpha", "alpha"))
    means = metric.mean(shown, ["panel", "mask_alpha", "alpha"])
    norm = (LogNorm if metric.log else Normalize)(means.min(), means.max())
    size = CELL[0] * len(columns) + 0.2, CELL[1] * len(rows) + 0.5
    panels = facets(shown, {}, None, size, col="panel", col_wrap=choose_columns(len(rounds)))
    panels.figure.set_layout_engine("constrained")
    look = {"norm": norm, "cmap": COUNT_MAP + "_r" * metric.log, "cbar": False}  # bright is good
    look |= {"xticklabels": [f"{a:g}" for a in columns], "yticklabels": [f"{a:g}" for a in rows]}
    for panel, ax in panels.axes_dict.items():
        values = means[panel].unstack().reindex(index=rows, columns=columns)
        text = {"annot": describe(values, metric), "fmt": "", "annot_kws": {"fontsize": SMALL, "linespacing": 1.1}}
        sns.heatmap(values, ax=ax, **look, **text)
        ax.tick_params(length=0, labelrotation=0)
        cells = ax.collections[0].to_rgba(values.to_numpy()[values.notna()])
        for label, color in zip(ax.texts, cells, strict=True):  # seaborn writes in white on what is not quite bright
            label.set_color("black" if relative_luminance(color) > 0.18 else "white")
        # seaborn's heatmap leaves empty cells blank, and can't outline one.
        for row, column in np.argwhere(values.isna()):
            ax.text(column + 0.5, row + 0.5, "–", ha="center", va="center", color="0.4")
        for row, column in np.argwhere(np.equal.outer(rows, columns)):
            ax.add_patch(Rectangle((column, row), 1, 1, fill=False, edgecolor="black", linewidth=1.2, clip_on=False))
    panels.set_titles("{col_name}")
    panels.set_axis_labels(r"$\alpha$ of the training", r"$\alpha$ of the mask")
    # One bar for all panels, where a heatmap has one of its own.
    bar = panels.figure.colorbar(ax.collections[0], ax=list(panels.axes), label=metric.label, aspect=30)
    bar.outline.set_visible(False)
    bar.ax.yaxis.set_major_formatter(plain)
    bar.ax.yaxis.set_minor_formatter(plain)
    head(panels.figure, shown)
    return panels.figure


def describe(values: pd.DataFrame, metric: Metric) -> np.ndarray:
    """What is written in each cell: the value, below it its difference to the diagonal (the ratio, of errors)."""
    texts = np.full(values.shape, "", dtype=object)
    for (row, column), value in np.ndenumerate(values):
        alpha = values.columns[column]
        own = values.loc[alpha, alpha] if alpha in values.index and alpha != values.index[row] else np.nan
        # + 0.0: no minus sign before a zero
        change = f"×{value / own:.2f}" if metric.log else f"{round(value - own, 1) + 0.0:+.1f}".replace("-", "−")
        written = f"{value:#.2g}" if metric.log else f"{value:.1f}"
        texts[row, column] = written + f"\n{change}" * bool(np.isfinite(own))
    return texts
