"""Distances from the mean-field limit against width, how far units move, and the distance over time."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from featprune.figures.style import COUNT_MAP, X_LABELS, log_palette, step_axis
from featprune.figures.theory.scaling import draw_band, draw_scaling, legend, panels
from featprune.theory.curves import largest
from featprune.theory.mean_field import LAWS, MEAN_FIELD, MOVED, NTK, PROJECTION, READOUT, RUN, F

CURVES = {  # as LAWS: the panel, the colour, and the name in the legend
    (MEAN_FIELD, F): (0, "#0072B2", None),
    (MEAN_FIELD, READOUT): (1, "#0072B2", "readouts"),
    (MEAN_FIELD, PROJECTION): (1, "#D55E00", "projections"),
    (MEAN_FIELD, MOVED): (2, "#0072B2", "mean field"),
    (NTK, MOVED): (2, "#D55E00", "NTK"),
}
PANELS = {
    "function": "distance of f from the limit",
    "distribution of units": "distance from the limit",
    "movement of units": "distance from the start",
}


def draw(tables: Mapping[str, pd.DataFrame]) -> Figure:
    """Draw from the tables `mean_field` and `mean_field_laws`."""
    table, laws = tables["mean_field"], tables["mean_field_laws"]
    found = largest(table, *RUN).set_index(["scaling", "quantity"]).sort_index()
    figure, axes = panels(4, columns=2, size=(3.2, 2.5))
    for place, (_, law) in zip(LAWS, laws.iterrows(), strict=True):
        number, color, label = CURVES[place]
        draw_scaling(axes[number], found.loc[[place]], "width", "value", law, color, label)
    for ax, (title, label) in zip(axes, PANELS.items(), strict=False):
        (low, high), entries = ax.get_ylim(), len(set(ax.get_legend_handles_labels()[1]))
        ax.set(title=title, ylabel=label, xlabel="width $N$", ylim=(low, high * (high / low) ** (0.17 * entries)))
        legend(ax, loc="upper right")
    draw_over_time(axes[3], table[(table["scaling"] == MEAN_FIELD) & (table["quantity"] == F)])
    figure.suptitle("The mean-field limit of wide networks")
    return figure


def draw_over_time(ax: Any, table: pd.DataFrame) -> None:
    """The distance from the limit times the root of width, a curve a width."""
    scaled = table.assign(value=table["value"] * np.sqrt(table["width"]))
    step_axis(ax, table["step"])
    colors = log_palette(table["width"], COUNT_MAP, 0.0, 0.9)
    for width, color in colors.items():
        draw_band(ax, scaled[scaled["width"] == width], "step", {"color": color, "label": f"{width}"}, errorbar=None)
    top = ax.get_ylim()[1]
    ax.set(title="function along training", xlabel=X_LABELS["step"], ylim=(0, 1.45 * top))
    ax.set_ylabel("distance of f × root of $N$")
    legend(ax, loc="upper left", title="width $N$", ncols=3, columnspacing=0.8)
