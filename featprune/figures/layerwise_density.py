"""The density of each layer against that of the network: a panel a method, a curve a layer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import NullLocator

from featprune.figures.bands import Metric
from featprune.figures.panels import draw_curves, head, legend
from featprune.figures.style import LAYER_MAP, Look, by_method, density_axis, log_palette, plain
from featprune.tables.frames import nearest_one

SURVIVORS = Metric("layer_density", "weights remaining\nin the layer (%)", scale=100.0, log=True)
STRIP = 0.07  # height of a layer's row of crosses, as a share of the panel
NETWORK: Look = {"color": "0.6", "label": "as in the\nnetwork", "linestyle": ":", "zorder": 1}
CROSS: Look = {"marker": "x", "markersize": 5.0, "markeredgewidth": 1.3, "linestyle": "none"}


def draw(tables: Mapping[str, pd.DataFrame]) -> Figure:
    """Draw from the table `layer_density`, at the alpha nearest 1 and of each method at its lr nearest 1."""
    layers = tables["layer_density"]
    layers = layers[layers["criterion"] != "dense"]
    SURVIVORS.require(layers, "layer_density")
    layers = by_method(nearest_one(nearest_one(layers, "alpha"), "lr")).rename(columns={"method": "panel"})
    layers["panel"] = layers["panel"].str.replace(" × ", " ×\n")
    palette = log_palette(layers["layer"], LAYER_MAP, 0.0, 0.85)  # dark is near the input, light near the output
    # Later layers are thinner, so that curves which coincide are all seen.
    looks = {
        layer: {"color": color, "label": f"{layer}", "marker": "o", "linewidth": width, "markersize": 1.5 + width}
        for (layer, color), width in zip(palette.items(), np.linspace(2.2, 1.0, len(palette)), strict=True)
    }
    # A layer without weights has no place on a logarithmic axis: it is in no mean, and gets a cross.
    empty = layers[layers["layer_density"] == 0]
    alive = layers.assign(layer_density=layers["layer_density"].mask(layers["layer_density"] == 0))
    panels = draw_curves(alive, looks, "layer", "density", SURVIVORS, (1.95, 1.9))
    for panel, ax in panels.axes_dict.items():
        densities = layers.loc[layers["panel"] == panel, "density"].unique()
        # The diagonal of this panel's densities; a refline would be level or upright.
        ax.plot(densities, 100 * densities, **NETWORK)
    density_axis(panels.axes[0], [1.0, *layers["density"]])
    keys = [*looks.values(), NETWORK]
    if len(empty):
        make_room(panels.axes, STRIP * (len(looks) + 0.5))
        keys.append({"color": "0.3", "label": "collapsed\n(no weights,\nany seed)", **CROSS})
    # Crosses stand in a strip that is off the scale of the data, where seaborn draws nothing: a row a layer, so that
    # none hides another.
    for row, (layer, color) in enumerate(palette.items()):
        for panel, mine in empty[empty["layer"] == layer].groupby("panel"):
            densities, ax = mine["density"].unique(), panels.axes_dict[panel]
            height = np.full(len(densities), STRIP * (row + 0.6))
            ax.plot(densities, height, color=color, transform=ax.get_xaxis_transform(), **CROSS)
    legend(panels.figure, keys, title="layer")
    lrs = layers["lr"].unique()
    rate = f", learning rate × {lrs[0]:g}" if len(lrs) == 1 else ""
    head(panels.figure, layers, rf"$\alpha$ = {layers['alpha'].iloc[0]:g}{rate}")
    return panels.figure


def make_room(axes: Sequence[Axes], share: float) -> None:
    """Set this share of the panels apart at the bottom, as the place of zero."""
    low, high = np.log(axes[0].get_ylim())
    ticks = [tick for tick in axes[0].get_yticks() if low <= np.log(tick) <= high]
    bottom = high - (high - low) / (1 - share)
    for ax in axes:
        ax.axhspan(np.exp(bottom), np.exp(low), color="0.93", linewidth=0, zorder=0)
    axes[0].set_ylim(np.exp(bottom), np.exp(high))
    axes[0].set_yticks([np.exp((bottom + low) / 2), *ticks], ["0", *map(plain, ticks)])
    axes[0].yaxis.set_minor_locator(NullLocator())
