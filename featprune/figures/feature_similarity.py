"""Similarity to a dense network's features along training: a panel a strategy or reference, a curve an alpha."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from featprune.figures.panels import draw_curves, head
from featprune.figures.references import SIMILARITY, draw_along, explain, last_step, select
from featprune.figures.style import alpha_looks, percent, step_axis
from featprune.tables.frames import nearest_one

DENSITY = 0.1  # of the networks drawn, or the nearest to it


def draw(tables: Mapping[str, pd.DataFrame]) -> Figure:
    """Draw from the table `features`, at one density and the lr nearest 1."""
    features = nearest_one(tables["features"], "lr")
    strategies, references = select(features)
    densities = strategies.groupby("round")["density"].mean()
    number = np.abs(np.log(densities / DENSITY)).idxmin()
    runs = pd.concat([strategies[strategies["round"] == number], references])
    looks = alpha_looks(features["alpha"])
    panels = draw_curves(runs, looks, "alpha", "step", SIMILARITY)
    for title, ax in panels.axes_dict.items():
        if title in strategies["panel"].array:
            draw_along(ax, references, looks)
        ax.set_title(title + SIMILARITY.note_diverged(last_step(runs[runs["panel"] == title])))
    step_axis(panels.axes[0], features["step"])
    explain(panels.figure, looks, references)
    head(panels.figure, features, f"{percent(densities[number])} % of weights")
    return panels.figure
