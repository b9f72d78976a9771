"""The modes of deep linear networks along training, and the time each takes against its singular value."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from featprune.figures.style import log_palette
from featprune.figures.theory.scaling import draw_scaling, legend, panels
from featprune.theory.deep_linear import ALIGNED, RANDOM, half_times

MODE_MAP = "viridis"
DOTS = 40  # a curve
RAW, CORRECTED = "#0072B2", "#D55E00"


def draw(tables: Mapping[str, pd.DataFrame]) -> Figure:
    """Draw from the tables `deep_linear` and `deep_linear_laws`."""
    table, laws = tables["deep_linear"], tables["deep_linear_laws"]
    aligned = table[table["start"] == ALIGNED]
    depths, width = sorted(aligned["layers"].unique()), table.loc[table["start"] == RANDOM, "width"].max()
    figure, axes = panels(len(depths) + 2, columns=2, size=(3.2, 2.4))
    for ax, depth in zip(axes, depths, strict=False):
        draw_modes(ax, aligned[aligned["layers"] == depth])
        ax.set_title(f"aligned start, {depth - 1} hidden layer{'s' if depth > 2 else ''}")
    random = table[(table["start"] == RANDOM) & (table["width"] == width)]
    draw_modes(axes[-2], random[random["seed"] == random["seed"].min()])
    axes[-2].set_title(f"small random start, {width} units, one seed")
    times, fitted = half_times(table).query("width == @width"), laws.iloc[-2:]
    curves = (("time", RAW, "time"), ("corrected", CORRECTED, "over ln"))
    for (column, color, label), (_, law) in zip(curves, fitted.iterrows(), strict=True):
        draw_scaling(axes[-1], times, "singular", column, law, color, label)
    axes[-1].set(title=f"time to half, {width} units", xlabel="singular value $s$", ylabel=r"time ($\tau$)")
    low, high = axes[-1].get_ylim()
    axes[-1].set_ylim(low, high * (high / low) ** 0.4)
    legend(axes[-1], loc="upper right")
    figure.suptitle("Deep linear networks learn a mode at a time\n(dots: gradient descent, lines: exact solution)")
    return figure


def draw_modes(ax: Axes, run: pd.DataFrame) -> None:
    """The strength of each mode of one run, dots, on the theory's curve."""
    colors: dict[Any, Any] = log_palette(run["singular"], MODE_MAP, 0.88, 0.0)
    for s, rows in run.sort_values("time", kind="stable").groupby("singular", sort=False):
        dots = rows.iloc[:: max(1, len(rows) // DOTS)]
        ax.plot(rows["time"], rows["exact"], color=colors[s], linewidth=1)
        ax.plot(dots["time"], dots["value"], "o", color=colors[s])
        ax.annotate(f"$s$ = {s:g}", (rows["time"].iloc[-1], s), (4, 0), textcoords="offset points", va="center")
    ax.set(xlabel=r"time ($\tau$)", ylabel="strength of the mode")
