"""Students' overlaps with their teacher and their error, on the population's solution, and the distance from it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from featprune.figures.style import COUNT_MAP, log_palette, log_ticks
from featprune.figures.theory.scaling import draw_scaling, legend, panels
from featprune.theory.order_parameters import ERROR, OVERLAP, farthest

COLORS = ["#0072B2", "#D55E00", "#117733", "#882255", "#44AA99", "#999933"]  # of overlaps, and of activations
SHOWN = 4  # seeds whose errors are drawn
DOTS = 20  # a curve


def draw(tables: Mapping[str, pd.DataFrame]) -> Figure:
    """Draw from the tables `order_parameters` and `order_parameters_laws`."""
    table, laws = tables["order_parameters"], tables["order_parameters_laws"]
    activations, sizes = list(table["activation"].unique()), sorted(table["samples"].unique())
    figure, axes = panels(len(activations) + 2, columns=2, size=(3.2, 2.5))
    for ax, activation in zip(axes, activations, strict=False):
        here = table[(table["activation"] == activation) & (table["seed"] == table["seed"].min())]
        draw_overlaps(ax, here[(here["quantity"] == OVERLAP) & (here["samples"] == sizes[-1])])
        ax.set_title(f"{activation} units, one seed, {sizes[-1]:,} samples")
    draw_errors(axes[-2], table[(table["activation"] == activations[0]) & (table["quantity"] == ERROR)])
    axes[-2].set_title(f"error, {activations[0]} units, first seeds")
    found = farthest(table)
    for activation, color, (_, law) in zip(activations, COLORS, laws.iterrows(), strict=False):
        rows = found[found["activation"] == activation]
        draw_scaling(axes[-1], rows, "samples", "value", law, color, activation)
    low, high = axes[-1].get_ylim()
    axes[-1].set(
        title="distance from the solution", xlabel="training samples $n$", ylim=(low, high * (high / low) ** 0.4)
    )
    axes[-1].set_ylabel("distance of the overlaps")
    legend(axes[-1], loc="upper right")
    figure.suptitle("Overlaps follow the population's equations\n(dots: gradient descent on samples, lines: solution)")
    return figure


def dots(rows: pd.DataFrame) -> pd.DataFrame:
    """Some of a curve's rows."""
    return rows.iloc[:: max(1, len(rows) // DOTS)]


def draw_overlaps(ax: Axes, run: pd.DataFrame) -> None:
    """Each overlap of one run, dots, on the solution."""
    for color, (pair, rows) in zip(COLORS, run.groupby(["unit", "teacher_unit"]), strict=False):
        unit, teacher = np.array(pair) + 1
        label = f"unit {unit}, teacher's {teacher}"
        ax.plot(rows["time"], rows["exact"], color=color, linewidth=1)
        ax.plot(*dots(rows)[["time", "value"]].to_numpy().T, "o", color=color, label=label)
    low, high = ax.get_ylim()
    ax.set(xlabel="time (rate × steps)", ylabel="overlap $w \\cdot u$", ylim=(low, high + 0.5 * (high - low)))
    legend(ax, loc="upper right", ncols=2, columnspacing=0.6, handletextpad=0.2)


def draw_errors(ax: Axes, table: pd.DataFrame) -> None:
    """The error of the first seeds, dots in a colour a number of samples, on the solution."""
    colors: dict[Any, Any] = log_palette(table["samples"], COUNT_MAP, 0.9, 0.0)
    ax.set_yscale("log")
    for seed in sorted(table["seed"].unique())[:SHOWN]:
        run = table[table["seed"] == seed]
        for size, rows in run.groupby("samples"):
            some = dots(rows)
            ax.plot(some["time"], some["value"], "o", color=colors[size], label=f"{size:,}")
        ax.plot(rows["time"], rows["exact"], color="0.35", linewidth=0.8)
    log_ticks(ax.yaxis)
    low, high = ax.get_ylim()
    ax.set(xlabel="time (rate × steps)", ylabel="error of the population", ylim=(low, high * (high / low) ** 0.35))
    legend(ax, loc="upper right", title="samples $n$", ncols=2, columnspacing=0.6, handletextpad=0.2)
