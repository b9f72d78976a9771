"""Train and test loss along training at a small and at a large alpha, and when f generalizes by which features."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import matplotlib
import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from featprune.figures.bands import band
from featprune.figures.style import ALPHA_MAP, SMALL, alpha_axis, log_ticks, plain
from featprune.figures.theory.scaling import draw_scaling, legend, panels
from featprune.theory.grokking import FIT, GENERALIZED, LAWS, SMALL_LOSS, events

TIMES = {"time of fitting": "#0072B2", "time of generalization": "#D55E00"}
RESIDUAL = "residual summed until generalization"


def draw(tables: Mapping[str, pd.DataFrame]) -> Figure:
    """Draw from the tables `grokking` and `grokking_laws`."""
    table, laws = tables["grokking"], tables["grokking_laws"]
    found = events(table)
    # The linearized model has no place on an axis of alpha.
    table, found = (rows[np.isfinite(rows["alpha"])] for rows in (table[table["time"] > 0], found))
    alphas = sorted(table["alpha"].unique())
    figure, axes = panels(6, size=(3.25, 2.5))
    for ax, alpha in zip(axes, (alphas[0], alphas[-1]), strict=False):
        draw_losses(ax, table[table["alpha"] == alpha])
        ax.set_title(rf"$\alpha$ = {plain(alpha)}")
    axes[0].set_ylabel("loss, over that of f = 0")
    legend(axes[0], loc="lower left")
    draw_events(axes[2], found, laws, TIMES)
    axes[2].set(title="when train and test loss are small", ylabel="time")
    for ax, measure, title in (
        (axes[3], "kernel_movement", "movement of the kernel"),
        (axes[4], "alignment", "alignment of kernel and target"),
    ):
        draw_alphas(ax, table[table["measure"] == measure], alphas)
        ax.set_title(title)
    axes[3].set(yscale="log", ylabel="1 - cos(K(t), K(0))")
    log_ticks(axes[3].yaxis)
    axes[4].set_ylabel("cos(K(t), y y')")
    legend(axes[4], title=r"$\alpha$", title_fontsize=SMALL, loc="upper left")
    draw_events(axes[5], found, laws, {RESIDUAL: TIMES["time of generalization"]})
    axes[5].set(title="residual until generalization", ylabel=r"$\int |f - y|\ dt$")
    figure.suptitle(r"The larger $\alpha$, the longer generalization waits for features")
    return figure


def draw_losses(ax: Axes, table: pd.DataFrame) -> None:
    """Train and test loss on log time, geometric means over seeds in their bands."""
    ax.set(xscale="log", yscale="log", xlabel="time (lr × steps)")
    colors = dict(zip((FIT, GENERALIZED), TIMES.values(), strict=True))
    for measure, label in {FIT: "train", GENERALIZED: "test"}.items():
        rows = table[table["measure"] == measure]
        sns.lineplot(rows, x="time", ax=ax, color=colors[measure], label=label, **band())
    ax.axhline(SMALL_LOSS, color="0.6", linewidth=0.8, linestyle=":")
    # Losses of rich networks fall far below all that matters here.
    ax.set_ylim(SMALL_LOSS / 30, 2)
    ax.set_ylabel("")
    log_ticks(ax.xaxis)
    log_ticks(ax.yaxis)


def draw_alphas(ax: Axes, table: pd.DataFrame, alphas: Sequence[float]) -> None:
    """Means over seeds on log time, a line an alpha."""
    colors = matplotlib.colormaps[ALPHA_MAP](np.linspace(0, 0.9, len(alphas)))
    ax.set(xscale="log", xlabel="time (lr × steps)")
    for alpha, color in zip(alphas, colors, strict=True):
        means = table[table["alpha"] == alpha].groupby("time")["value"].mean()
        ax.plot(means.index, means, color=color, linewidth=1.2, label=plain(alpha))
    log_ticks(ax.xaxis)


def draw_events(ax: Axes, found: pd.DataFrame, laws: pd.DataFrame, colors: Mapping[str, str]) -> None:
    """What happens when, against alpha, of the runs in which it does."""
    for name, color in colors.items():
        law = laws[laws["quantity"] == f"{name} against alpha"].iloc[0]
        label = f"{name.split()[-1]} (law {LAWS[name]:g})"
        draw_scaling(ax, found.dropna(subset=name), "alpha", name, law, color, label)
    alpha_axis([ax], found["alpha"])
    ax.set_xlabel(r"$\alpha$ (rich $\rightarrow$ lazy)")
    # The legend has room of its own above the curves, and says the laws beside the fits.
    low, high = ax.get_ylim()
    ax.set_ylim(low, high * (high / low) ** 0.25)
    legend(ax, handles=[line for line in ax.get_lines() if "(law" in str(line.get_label())], loc="upper left")
