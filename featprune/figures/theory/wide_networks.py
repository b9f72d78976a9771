"""The distance of f from the linearized model, and the movement of weights, against width: a panel each."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd
from matplotlib.figure import Figure

from featprune.figures.theory.scaling import COLORS, draw_scaling, legend, panels
from featprune.theory.wide_networks import DISTANCE, MOVEMENT

TITLES = {DISTANCE: "distance of f from\nthe linearized model", MOVEMENT: "movement of the weights"}


def draw(tables: Mapping[str, pd.DataFrame]) -> Figure:
    """Draw from the tables `wide_networks` and `wide_networks_laws`."""
    table, laws = tables["wide_networks"], tables["wide_networks_laws"]
    figure, axes = panels(2, size=(3.3, 3.2))
    cases = list(table["case"].unique())
    # The laws are in the order of the cases, in each first the distance.
    for place, (ax, measure) in enumerate(zip(axes, TITLES, strict=True)):
        for number, (case, color) in enumerate(zip(cases, COLORS, strict=False)):
            rows = table[(table["case"] == case) & (table["measure"] == measure)]
            draw_scaling(ax, rows, "width", "value", laws.iloc[2 * number + place], color, case)
        ax.set(title=TITLES[measure], xlabel="width", ylabel="relative")
        legend(ax, loc="upper center", bbox_to_anchor=(0.5, -0.25))
    figure.suptitle("Wide networks evolve as linear models")
    return figure
