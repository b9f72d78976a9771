"""One look for every figure: theme, colours, names and axes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from typing import Any

import matplotlib
import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.ticker import EngFormatter, FixedLocator, LogLocator, MaxNLocator, NullFormatter, NullLocator

Color = tuple[float, float, float, float]
Palette = dict[Any, Color]  # alpha, density or layer -> its colour
Look = dict[str, Any]  # of a curve: keywords of a line, and as `label` its name in the legend
Looks = dict[Any, Look]  # value of the column that sets curves apart -> how its curve is drawn, in this order

STRATEGIES = {  # rewind -> what a reader calls it, in the order of panels
    "dense": "dense",
    "init": "rewind to init (ticket)",
    "late": "late rewind",
    "random": "random re-draw",
    "same_sign": "re-draw, same signs",
    "none": "no rewind (fine-tune)",
    "lr": "learning-rate rewind",
}
DENSE_COLOR = "black"
DENSE_LINE: Look = {"color": DENSE_COLOR, "label": "dense", "linewidth": 0.8, "zorder": 1}
BASELINE, OURS = "#E69F00", "#6A3D9A"  # orange and purple, told apart by any colour vision and in grey
ALPHA_MAP, DENSITY_MAP, COUNT_MAP, SIGNED_MAP = "viridis", "magma", "cividis", "RdBu_r"
LAYER_MAP = "plasma"
SMALL = 8  # points: the smallest text of any figure
DENSITY_LABEL, ALPHA_LABEL, STEP_LABEL = "weights remaining (%)", r"$\alpha$ (rich $\rightarrow$ lazy)", "training step"


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


def name_methods(runs: pd.DataFrame) -> pd.DataFrame:
    """The runs with the label of their method in `method`."""
    pairs = zip(runs["criterion"], runs["rewind"], strict=True)
    return runs.assign(method=[choose_method(*pair).label for pair in pairs])


def theme() -> AbstractContextManager:
    """The settings for drawing and saving: fonts that ship with matplotlib, reproducible SVG ids."""
    return matplotlib.rc_context(
        {
            **sns.axes_style("ticks"),
            **sns.plotting_context("paper"),
            "backend": "agg",  # seaborn's grids ask pyplot for their figure, which must not open a window
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


def log_palette(values: Iterable[float], name: str, start: float, stop: float) -> Palette:
    """Map each value to a colour of the map `name` between `start` and `stop`, by its logarithm."""
    values = sorted(set(values))
    logs = np.log(values)
    spread = np.ptp(logs) if len(values) > 1 else 0.0
    places = (logs - logs[0]) / spread if spread else np.full(len(values), 0.5)
    return dict(zip(values, map(tuple, matplotlib.colormaps[name](start + (stop - start) * places)), strict=True))


def alpha_palette(alphas: Iterable[float]) -> Palette:
    """Map each alpha to a colour: dark is rich (small alpha), light is lazy."""
    return log_palette(alphas, ALPHA_MAP, 0.0, 0.88)


def density_palette(densities: Iterable[float]) -> Palette:
    """Map each density to a colour: dark is dense, light is sparse."""
    return log_palette(densities, DENSITY_MAP, 0.82, 0.28)


def layer_palette(layers: Iterable[int]) -> Palette:
    """Map each layer (counted from 1) to a colour: dark is near the input, light near the output."""
    return log_palette(layers, LAYER_MAP, 0.0, 0.85)


def alpha_looks(alphas: Iterable[float]) -> Looks:
    """How the curve of each alpha is drawn."""
    return {a: {"color": color, "label": f"{a:g}", "marker": "o"} for a, color in alpha_palette(alphas).items()}


def round_looks(rounds: Mapping[int, float], dense: Look, **line: Any) -> Looks:
    """How the curves of the dense network (round 0, on top of the others) and of these rounds' tickets are drawn.

    rounds: as of `pick_rounds`. dense: what its curve has of its own; line: what all have.
    """
    palette = density_palette(rounds.values())
    looks = {number: {"color": palette[d], "label": percent(d), **line} for number, d in rounds.items()}
    return {0: {"color": DENSE_COLOR, "label": "100 (dense)", "zorder": 2.1, **line, **dense}, **looks}


def percent(density: float) -> str:
    """A density in percent, as on the axis: 100, 51, 8.6, 0.35."""
    value = 100 * density
    return f"{value:.0f}" if value >= 9.95 else f"{value:.1f}" if value >= 0.95 else f"{value:.2g}"


def pick(values: Sequence[float] | np.ndarray, count: int) -> list[int]:
    """Indices of at most `count` of the sorted `values`, first and last among them, as even as can be."""
    places = np.asarray(values, dtype=float)
    even = np.linspace(places[0], places[-1], min(count, len(places)))
    return sorted({int(np.abs(places - place).argmin()) for place in even})


def pick_rounds(table: pd.DataFrame, count: int) -> dict[int, float]:
    """At most `count` rounds of the table, evenly spaced in log density, with their densities."""
    densities = table.groupby("round")["density"].mean().sort_index()
    rounds, values = densities.index.to_numpy(int), densities.to_numpy()
    return {int(rounds[i]): float(values[i]) for i in (pick(-np.log(values), count) if len(values) else ())}


def density_axis(ax: Axes, densities: Iterable[float]) -> None:
    """Make x a log axis of density that falls to the right, with ticks at densities of the data."""
    densities = np.array(sorted(set(densities), reverse=True))
    ticks = spaced(densities)
    margin = (densities[0] / densities[-1]) ** 0.04 * 1.02
    ax.set(xscale="log", xlim=(densities[0] * margin, densities[-1] / margin))
    fixed_ticks(ax, ticks, map(percent, ticks))


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


def alpha_axis(ax: Axes, alphas: Iterable[float]) -> None:
    """Make x a log axis of alpha with ticks at (some of) the alphas of the data."""
    alphas = np.array(sorted(set(alphas)))
    margin = (alphas[-1] / alphas[0]) ** 0.05 * 1.05
    ticks = alphas[pick(np.log(alphas), 6)]
    ax.set(xscale="log", xlim=(alphas[0] / margin, alphas[-1] * margin))
    fixed_ticks(ax, ticks, (f"{alpha:g}" for alpha in ticks))


def step_axis(ax: Axes, steps: Iterable[int]) -> None:
    """Make x a log axis of training steps; step 0 has a place of its own, one tick to the left of the first."""
    first, *_, last = sorted(set(steps) - {0}) * 2
    ax.set_xscale("symlog", linthresh=first, linscale=0.5)
    ax.set_xlim(-0.1 * first, 1.2 * last)
    ax.xaxis.set_major_formatter(EngFormatter(sep=""))


def fixed_ticks(ax: Axes, ticks: Iterable[float], labels: Iterable[str]) -> None:
    """Put exactly these ticks on x."""
    ax.xaxis.set_minor_locator(NullLocator())
    ax.xaxis.set_major_locator(FixedLocator(list(ticks)))
    ax.set_xticklabels(list(labels))


def log_ticks(axis: Axis) -> None:
    """Ticks of a log axis, by its span: powers of ten, or 1, 2, 5, or evenly spaced ones where it is too short."""
    low, high = sorted(axis.get_view_interval())
    subs = (1, 2, 5) if high < 100 * low else (1,)
    axis.set_major_locator(MaxNLocator(4) if high < 5 * low else LogLocator(subs=subs))
    axis.set_major_formatter(plain)
    axis.set_minor_formatter(NullFormatter())


def plain(value: float, _: object = None) -> str:
    """A number in few characters and without superscripts, which would be too small to read: 0.01, 2, 1e-5."""
    return f"{value:g}".replace("e-0", "e-").replace("e+0", "e")
