"""The density of each layer against that of the network: a panel a method, a curve a layer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import NullLocator

from featprune.figures.bands import Metric, draw_band, over_seeds
from featprune.figures.panels import grid, head, is_bottom, is_left, key, legend
from featprune.figures.style import Color, density_axis, layer_palette, order_methods
from featprune.tables.frames import nearest_one

SURVIVORS = Metric("layer_density", "weights remaining\nin the layer (%)", scale=100.0, log=True)
STRIP = 0.07  # height of a layer's row of crosses, as a share of the panel
CROSS = {"marker": "x", "markersize": 5.0, "markeredgewidth": 1.3, "linestyle": "none"}


def draw(tables: Mapping[str, pd.DataFrame]) -> Figure:
    """Draw from the table `layer_density`, at the alpha and the lr nearest 1."""
    layers = tables["layer_density"]
    layers = layers[layers["criterion"] != "dense"]
    SURVIVORS.require(layers, "layer_density")
    layers = nearest_one(nearest_one(layers, "alpha"), "lr")
    methods, palette = order_methods(layers), layer_palette(layers["layer"])
    empty = layers["layer_density"] == 0
    # A layer without weights has no place on a logarithmic axis: it is in no mean, and gets a cross.
    alive = layers.assign(layer_density=layers["layer_density"].mask(empty))
    figure, axes = grid(len(methods), height=1.9)
    for index, (ax, ((criterion, rewind), method)) in enumerate(zip(axes, methods.items(), strict=True)):
        mine = (layers["criterion"] == criterion) & (layers["rewind"] == rewind)
        densities = layers.loc[mine, "density"].unique()
        ax.plot(densities, 100 * densities, color="0.6", linestyle=":", zorder=1)
        # Later layers are thinner, so that curves which coincide are all seen.
        for (layer, color), width in zip(palette.items(), np.linspace(2.2, 1.0, len(palette)), strict=True):
            means = over_seeds(alive[mine & (alive["layer"] == layer)], ["round"], SURVIVORS)
            draw_band(ax, means["density"], means, color, marker="o", linewidth=width, markersize=1.5 + width)
        SURVIVORS.style_axis(ax, label=is_left(axes, index))
        density_axis(ax, [1.0, *layers["density"]], label=is_bottom(axes, index))
        ax.set_title(method.label)
        ax.yaxis.set_major_formatter("{x:g}")
    if empty.any():
        make_room(axes, STRIP * (len(palette) + 0.5))
    for ax, (criterion, rewind) in zip(axes, methods, strict=True):
        mine = (layers["criterion"] == criterion) & (layers["rewind"] == rewind)
        draw_crosses(ax, layers[mine & empty], palette)
    handles = [key(color, f"{layer}", marker="o") for layer, color in palette.items()]
    handles.append(key("0.6", "as in the\nnetwork", linestyle=":"))
    if empty.any():
        handles.append(key("0.3", "collapsed\n(no weights,\nany seed)", **CROSS))
    legend(figure, handles, title="layer")
    alpha, lr = layers.iloc[0][["alpha", "lr"]]
    head(figure, layers, rf"$\alpha$ = {alpha:g}, learning rate × {lr:g}")
    return figure


def make_room(axes: Sequence[Axes], share: float) -> None:
    """Set this share of the panels apart at the bottom, as the place of zero."""
    low, high = np.log(axes[0].get_ylim())
    ticks = [tick for tick in axes[0].get_yticks() if low <= np.log(tick) <= high]
    bottom = high - (high - low) / (1 - share)
    axes[0].set_ylim(np.exp(bottom), np.exp(high))
    for ax in axes:
        ax.axhspan(np.exp(bottom), np.exp(low), color="0.93", linewidth=0, zorder=0)
        ax.set_yticks([np.exp((bottom + low) / 2), *ticks], ["0", *(f"{tick:g}" for tick in ticks)])
        ax.yaxis.set_minor_locator(NullLocator())


def draw_crosses(ax: Axes, empty: pd.DataFrame, palette: Mapping[int, Color]) -> None:
    """A cross at the bottom wherever a layer is empty in some seed: a row a layer, so none hides another."""
    for row, (layer, color) in enumerate(palette.items()):
        densities = empty.loc[empty["layer"] == layer].groupby("round")["density"].first()
        if len(densities):
            height = np.full(len(densities), STRIP * (row + 0.6))
            ax.plot(densities, height, color=color, transform=ax.get_xaxis_transform(), **CROSS)
