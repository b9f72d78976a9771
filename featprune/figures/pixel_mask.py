"""How many weights survive at each input pixel as rounds of pruning go by."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import isqrt

import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from featprune.errors import FeatpruneError
from featprune.figures.panels import draw_raster, head, name_strategy, one_criterion
from featprune.figures.style import COUNT_MAP, percent, pick_rounds
from featprune.tables.frames import nearest_one

MAX_ROUNDS = 6
SHOWN = ("init", "random")


def draw(tables: Mapping[str, pd.DataFrame]) -> Figure:
    """Draw from the table `pixel_mask`: tickets, and below them random re-draws if there are any."""
    masks = select(tables["pixel_mask"])
    rewinds = [name for name in SHOWN if (masks["rewind"] == name).any()]
    shared = masks.groupby("round")["rewind"].nunique() == len(rewinds)
    rounds = pick_rounds(masks[masks["round"].map(shared)], MAX_ROUNDS)
    pixels = masks["pixel"].nunique()
    square = isqrt(pixels) ** 2 == pixels
    survivors = masks.groupby(["rewind", "round", "pixel"], observed=True)["survivors"].mean()
    # Each round has a scale of its own, and its bar below, which no seaborn grid has.
    figure = Figure(figsize=(max(1.1 * len(rounds) + 0.6, 2.8), 1.15 * len(rewinds) + 1.0), layout="constrained")
    axes = figure.subplots(len(rewinds), len(rounds), sharex=True, sharey="col", squeeze=False)
    for column, (number, density) in zip(axes.T, rounds.items(), strict=True):
        counts = [survivors[name, number].sort_index().to_numpy() for name in rewinds]
        (draw_images if square else draw_bars)(column, counts)
        column[0].set_title(f"{percent(density)} %")
    for ax, name in zip(axes[:, 0], rewinds, strict=True):
        count = "" if square else "\nsurvivors"
        ax.set_ylabel(name_strategy(name).replace(" (", "\n(") + count)
    figure.supxlabel("surviving weights per input" if square else "input")
    head(figure, masks, "weights remaining")
    return figure


def draw_images(column: Sequence[Axes], counts: Sequence[np.ndarray]) -> None:
    """One round: the counts of each strategy as images over one colour bar, which starts at zero."""
    top = max(values.max() for values in counts)
    for ax, values in zip(column, counts, strict=True):
        side = isqrt(len(values))
        mesh = draw_raster(ax, values.reshape(side, side), cmap=COUNT_MAP, vmin=0, vmax=top, square=True)
    bar = ax.figure.colorbar(mesh, ax=column, orientation="horizontal", aspect=14, pad=0.03)
    bar.set_ticks([0, top], labels=["0", f"{top:.3g}"])
    bar.ax.tick_params(length=2)
    bar.outline.set_visible(False)
    left, right = bar.ax.get_xticklabels()  # within the bar, clear of the neighbours
    left.set_horizontalalignment("left")
    right.set_horizontalalignment("right")


def draw_bars(column: Sequence[Axes], counts: Sequence[np.ndarray]) -> None:
    """One round where inputs are not an image: a bar an input."""
    for ax, values in zip(column, counts, strict=True):
        sns.barplot(x=np.arange(len(values)), y=values, native_scale=True, width=1.0, color="0.4", linewidth=0, ax=ax)


def select(table: pd.DataFrame) -> pd.DataFrame:
    """The masks of one criterion (magnitude if it is there), at the alpha and the lr nearest 1."""
    masks = table[table["rewind"].isin(SHOWN) & (table["criterion"] != "dense")]
    if masks.empty:
        raise FeatpruneError(f"table 'pixel_mask' has no masks of the rewinds {' and '.join(SHOWN)}")
    return nearest_one(nearest_one(one_criterion(masks), "alpha"), "lr")
