"""The distance of the tangent kernel from its limit against width: a panel a layer's parameters, and all of them."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd
from matplotlib.figure import Figure

from featprune.figures.theory.scaling import draw_scaling, legend, panels
from featprune.theory.infinite_width import name


def draw(tables: Mapping[str, pd.DataFrame]) -> Figure:
    """Draw from the tables `infinite_width` and `infinite_width_laws`."""
    table, laws = tables["infinite_width"], tables["infinite_width_laws"]
    layers = sorted(table["layer"].unique())
    figure, axes = panels(len(layers), sharex=True, sharey=True)
    for ax, layer, (_, law) in zip(axes, layers, laws.iterrows(), strict=True):
        draw_scaling(ax, table[table["layer"] == layer], "width", "value", law)
        ax.set_title(f"parameters of {name(layer)}")
        legend(ax)
    figure.supxlabel("width")
    figure.supylabel("distance from the limit (relative)")
    figure.suptitle("The tangent kernel of a ReLU network tends to its limit")
    return figure
