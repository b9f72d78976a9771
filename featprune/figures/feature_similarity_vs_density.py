"""Similarity to a dense network's features at the last step against density: a panel a strategy, a curve an alpha."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from featprune.figures.panels import draw_curves, head, note_diverged
from featprune.figures.references import SIMILARITY, draw_across, explain, last_step, select
from featprune.figures.style import alpha_looks, density_axis
from featprune.tables.frames import nearest_one

WIDTH = 0.03  # over which points at a single density are spread, in log density


def draw(tables: Mapping[str, pd.DataFrame]) -> Figure:
    """Draw from the table `features`, at the lr nearest 1."""
    features = nearest_one(tables["features"], "lr")
    strategies, references = select(features)
    runs = note_diverged(last_step(strategies), SIMILARITY)
    looks = alpha_looks(features["alpha"])
    # Alone at one density, points of the alphas would hide each other: they stand side by side.
    places = (np.arange(len(looks)) + 0.5) / len(looks) - 0.5
    apart = dict(zip(looks, np.exp(-WIDTH * places * (len(runs["round"].unique()) == 1)), strict=True))
    placed = runs.assign(density=runs["density"] * runs["alpha"].map(apart))
    panels = draw_curves(placed, looks, "alpha", "density", SIMILARITY)
    for ax in panels.axes:
        draw_across(ax, references, looks)
    density_axis(panels.axes[0], runs["density"])
    explain(panels.figure, looks, references)
    head(panels.figure, features)
    return panels.figure
