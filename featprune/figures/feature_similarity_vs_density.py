"""Similarity to the dense network's features at the last step against density: a panel a strategy, a curve an alpha."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from featprune.figures.bands import draw_band, over_seeds
from featprune.figures.panels import grid, head, is_bottom, is_left, legend
from featprune.figures.similarity import SIMILARITY, draw_references, explain, last_step, select
from featprune.figures.style import alpha_palette, density_axis

WIDTH = 0.03  # over which points at a single density are spread, in log density


def draw(tables: Mapping[str, pd.DataFrame]) -> Figure:
    """Draw from the table `features`, at the lr nearest 1."""
    features = tables["features"]
    strategies, references = select(features)
    palette = alpha_palette(features["alpha"])
    densities = pd.concat(strategies.values()).groupby("round")["density"].mean()
    # Alone at one density, points of the alphas would hide each other: they stand side by side.
    places = (np.arange(len(palette)) + 0.5) / len(palette) - 0.5
    apart = dict(zip(palette, WIDTH * places * (len(densities) == 1), strict=True))
    figure, axes = grid(len(strategies))
    for index, (ax, (title, runs)) in enumerate(zip(axes, strategies.items(), strict=True)):
        final = last_step(runs)
        for alpha, curve in over_seeds(final, ["alpha", "round"], SIMILARITY).groupby("alpha"):
            draw_band(ax, curve["density"] * np.exp(-apart[alpha]), curve, palette[alpha], marker="o")
        SIMILARITY.style_axis(ax, label=is_left(axes, index))
        density_axis(ax, densities, label=is_bottom(axes, index))
        draw_references(ax, references, palette, ax.get_xlim())
        ax.set_title(title + SIMILARITY.note_diverged(final))
    legend(figure, explain(palette, references), title=r"$\alpha$")
    head(figure, features)
    return figure
