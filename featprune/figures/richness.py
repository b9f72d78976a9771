"""Amount of feature learning against alpha: a panel a measure, the dense network in black and a curve a density."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from featprune.figures.bands import Metric
from featprune.figures.panels import draw_curves, head, legend, note_diverged, one_criterion
from featprune.figures.style import SMALL, alpha_axis, pick_rounds, place_alpha, round_looks
from featprune.runs.paths import DENSE
from featprune.tables.frames import nearest_one, of_kind

MEASURES = {
    "weight_movement": "relative weight movement",
    "kernel_movement": "kernel movement",
    "kernel_trace": "kernel trace (end / start)",
    "linearization_error": "linearization error",
}
LASTING = "kernel_trace"  # the one measure that isn't 0 in the limit of alpha
VALUE = Metric("value", "")
POSITIVE = Metric("positive", "", log=True)  # zero has no place on a logarithmic axis
LIMITS = {"lazy": 0.1, "rich": 0.5}  # of the dense network's linearization error: below it, above it
ROOM = 1.5  # the factor by which the axis goes on beyond these limits
MAX_DENSITIES = 5


def draw(tables: Mapping[str, pd.DataFrame]) -> Figure:
    """Draw from the table `richness`: the dense runs and the tickets, at the last step and the lr nearest 1."""
    richness = nearest_one(tables["richness"], "lr")
    richness = richness[(richness["layer"] == 0) & (richness["step"] == richness["step"].max())]
    tickets = one_criterion(richness[richness["rewind"] == "init"])
    rounds = pick_rounds(tickets, MAX_DENSITIES)
    shown = pd.concat([of_kind(richness, DENSE), tickets[tickets["round"].isin(rounds)]])
    parts = [shown[shown["measure"] == measure].assign(panel=title) for measure, title in MEASURES.items()]
    runs = note_diverged(pd.concat(parts), VALUE)
    # What a limit of alpha is nothing of is on no logarithmic axis, and its rounding isn't shown.
    vanished = np.isinf(runs["alpha"]) & (runs["measure"] != LASTING)
    runs = runs.assign(positive=runs["value"].where((runs["value"] > 0) & ~vanished))
    POSITIVE.require(runs, "richness")
    looks = round_looks(rounds, {}, marker="o")
    panels = draw_curves(runs, looks, "round", "alpha", POSITIVE, (2.4, 2.2), sharey=False)
    for title, ax in panels.axes_dict.items():
        if title.startswith(MEASURES["linearization_error"]):
            draw_limits(ax)
        if np.isinf(richness["alpha"]).any() and not title.startswith(MEASURES[LASTING]):
            at = place_alpha(np.inf, richness["alpha"])
            ax.text(at, 0.03, "↓0", transform=ax.get_xaxis_transform(), ha="center", fontsize=SMALL, color="0.35")
    alpha_axis(panels.axes, richness["alpha"])
    legend(panels.figure, looks.values(), title="weights\nremaining (%)")
    head(panels.figure, richness)
    return panels.figure


def draw_limits(ax: Axes) -> None:
    """Where the lazy ends and the rich begins; named beside the panel, where no curve is."""
    low, high = ax.get_ylim()
    # In one panel, and named: seaborn's refline is in all of them.
    ax.set_ylim(min(low, LIMITS["lazy"] / ROOM), max(high, LIMITS["rich"] * ROOM))
    for (name, limit), va in zip(LIMITS.items(), ("top", "bottom"), strict=True):
        ax.axhline(limit, color="0.4", linestyle="--", linewidth=0.6, zorder=1)
        ax.text(1.01, limit, name, transform=ax.get_yaxis_transform(), fontsize=SMALL, color="0.4", va=va)
