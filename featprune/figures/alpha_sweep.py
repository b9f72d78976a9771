"""The test metric against alpha: a panel a strategy, a curve a density."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd
from matplotlib.figure import Figure

from featprune.figures.bands import choose_metric
from featprune.figures.panels import by_strategy, draw_curves, head, legend, note_diverged
from featprune.figures.style import alpha_axis, pick_rounds, round_looks
from featprune.runs.paths import DENSE
from featprune.tables.frames import of_kind

MAX_DENSITIES = 5


def draw(tables: Mapping[str, pd.DataFrame]) -> Figure:
    """Draw from the table `tuned`."""
    tuned = tables["tuned"]
    metric, runs = choose_metric(tuned), by_strategy(tuned)
    metric.require(runs, "tuned")
    rounds = pick_rounds(runs, MAX_DENSITIES)
    looks = round_looks(rounds, {"linestyle": "--"}, marker="o")
    runs = note_diverged(runs[runs["round"].isin(rounds)], metric)
    dense = of_kind(tuned, DENSE).merge(runs[["panel"]].drop_duplicates(), how="cross")
    panels = draw_curves(pd.concat([runs, dense]), looks, "round", "alpha", metric)
    alpha_axis(panels.axes, tuned["alpha"])
    legend(panels.figure, looks.values(), title="weights\nremaining (%)")
    head(panels.figure, tuned)
    return panels.figure
