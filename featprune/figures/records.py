"""Test error against what is kept of the network, weights and bytes on disk: ours, and published numbers as points."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import product

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.transforms import Bbox

from featprune.errors import FeatpruneError
from featprune.figures.style import (
    HOLLOW,
    SMALL,
    TICKETS,
    X_LABELS,
    Look,
    choose_method,
    density_axis,
    log_ticks,
    order_methods,
)
from featprune.runs.paths import TICKET
from featprune.tables import records
from featprune.tables.frames import nearest_one, of_kind

LTH: Look = {"label": "LTH baseline", "color": TICKETS, "marker": "s", "linestyle": "--"}
TRAINED = ("during training", "after training")
POINT: Look = {"color": "black", "marker": "o", "markersize": 3.6, "linestyle": "none", "zorder": 3}
PANELS = {"density": 1.0, "bytes": 1e-3}  # what is kept -> the unit it is drawn in, of an axis of density the fraction
ROUND = np.array([5, 2, 1]) * 10.0 ** np.arange(-1, -5, -1)[:, None]  # densities for ticks
ROOM = 1.15  # below the least error, and thrice above the largest published one: curves may leave the panel there
DIGIT, HEIGHT = 0.7 * SMALL, 1.0 * SMALL  # of a number beside a point, in points


def draw(tables: Mapping[str, pd.DataFrame]) -> Figure:
    """Draw from the table `records`: networks pruned while or after they train, at the alpha nearest 1."""
    table = tables["records"]
    published = table[table["side"] == records.PUBLISHED]
    ours = choose(table[table["side"] != records.PUBLISHED].dropna(subset="error"))
    about = published.groupby(["method", "year"], sort=False)["checked"].first()
    numbers = {point: str(number) for number, point in enumerate(about.index, 1)}
    panels = [against for against in PANELS if (ours["against"] == against).any()]
    figure = Figure(figsize=(1.0 + 3.1 * len(panels), 4.4), layout="constrained")
    axes = dict(zip(panels, figure.subplots(1, len(panels), sharey=True, squeeze=False)[0], strict=True))
    looks: dict[str, Look] = {}
    apart = records.BASELINE in set(ours["side"])
    for against, ax in axes.items():
        mine, points = (rows[rows["against"] == against] for rows in (ours, published))
        for look, runs in curves(mine, apart):
            looks[look["label"]] = look
            draw_curve(ax, runs, PANELS[against], look)
        for row in points.to_dict("records"):
            ax.plot(PANELS[against] * row["kept"], 100 * row["error"], **look_of(row["checked"]))
        set_axes(ax, against, pd.concat([mine, points])["kept"])
    low, high = 100 * min(ours["error"].min(), published["error"].min()), 100 * published["error"].max()
    axes[panels[0]].set(ylabel="test error (%)", ylim=(low / ROOM, high * ROOM**3))
    log_ticks(axes[panels[0]].yaxis)
    keys = [look_of(about[point]) | {"label": f"{numbers[point]}  {point[0]} {point[1]}"} for point in about.index]
    handles = [Line2D([], [], **look) for look in (*looks.values(), *keys)]
    figure.legend(handles=handles, loc="outside lower center", ncols=len(panels), columnspacing=1)
    experiments = ours.loc[ours["side"] == records.OURS, "experiment"].unique()
    figure.suptitle(f"{', '.join(experiments)}: LeNet-300-100 on MNIST")
    figure.draw_without_rendering()  # settles the layout, in which numbers find their places
    for against, ax in axes.items():
        points = published[published["against"] == against]
        places = np.column_stack([PANELS[against] * points["kept"], 100 * points["error"]])
        number_points(ax, places, [numbers[point] for point in zip(points["method"], points["year"], strict=True)])
    return figure


def choose(ours: pd.DataFrame) -> pd.DataFrame:
    """What is drawn of ours: the alpha nearest 1, and of compressed networks the rate nearest 1.

    Of the others there is but the rate that was chosen for each round. Raises FeatpruneError where nothing is left.
    """
    trained = [choose_method(*kind).level in TRAINED for kind in zip(ours["criterion"], ours["rewind"], strict=True)]
    ours = ours[np.array(trained, bool)]
    if ours.empty:
        raise FeatpruneError("table 'records' has no finite error of a network pruned as it trains")
    ours = nearest_one(ours, "alpha")
    compressed = ours["against"] == "bytes"
    return pd.concat([ours[~compressed], nearest_one(ours[compressed], "lr") if compressed.any() else ours.head(0)])


def curves(ours: pd.DataFrame, baseline_apart: bool) -> Iterator[tuple[Look, pd.DataFrame]]:
    """The look of each kind of pruned run, and its rows; lottery tickets are the baseline unless that is apart."""
    baseline = ours["side"] == records.BASELINE
    if baseline.any():
        yield LTH, ours[baseline]
    for kind in order_methods(ours[~baseline]):
        look = LTH if kind == TICKET and not baseline_apart else choose_method(*kind).look
        yield look, of_kind(ours[~baseline], kind)


def draw_curve(ax: Axes, runs: pd.DataFrame, unit: float, look: Look) -> None:
    """Means with their band; by hand, as seaborn draws intervals that it computes, not those of a table."""
    runs = runs.sort_values("kept")
    kept, (error, low, high) = unit * runs["kept"], 100 * runs[["error", "ci_low", "ci_high"]].to_numpy(float).T
    ax.plot(kept, error, **look)
    ax.fill_between(kept, low, high, color=look["color"], alpha=0.2, linewidth=0)


def look_of(checked: str) -> Look:
    """A published point: filled where its own paper or repository was read, hollow where another paper quotes it."""
    return POINT | (HOLLOW | {"markeredgecolor": "black"} if checked.startswith("as quoted") else {})


def set_axes(ax: Axes, against: str, kept: pd.Series) -> None:
    """Logarithmic axes; what is kept falls to the right."""
    ax.set_yscale("log", nonpositive="clip")
    if against == "density":
        inner = ROUND[(1.2 * kept.min() < ROUND) & (kept.max() > 1.2 * ROUND)]
        density_axis(ax, [*inner, kept.min(), kept.max()], room=9)
        ax.set_xlabel(X_LABELS["density"])
    else:
        ax.set(xscale="log", xlim=(PANELS[against] * kept.max() * ROOM, PANELS[against] * kept.min() / ROOM))
        log_ticks(ax.xaxis)
        ax.set_xlabel("file size (1,000 bytes)")


def number_points(ax: Axes, points: np.ndarray, names: Sequence[str]) -> None:
    """Write each point's name beside it, as near as there is room: over no point, curve or other name."""
    to_inches = ax.figure.dpi_scale_trans.inverted()

    def place(values: np.ndarray) -> np.ndarray:
        """Data, on the page, in points of 1/72 inch."""
        return 72 * to_inches.transform(ax.transData.transform(values))

    taken = [box(spot, 6, 6) for spot in place(points)]
    for line in ax.lines:
        path = place(np.asarray(line.get_xydata()))
        along = np.linspace(0, len(path) - 1, 60)
        taken += [box(spot, 1, 1) for spot in np.column_stack([np.interp(along, range(len(path)), c) for c in path.T])]
    steps = [
        radius * np.array([np.cos(angle), np.sin(angle)])
        for radius, angle in product(range(8, 40, 3), np.linspace(0, 2 * np.pi, 16, endpoint=False))
    ]
    for point, spot, name in zip(points, place(points), names, strict=True):
        boxes = [box(spot + step, DIGIT * len(name), HEIGHT) for step in steps]
        best = min(range(len(steps)), key=lambda index: (boxes[index].count_overlaps(taken), index))
        taken.append(boxes[best])
        far = np.hypot(*steps[best]) > 12
        arrow = {"arrowstyle": "-", "linewidth": 0.5, "color": "0.4", "shrinkA": 4, "shrinkB": 2} if far else None
        where: Look = {"xytext": steps[best], "textcoords": "offset points", "ha": "center", "va": "center"}
        ax.annotate(name, point, fontsize=SMALL, arrowprops=arrow, **where)


def box(center: np.ndarray, width: float, height: float) -> Bbox:
    """A box of this size around a place."""
    return Bbox.from_bounds(center[0] - width / 2, center[1] - height / 2, width, height)
