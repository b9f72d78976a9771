"""One look for every figure: theme, colours, names and axes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from typing import Any

import matplotlib
import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.ticker import EngFormatter, LogLocator, MaxNLocator, NullFormatter

from featprune.runs.paths import DENSE, LONGER, Kind
from featprune.tables.frames import name_alpha, of_kind

Color = tuple[float, float, float, float]
Look = dict[str, Any]  # of a curve: keywords of a line, and as `label` its name in the legend
Looks = dict[Any, Look]  # value of the column that sets curves apart -> how its curve is drawn, in this order

STRATEGIES = {  # rewind -> what a reader calls it, in the order of panels
    "dense": "dense",
    "init": "rewind to init (ticket)",
    "reordered": "other data order",
    "late": "late rewind",
    "random": "random re-draw",
    "same_sign": "re-draw, same signs",
    "none": "no rewind (fine-tune)",
    "lr": "learning-rate rewind",
    "distilled": "ticket, distilled",
    "distilled_logits": "ticket, distilled logits",
}
DENSE_COLOR = "black"
DENSE_LINE: Look = {"color": DENSE_COLOR, "label": "dense", "linewidth": 0.8, "zorder": 1}
TICKETS, OURS = "#D55E00", "#6A3D9A"  # vermilion and purple, told apart by any colour vision and in grey
LINEARIZED_COLOR = "#CC79A7"  # a reddish purple, which the map of alphas lacks
BEYOND = 0.35  # how far linearized networks are beyond the axis of alphas, in lengths of it
WIDTH = 0.25  # over which they are set apart, in lengths of that
ALPHA_MAP, DENSITY_MAP, LAYER_MAP, COUNT_MAP, SIGNED_MAP = "viridis", "magma", "plasma", "cividis", "RdBu_r"
SMALL = 8  # points: the smallest text of any figure
X_LABELS = {"density": "weights remaining (%)", "alpha": r"$\alpha$ (rich $\rightarrow$ lazy)", "step": "training step"}


@dataclass(frozen=True)
class Method:
    """How a pruning method (a criterion and a rewind) is named and drawn; `hollow`: with open markers."""

    level: str
    label: str
    color: str
    marker: str
    hollow: bool = False

    @property
    def look(self) -> Look:
        """Its line: dashed, solid or dotted by its level, thin for a control."""
        look: Look = {"color": self.color, "label": self.label, "linestyle": LEVELS[self.level], "marker": self.marker}
        look |= {"linewidth": 0.7, "zorder": 1.5} if self.level == "controls" else {}
        return look | (HOLLOW | {"markeredgecolor": self.color} if self.hollow else {})


# When a method prunes -> the style of its curves, in the order of the legend.
LEVELS = {"before training": "--", "during training": "-", "after training": ":", "controls": "-"}
CONTROL, REDRAWN = "0.65", "0.45"
HOLLOW = {"markerfacecolor": "white", "markeredgewidth": 0.7}
# (criterion, rewind) -> how it is drawn, in the order of legends and panels. The colours are told apart by any
# colour vision; so are the markers, which belong to them.
METHODS = {
    ("snip", "init"): Method("before training", "SNIP", "#E69F00", "o"),
    ("grasp", "init"): Method("before training", "GraSP", "#56B4E9", "s"),
    ("synflow", "init"): Method("before training", "SynFlow", "#009E73", "D"),
    ("magnitude_init", "init"): Method("before training", "magnitude at init", "#CC79A7", "^"),
    ("random", "init"): Method("before training", "random", "#5A3A22", "v"),
    ("magnitude", "init"): Method("during training", "rewind to init (ticket)", TICKETS, "o"),
    ("preactivation", "init"): Method("during training", "feature-aware ticket", OURS, "D"),
    ("fisher", "init"): Method("during training", "Fisher ticket", "#44AA99", "P"),
    ("magnitude", "late"): Method("during training", "late rewind", "#882255", "s"),
    ("magnitude", "none"): Method("after training", "no rewind (fine-tune)", "#0072B2", "o"),
    ("magnitude_one_shot", "none"): Method("after training", "one shot, fine-tune", "#332288", "s"),
    ("magnitude", "lr"): Method("after training", "learning-rate rewind", "#117733", "D"),
    ("magnitude", "random"): Method("controls", "random re-draw", REDRAWN, "o"),
    ("ticket", "random"): Method("controls", "ticket mask, re-draw", CONTROL, "s"),
    ("ticket", "same_sign"): Method("controls", "ticket mask, same signs", CONTROL, "D"),
    ("ticket", "reordered"): Method("controls", "ticket, other order", CONTROL, "P"),
    ("shuffled", "init"): Method("controls", "ticket mask, shuffled", CONTROL, "^"),
}


def choose_method(criterion: str, rewind: str) -> Method:
    """How the method is drawn: an iterative variant like the method itself with open markers, others as controls."""
    base = METHODS.get((criterion.removesuffix("_iterative"), rewind))
    if base is None:
        return Method("controls", f"{criterion} × {STRATEGIES.get(rewind, rewind)}", CONTROL, "v")
    return replace(base, label=f"{base.label}, iterative", hollow=True) if criterion.endswith("_iterative") else base


def order_methods(runs: pd.DataFrame) -> list[Kind]:
    """The kinds of the pruned runs in the order of METHODS, a variant after its method."""
    known = list(METHODS)

    def place(kind: Kind) -> tuple[int, Kind]:
        base = (kind.criterion.removesuffix("_iterative"), kind.rewind)
        return known.index(base) if base in known else len(known), kind

    kinds = {Kind(*pair) for pair in zip(runs["criterion"], runs["rewind"], strict=True)}
    return sorted(kinds - {DENSE, LONGER}, key=place)


def by_method(runs: pd.DataFrame) -> pd.DataFrame:
    """The pruned runs in the order of their methods, whose labels are in `method`."""
    parts = [of_kind(runs, kind).assign(method=choose_method(*kind).label) for kind in order_methods(runs)]
    return pd.concat(parts)


def theme() -> AbstractContextManager:
    """The settings for drawing and saving: fonts that ship with matplotlib, reproducible SVG ids."""
    return matplotlib.rc_context(
        {
            **sns.axes_style("ticks"),
            **sns.plotting_context("paper", font_scale=SMALL / sns.plotting_context("paper")["xtick.labelsize"]),
            "backend": "agg",  # seaborn's grids ask pyplot for their figure, which must not open a window
            "font.sans-serif": ["DejaVu Sans"],
            "axes.spines.right": False,
            "axes.spines.top": False,
            "figure.labelsize": "medium",
            "figure.titlesize": SMALL + 2,
            "legend.frameon": False,
            "lines.linewidth": 1.3,
            "lines.markersize": 2.8,
            "lines.markeredgewidth": 0,
            "svg.fonttype": "none",  # text stays text, to be searched, copied and read aloud
            "svg.hashsalt": "featprune",
            "ytick.minor.size": 2,
            "ytick.minor.width": 0.6,
        }
    )


def log_palette(values: Iterable[float], name: str, start: float, stop: float) -> dict[Any, Color]:
    """Map each value to a colour of the map `name` between `start` and `stop`, by its logarithm."""
    values = sorted(set(values))
    logs = np.log(values)
    spread = np.ptp(logs) if len(values) > 1 else 0.0
    places = (logs - logs[0]) / spread if spread else np.full(len(values), 0.5)
    return dict(zip(values, map(tuple, matplotlib.colormaps[name](start + (stop - start) * places)), strict=True))


def alpha_looks(alphas: Iterable[float]) -> Looks:
    """How the curve of each alpha is drawn: dark is rich (small alpha), light is lazy, pink is linearized."""
    alphas = set(alphas)
    palette: dict[float, Any] = log_palette(alphas - {np.inf}, ALPHA_MAP, 0.0, 0.88)
    palette |= dict.fromkeys(alphas & {np.inf}, LINEARIZED_COLOR)
    return {alpha: {"color": color, "label": name_alpha(alpha), "marker": "o"} for alpha, color in palette.items()}


def round_looks(rounds: Mapping[int, float], dense: Look, **line: Any) -> Looks:
    """How the curves of the dense network (round 0, on top) and of tickets are drawn: dark is dense, light is sparse.

    rounds: with their densities. dense: what the dense network's curve has of its own; line: what all have.
    """
    palette = log_palette(rounds.values(), DENSITY_MAP, 0.82, 0.28)
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


def density_axis(ax: Axes, densities: Iterable[float], room: int = 6) -> None:
    """Make x a log axis of density that falls to the right, with ticks at as many densities as it has `room` for."""
    ratio_axis(ax, sorted(set(densities), reverse=True), percent, room)
    ax.xaxis.set_inverted(True)


def alpha_axis(axes: Iterable[Axes], alphas: Iterable[float]) -> None:
    """Make x a log axis of alpha with ticks at alphas of the data; for linearized networks it goes on beyond a gap.

    axes: panels that share x.
    """
    first, *_ = axes = list(axes)
    alphas = sorted(set(alphas))
    places = [place_alpha(alpha, alphas) for alpha in alphas]
    ratio_axis(first, places, lambda place: tick_alpha(alphas[places.index(place)]))
    for ax in axes if np.inf in alphas else ():
        # Two strokes through the axis, half way to the last tick.
        middle = np.log(places[-2] * places[-1]) / 2
        ends = np.exp(middle + np.array([-1, 1]) * 0.05 * np.log(places[-1] / places[-2]))
        look: Look = {"color": matplotlib.rcParams["axes.edgecolor"], "linestyle": "none", "clip_on": False}
        look |= {"marker": [(-0.5, -1), (0.5, 1)], "markersize": 8, "markeredgewidth": 1, "zorder": 3}
        ax.plot(ends, [0, 0], transform=ax.get_xaxis_transform(), **look)


def place_alpha(alpha: float, alphas: Iterable[float], apart: Any = 0.0) -> Any:
    """Where an alpha is on its axis: that of linearized networks is beyond the largest of these.

    apart: from -0.5 to 0.5, where several curves have a point there.
    """
    finite = [each for each in alphas if not np.isinf(each)]
    beyond = (max(finite) / min(finite)) ** BEYOND if len(set(finite)) > 1 else 10.0
    return max(finite) * beyond ** (1 + WIDTH * apart) if np.isinf(alpha) else alpha


def tick_alpha(alpha: float) -> str:
    """An alpha at an axis."""
    return "lin." if np.isinf(alpha) else plain(alpha)


def ratio_axis(ax: Axes, values: Sequence[float], write: Callable[[float], str], room: int = 6) -> None:
    """Make x a log axis over these monotone values, with ticks at as many of them as there is room for."""
    margin = (max(values) / min(values)) ** 0.04 * 1.02
    ax.set(xscale="log", xlim=(min(values) / margin, max(values) * margin))
    ticks = spaced(np.array(values), room)
    ax.set_xticks([], minor=True)
    ax.set_xticks(ticks, map(write, ticks))


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


def step_axis(ax: Axes, steps: Iterable[int]) -> None:
    """Make x a log axis of training steps; step 0 has a place of its own, one tick to the left of the first."""
    first, *_, last = sorted(set(steps) - {0}) * 2
    ax.set_xscale("symlog", linthresh=first, linscale=0.5)
    ax.set_xlim(-0.1 * first, 1.2 * last)
    ax.xaxis.set_major_formatter(EngFormatter(sep=""))


class LogTicks(LogLocator):
    """Ticks of a log axis, by its span: powers of ten, or 1, 2, 5, or evenly spaced ones where it is too short."""

    def tick_values(self, vmin: float, vmax: float) -> Sequence[float]:
        low, high = sorted((vmin, vmax))
        if high < 5 * low:
            return [tick for tick in MaxNLocator(5, steps=[1, 2, 5, 10]).tick_values(low, high) if tick > 0]
        self.set_params(subs=(1, 2, 5) if high < 100 * low else (1,))
        return super().tick_values(vmin, vmax)


def log_ticks(axis: Axis) -> None:
    """Put few and plain ticks on a log axis."""
    axis.set_major_locator(LogTicks())
    axis.set_major_formatter(plain)
    axis.set_minor_formatter(NullFormatter())


def plain(value: float, _: object = None) -> str:
    """A number in few characters and without superscripts, which would be too small to read: 0.01, 2, 1e-5."""
    return f"{value:g}".replace("e-0", "e-").replace("e+0", "e")
