"""Across widths: test losses along training, distances from the widest network, and how much features move."""

from __future__ import annotations

from collections.abc import Mapping

import matplotlib
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from featprune.figures.style import COUNT_MAP, SMALL, log_ticks, plain, step_axis
from featprune.figures.theory.scaling import draw_scaling, legend, panels
from featprune.theory.width_consistency import LAST, TITLES, at, quantity

COLORS = {"mean_field": "#0072B2", "ntk": "#D55E00"}
LAYER = 2  # whose features are shown


def draw(tables: Mapping[str, pd.DataFrame]) -> Figure:
    """Draw from the tables `width_consistency` and `width_consistency_laws`."""
    table, laws = tables["width_consistency"], tables["width_consistency_laws"]
    figure, axes = panels(6, size=(3.2, 2.5))
    axes[1].sharey(axes[0])
    for ax, (parametrization, title) in zip(axes, TITLES.items(), strict=False):
        draw_losses(ax, table[(table["measure"] == "test_loss") & (table["parametrization"] == parametrization)])
        ax.set(title=f"test loss, {title}", xlabel="training step")
    axes[0].set_ylabel("squared error")
    legend(axes[0], title="width", title_fontsize=SMALL, loc="lower left")
    shown = {
        "distance": "|f - f(M)| / |f(M)|",
        "kernel_distance": "|K - K(M)| / |K(M)|",
        "preactivation_movement": "|H(t) - H(0)| / |H(0)|",
        "kernel_movement": "|K(t) - K(0)| / |K(0)|",
    }
    titles = ("f beside the widest", "kernel beside the widest", "movement of preactivations", "movement of the kernel")
    for ax, (measure, label), title in zip(axes[2:], shown.items(), titles, strict=True):
        rows = at(table[table["measure"] == measure], LAST)
        rows = rows[rows["layer"].isin([0, LAYER])]
        draw_widths(ax, rows, measure, laws)
        ax.set(title=title, ylabel=label)
    figure.suptitle("Mean-field networks learn the same features at every width, NTK networks fewer the wider they are")
    return figure


def draw_losses(ax: Axes, table: pd.DataFrame) -> None:
    """The mean over seeds along training, a line a width."""
    widths = sorted(table["width"].unique())
    colors = matplotlib.colormaps[COUNT_MAP](np.linspace(0, 0.9, len(widths)))
    for width, color in zip(widths, colors, strict=True):
        means = table[table["width"] == width].groupby("step")["value"].mean()
        ax.plot(means.index, means, color=color, linewidth=1.2, label=str(width))
    ax.set_yscale("log")
    log_ticks(ax.yaxis)
    step_axis(ax, table["step"])


def draw_widths(ax: Axes, rows: pd.DataFrame, measure: str, laws: pd.DataFrame) -> None:
    """A measure at the last step against the width; crosses: two draws of the widest, the null of a distance."""
    apart = measure.endswith("distance")
    x = "joint" if apart else "width"
    for parametrization, color in COLORS.items():
        here = rows[rows["parametrization"] == parametrization].sort_values(x)
        law = laws[laws["quantity"] == quantity(measure, LAST, parametrization, here["layer"].iloc[0])].iloc[0]
        drawn = here[here["width"] < here["width"].max()] if apart else here
        name = f"{TITLES[parametrization]} (law {plain(law['law'])})"
        draw_scaling(ax, drawn, x, "value", law, color, name)
        if apart:
            null = here[here["width"] == here["width"].max()]
            mean = np.exp(np.log(null["value"]).mean())
            ax.plot(null[x].iloc[0], mean, "x", color=color, markersize=6, markeredgewidth=1.5, zorder=3)
    ax.set_xlabel("1 / (1/N + 1/M)" if apart else "width N")
    # The legend has room of its own above the curves, and says the laws beside the fits.
    low, high = ax.get_ylim()
    ax.set_ylim(low, high * (high / low) ** 0.35)
    dots = [line for line in ax.get_lines() if str(line.get_label()).startswith(tuple(TITLES.values()))]
    legend(ax, handles=dots, loc="upper right", handletextpad=0.2)
