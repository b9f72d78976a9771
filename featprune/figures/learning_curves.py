"""Validation loss along training: a panel an alpha, a curve a density, the dense network in black."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd
from matplotlib.figure import Figure

from featprune.figures.bands import LOSS
from featprune.figures.panels import by_alpha, draw_curves, head, legend, one_criterion
from featprune.figures.style import pick_rounds, round_looks, step_axis
from featprune.runs.paths import DENSE
from featprune.tables.frames import RUN, of_kind

MAX_DENSITIES = 5


def draw(tables: Mapping[str, pd.DataFrame]) -> Figure:
    """Draw from the tables `learning_curves` and `tuned`, which says which runs: the dense ones and the tickets."""
    curves = tables["learning_curves"].merge(tables["tuned"][RUN], on=RUN)
    curves = curves[curves["split"] == "validation"]
    dense, tickets = of_kind(curves, DENSE), one_criterion(curves[curves["rewind"] == "init"])
    rounds = pick_rounds(tickets, MAX_DENSITIES)
    shown = by_alpha(pd.concat([dense, tickets[tickets["round"].isin(rounds)]]))
    LOSS.require(shown, "learning_curves")
    looks = round_looks(rounds, {"linestyle": "--"})
    panels = draw_curves(shown, looks, "round", "step", LOSS)
    step_axis(panels.axes[0], shown["step"])
    legend(panels.figure, looks.values(), title="weights\nremaining (%)")
    head(panels.figure, shown)
    return panels.figure
