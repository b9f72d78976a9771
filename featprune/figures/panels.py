"""Grids of panels with room for a legend, and which runs they show."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, cast

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.collections import QuadMesh
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from featprune.figures.bands import Metric, band
from featprune.figures.style import SMALL, STRATEGIES, X_LABELS, Look, Looks, log_ticks, place_alpha
from featprune.runs.paths import TICKET
from featprune.tables.frames import name_alpha

MAX_COLUMNS = 3
Size = tuple[float, float]  # width and height of a panel, inches


def facets(runs: pd.DataFrame, looks: Looks, by: str | None, size: Size, **grid: Any) -> sns.FacetGrid:
    """A seaborn grid of panels of this width and height (inches), with room for a legend at the right.

    looks: value of the column `by` -> how its curve is drawn, in the order of drawing. grid: rows and columns.
    """
    width, height = size
    names = sorted({name for look in looks.values() for name in look} - {"color", "label"})
    styles = {name: [look.get(name) for look in looks.values()] for name in names}  # None is the theme's
    palette = [look["color"] for look in looks.values()]
    grid |= {"height": height, "aspect": width / height}
    panels = sns.FacetGrid(runs, hue=by, hue_order=list(looks), palette=palette, hue_kws=styles, **grid)
    plt.close(panels.figure)  # pyplot would keep it alive
    for ax in panels.axes.flat:  # seaborn hides the labels of inner ticks that are there now, and not of those to come
        ax.tick_params(labelbottom=ax.xaxis.label.get_visible(), labelleft=ax.yaxis.label.get_visible())
    columns, rows = panels.figure.get_size_inches() / (width, height)
    panels.figure.set_size_inches(columns * width + 1.3, rows * height + 0.5)
    return panels


def draw_curves(
    runs: pd.DataFrame, looks: Looks, by: str, x: str, metric: Metric, size: Size = (1.95, 2.2), **grid: Any
) -> sns.FacetGrid:
    """A panel a value of the column `panel`, in it a curve a value of the column `by`: means over seeds against x."""
    count = runs["panel"].nunique()
    columns = choose_columns(count)
    # A lone panel gets the width that two would have.
    size = max(size[0], 3.6 / columns), size[1]
    curve = ["panel", by]
    runs = runs.assign(value=metric.of(runs))
    # lineplot would draw across places where every run diverged: there a new piece of the curve begins.
    lost = runs.groupby([*curve, x])["value"].count() == 0
    runs = runs.merge(lost.groupby(curve).cumsum().rename("piece").reset_index(), on=[*curve, x])
    scale = {"yscale": "log" if metric.log else "linear"}
    # Linearized networks, whose alpha is infinite, are points apart.
    beyond = np.isinf(runs[x])
    within = runs.assign(**{x: runs[x].mask(beyond)})
    panels = facets(within, looks, by, size, col="panel", col_wrap=columns, subplot_kws=scale, **grid)
    single = within.groupby(by)[x].nunique().max() == 1
    panels.map_dataframe(sns.lineplot, x=x, style="piece", dashes=False, **band(single, len(looks)))
    if beyond.any():
        # Side by side: at one place they would hide each other.
        apart = runs[by].map({name: (i + 0.5) / len(looks) - 0.5 for i, name in enumerate(looks)})
        panels.data = runs.assign(**{x: place_alpha(np.inf, runs[x], apart)}).where(beyond)
        panels.map_dataframe(sns.lineplot, x=x, **band(single=True))
    for ax in panels.axes if metric.log else ():
        log_ticks(ax.yaxis)
    panels.set_titles("{col_name}").set_axis_labels(X_LABELS[x], metric.label)
    panels.figure.set_layout_engine("constrained")
    return panels


def choose_columns(count: int) -> int:
    """How many columns this many panels are laid out in."""
    return 2 if count == 4 else min(count, MAX_COLUMNS)


def name_strategy(rewind: str) -> str:
    """What a reader calls the rewind; one that is not known yet keeps its own name."""
    return STRATEGIES.get(rewind, rewind)


def order_strategies(rewinds: Iterable[str]) -> list[str]:
    """The rewinds in the order of panels, unknown ones last."""
    known = list(STRATEGIES)
    return sorted(set(rewinds), key=lambda name: (known.index(name) if name in known else len(known), name))


def one_criterion(table: pd.DataFrame) -> pd.DataFrame:
    """The rows of the criterion magnitude if there are any, else those of the first criterion."""
    magnitude = table["criterion"] == "magnitude"
    return table[magnitude if magnitude.any() else table["criterion"].isin(table["criterion"].head(1))]


def by_strategy(table: pd.DataFrame) -> pd.DataFrame:
    """The pruned runs of one criterion (magnitude if it is there), in `panel` the name of their rewind, in its order.

    With several criteria in the table, or another one than magnitude, `panel` names the one drawn.
    """
    pruned = table[table["criterion"] != "dense"]
    drawn = one_criterion(pruned)
    other = len(pruned) > len(drawn) or not (drawn["criterion"] == TICKET.criterion).all()
    prefix = f"{drawn['criterion'].iloc[0]} ×\n" if other else ""
    names = order_strategies(drawn["rewind"])
    parts = [drawn[drawn["rewind"] == name].assign(panel=prefix + name_strategy(name)) for name in names]
    return pd.concat([drawn.head(0).assign(panel=""), *parts])


def by_alpha(table: pd.DataFrame) -> pd.DataFrame:
    """The runs in the order of alpha, which `panel` names."""
    ordered = table.sort_values("alpha", kind="stable")
    return ordered.assign(panel=[name_alpha(alpha, r"$\alpha$ = ") for alpha in ordered["alpha"]])


def draw_raster(ax: Axes, values: np.ndarray, **look: Any) -> QuadMesh:
    """A heatmap of many cells, without ticks; pixels in an SVG, where 160,000 cells would be 30 MB."""
    sns.heatmap(values, ax=ax, cbar=False, xticklabels=False, yticklabels=False, rasterized=True, **look)
    (mesh,) = ax.collections
    return cast(QuadMesh, mesh)


def note_diverged(runs: pd.DataFrame, metric: Metric) -> pd.DataFrame:
    """The runs, with a line in the title of their panel on how many of them diverged."""
    notes = {panel: f"{panel}{metric.note_diverged(mine)}" for panel, mine in runs.groupby("panel")}
    return runs.assign(panel=runs["panel"].map(notes))


def legend(figure: Figure, looks: Iterable[Look | Artist], title: str | None = None) -> None:
    """Put the legend beside the panels (seaborn's own knows curves only, and not the constrained layout)."""
    handles = [look if isinstance(look, Artist) else Line2D([], [], **look) for look in looks]
    figure.legend(handles=handles, title=title, loc="outside right center", alignment="left")


def head(figure: Figure, table: pd.DataFrame, title: str = "") -> None:
    """Title the figure with its experiment and more; say below where the learning rate was chosen, if it was."""
    figure.suptitle(": ".join(filter(None, (", ".join(table["experiment"].unique()), title))))
    if len(table["lr"].unique()) > 1:
        note = "at the learning rate chosen on the validation split"
        figure.supxlabel(note, fontsize=SMALL, color="0.35")
