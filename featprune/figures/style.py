"""One look for every figure: theme, colours, names and axes."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace

import matplotlib
import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.ticker import FixedLocator, LogLocator, NullFormatter, NullLocator

Color = tuple[float, float, float, float]

STRATEGIES = {  # rewind -> what a reader calls it, in the order of panels
    "dense": "dense",
    "init": "rewind to init (ticket)",
    "late": "late rewind",
    "random": "random re-draw",
    "same_sign": "re-draw, same signs",
    "none": "no rewind (fine-tune)",
    "lr": "learning-rate rewind",
}
DENSE = "black"
BASELINE, OURS = "#E69F00", "#6A3D9A"  # orange and purple, told apart by any colour vision and in grey
ALPHA_MAP, DENSITY_MAP, COUNT_MAP, SIGNED_MAP = "viridis", "magma", "cividis", "RdBu_r"
LAYER_MAP = "plasma"
SMALL = 8  # points: the smallest text of any figure


@dataclass(frozen=True)
class Method:
    """How a pruning method (a criterion and a rewind) is named and drawn; `hollow`: with open markers."""

    level: str
    label: str
    color: str
    marker: str
    hollow: bool = False


# When a method prunes -> the style of its curves, in the order of the legend.
LEVELS = {"before training": "--", "during training": "-", "after training": ":", "controls": "-"}
CONTROL = "0.65"
# (criterion, rewind) -> how it is drawn, in the order of legends and panels. The ten colours are told apart by any
# colour vision; so are the markers, which belong to them.
METHODS = {
    ("snip", "init"): Method("before training", "SNIP", "#E69F00", "o"),
    ("grasp", "init"): Method("before training", "GraSP", "#56B4E9", "s"),
    ("synflow", "init"): Method("before training", "SynFlow", "#009E73", "D"),
    ("magnitude_init", "init"): Method("before training", "magnitude at init", "#CC79A7", "^"),
    ("random", "init"): Method("before training", "random", "#5A3A22", "v"),
    ("magnitude", "init"): Method("during training", "rewind to init (ticket)", "#D55E00", "o"),
    ("magnitude", "late"): Method("during training", "late rewind", "#882255", "s"),
    ("magnitude", "none"): Method("after training", "no rewind (fine-tune)", "#0072B2", "o"),
    ("magnitude_one_shot", "none"): Method("after training", "one shot, fine-tune", "#332288", "s"),
    ("magnitude", "lr"): Method("after training", "learning-rate rewind", "#117733", "D"),
    ("magnitude", "random"): Method("controls", "random re-draw", CONTROL, "o"),
    ("ticket", "random"): Method("controls", "ticket mask, re-draw", CONTROL, "s"),
    ("ticket", "same_sign"): Method("controls", "ticket mask, same signs", CONTROL, "D"),
    ("shuffled", "init"): Method("controls", "ticket mask, shuffled", CONTROL, "^"),
}


def choose_method(criterion: str, rewind: str) -> Method:
    """How the method is drawn: an iterative variant like the method itself with open markers, others as controls."""
    base = METHODS.get((criterion.removesuffix("_iterative"), rewind))
    if base is None:
        return Method("controls", f"{criterion} × {STRATEGIES.get(rewind, rewind)}", CONTROL, "v")
    return replace(base, label=f"{base.label}, iterative", hollow=True) if criterion.endswith("_iterative") else base


def order_methods(runs: pd.DataFrame) -> dict[tuple[str, str], Method]:
    """The (criterion, rewind) pairs of the pruned runs in the order of METHODS, a variant after its method."""
    pairs = set(zip(runs["criterion"], runs["rewind"], strict=True)) - {("dense", "dense"), ("dense", "none")}
    known = list(METHODS)

    def place(pair: tuple[str, str]) -> tuple[int, tuple[str, str]]:
        base = (pair[0].removesuffix("_iterative"), pair[1])
        return known.index(base) if base in known else len(known), pair

    return {pair: choose_method(*pair) for pair in sorted(pairs, key=place)}


def theme() -> AbstractContextManager:
    """The settings for drawing and saving: fonts that ship with matplotlib, reproducible SVG ids."""
    return matplotlib.rc_context(
        {
            **sns.axes_style("ticks"),
            **sns.plotting_context("paper"),
            "font.sans-serif": ["DejaVu Sans"],
            "axes.labelsize": SMALL + 1,
            "axes.titlesize": SMALL + 1,
            "axes.spines.right": False,
            "axes.spines.top": False,
            "figure.labelsize": SMALL + 1,
            "figure.titlesize": SMALL + 2,
            "legend.fontsize": SMALL,
            "legend.frameon": False,
            "legend.title_fontsize": SMALL,
            "lines.linewidth": 1.3,
            "lines.markersize": 2.8,
            "lines.markeredgewidth": 0,
            "svg.hashsalt": "featprune",
            "xtick.labelsize": SMALL,
            "ytick.labelsize": SMALL,
            "ytick.minor.size": 2,
            "ytick.minor.width": 0.6,
        }
    )


def log_palette(values: Iterable[float], name: str, start: float, stop: float) -> dict[float, Color]:
    """Map each value to a colour of the map `name` between `start` and `stop`, by its logarithm."""
    values = sorted(set(values))
    logs = np.log(values)
    spread = np.ptp(logs) if len(values) > 1 else 0.0
    places = (logs - logs[0]) / spread if spread else np.full(len(values), 0.5)
    return dict(zip(values, map(tuple, matplotlib.colormaps[name](start + (stop - start) * places)), strict=True))


def alpha_palette(alphas: Iterable[float]) -> dict[float, Color]:
    """Map each alpha to a colour: dark is rich (small alpha), light is lazy."""
    return log_palette(alphas, ALPHA_MAP, 0.0, 0.88)


def density_palette(densities: Iterable[float]) -> dict[float, Color]:
    """Map each density to a colour: dark is dense, light is sparse."""
    return log_palette(densities, DENSITY_MAP, 0.82, 0.28)


def layer_palette(layers: Iterable[int]) -> dict[int, Color]:
    """Map each layer (counted from 1) to a colour: dark is near the input, light near the output."""
    return log_palette(layers, LAYER_MAP, 0.0, 0.85)


def percent(density: float) -> str:
    """A density in percent, as on the axis: 100, 51, 8.6, 0.35."""
    value = 100 * density
    return f"{value:.0f}" if value >= 9.95 else f"{value:.1f}" if value >= 0.95 else f"{value:.2g}"


def pick(values: Sequence[float], count: int) -> list[int]:
    """Indices of at most `count` of the sorted `values`, first and last among them, as even as can be."""
    values = np.asarray(values, dtype=float)
    even = np.linspace(values[0], values[-1], min(count, len(values)))
    return sorted({int(np.abs(values - place).argmin()) for place in even})


def pick_rounds(table: pd.DataFrame, count: int) -> dict[int, float]:
    """At most `count` rounds of the table, evenly spaced in log density, with their densities."""
    densities = table.groupby("round")["density"].mean().sort_index()
    chosen = densities.iloc[pick(-np.log(densities), count)]
    return {int(number): float(density) for number, density in chosen.items()}


def density_axis(ax: Axes, densities: Iterable[float], label: bool = True) -> None:
    """Make x a log axis of density that falls to the right, with ticks at densities of the data."""
    densities = np.array(sorted(set(densities), reverse=True))
    ticks = spaced(densities)
    margin = (densities[0] / densities[-1]) ** 0.04 * 1.02
    ax.set(xscale="log", xlim=(densities[0] * margin, densities[-1] / margin))
    fixed_ticks(ax, ticks, map(percent, ticks))
    if label:
        ax.set_xlabel("weights remaining (%)")


def spaced(values: np.ndarray, room: int = 6) -> list[float]:
    """Of monotone positive values the first, the last, and those between that leave labels room on a log axis."""
    places = np.abs(np.log(values / values[0]))
    gap, end = places[-1] / room, places[-1]
    kept, last = [values[0]], 0.0
    for value, place in zip(values[1:-1], places[1:-1], strict=True):
        if place - last >= gap and end - place >= gap:
            kept.append(value)
            last = place
    return kept + ([values[-1]] if end else [])


def alpha_axis(ax: Axes, alphas: Iterable[float], label: bool = True) -> None:
    """Make x a log axis of alpha with ticks at (some of) the alphas of the data."""
    alphas = np.array(sorted(set(alphas)))
    margin = (alphas[-1] / alphas[0]) ** 0.05 * 1.05
    ticks = alphas[pick(np.log(alphas), 6)]
    ax.set(xscale="log", xlim=(alphas[0] / margin, alphas[-1] * margin))
    fixed_ticks(ax, ticks, (f"{alpha:g}" for alpha in ticks))
    if label:
        ax.set_xlabel(r"$\alpha$ (rich $\rightarrow$ lazy)")


def fixed_ticks(ax: Axes, ticks: Iterable[float], labels: Iterable[str]) -> None:
    """Put exactly these ticks on x."""
    ax.xaxis.set_minor_locator(NullLocator())
    ax.xaxis.set_major_locator(FixedLocator(list(ticks)))
    ax.set_xticklabels(list(labels))


def log_axis(ax: Axes) -> None:
    """Make y a log axis; where it spans less than two decades its ticks are 1, 2, 5 and not powers of ten."""
    ax.set_yscale("log")
    low, high = ax.get_ylim()
    if high < 100 * low:
        ax.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
        ax.yaxis.set_major_formatter("{x:g}")
    ax.yaxis.set_minor_formatter(NullFormatter())
