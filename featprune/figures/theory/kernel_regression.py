"""The linearized model's training beside the closed form: its modes, other inputs, and the distance against lr."""

from __future__ import annotations

from collections.abc import Mapping

import matplotlib
import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from featprune.figures.style import log_ticks, pick
from featprune.figures.theory.scaling import COLORS, draw_scaling, legend, panels
from featprune.theory.kernel_regression import MODES, OTHER, TRAIN, distances


def draw(tables: Mapping[str, pd.DataFrame]) -> Figure:
    """Draw from the tables `kernel_regression` and `kernel_regression_laws`."""
    table, (_, law) = tables["kernel_regression"], next(tables["kernel_regression_laws"].iterrows())
    figure, (modes, others, scaling) = panels(3)
    shown = table[(table["seed"] == table["seed"].min()) & (table["lr"] == table["lr"].min()) & (table["time"] > 0)]
    learned = shown[shown["split"] == TRAIN]
    numbers = sorted(learned["mode"].unique())
    chosen = [numbers[i] for i in pick(np.array(numbers), MODES)]
    for number, color in zip(chosen, matplotlib.colormaps["viridis"](np.linspace(0, 0.88, len(chosen))), strict=True):
        rows = learned[learned["mode"] == number]
        modes.plot(rows["time"], rows["predicted"], color=color, label=str(number + 1))
        modes.plot(rows["time"], rows["simulated"], "o", color=color)
    modes.set(xscale="log", xlabel="time (steps × lr)", ylabel="learned share of y", title="eigenvectors of K")
    legend(modes, title="largest\nfirst", loc="upper left")
    log_ticks(modes.xaxis)
    rest = shown[shown["split"] == OTHER]
    ends = [rest["predicted"].min(), rest["predicted"].max()]
    others.plot(ends, ends, color="0.5", linewidth=0.8, zorder=1)
    others.plot(rest["predicted"], rest["simulated"], "o", color=COLORS[0], markersize=2)
    others.set(xlabel="closed form", ylabel="simulated", title="f on test inputs, all times")
    draw_scaling(scaling, distances(table), "lr", "value", law)
    scaling.set(xlabel="step size lr", ylabel="distance (relative)", title="distance of the two")
    legend(scaling)
    figure.suptitle("The linearized model's training is kernel regression")
    return figure
