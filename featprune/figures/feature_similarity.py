"""Similarity to the dense network's features along training: a panel a strategy or reference, a curve an alpha."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.ticker import EngFormatter

from featprune.figures.bands import draw_band, over_seeds
from featprune.figures.panels import grid, head, is_bottom, is_left, legend
from featprune.figures.similarity import SIMILARITY, draw_references, explain, last_step, select
from featprune.figures.style import alpha_palette, percent

DENSITY = 0.1  # of the networks drawn, or the nearest to it


def draw(tables: Mapping[str, pd.DataFrame]) -> Figure:
    """Draw from the table `features`, at one density and the lr nearest 1."""
    features = tables["features"]
    strategies, references = select(features)
    densities = pd.concat(strategies.values()).groupby("round")["density"].mean()
    number = np.abs(np.log(densities / DENSITY)).idxmin()
    panels = {title: runs[runs["round"] == number] for title, runs in strategies.items()} | references
    palette = alpha_palette(features["alpha"])
    steps = np.unique(features["step"])
    figure, axes = grid(len(panels))
    for index, (ax, (title, runs)) in enumerate(zip(axes, panels.items(), strict=True)):
        if title not in references:
            draw_references(ax, references, palette)
        for alpha, curve in over_seeds(runs, ["alpha", "step"], SIMILARITY).groupby("alpha"):
            draw_band(ax, curve["step"], curve, palette[alpha], marker="o")
        SIMILARITY.style_axis(ax, label=is_left(axes, index))
        # Step 0 has a place of its own, one tick to the left of the first snapshot.
        first = steps[steps > 0].min()
        ax.set_xscale("symlog", linthresh=first, linscale=0.5)
        ax.set_xlim(-0.1 * first, 1.2 * steps.max())
        ax.xaxis.set_major_formatter(EngFormatter(sep=""))
        if is_bottom(axes, index):
            ax.set_xlabel("training step")
        ax.set_title(title + SIMILARITY.note_diverged(last_step(runs)))
    legend(figure, explain(palette, references), title=r"$\alpha$")
    head(figure, features, f"{percent(densities[number])} % of weights")
    return figure
