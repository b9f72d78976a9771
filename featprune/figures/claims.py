"""All verdicts in one picture: a cell a claim, density, strategy and alpha; below, the hypothesis and the headline."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from matplotlib.ticker import MaxNLocator

from featprune.claims.verdicts import CLAIM_1, CLAIM_2, CLAIM_3, FAILS, HEADLINE, HOLDS, HYPOTHESIS, UNDECIDED
from featprune.figures.bands import ACCURACY, Metric, choose_metric
from featprune.figures.panels import MAX_COLUMNS, head, is_bottom, is_left, key, legend, strategy_panels
from featprune.figures.style import SMALL, density_axis, order_methods, percent, pick_rounds
from featprune.tables.frames import nearest_one

ESTIMATE = Metric("estimate", "estimate")
TITLES = {CLAIM_1: "1  test error", CLAIM_2: "2  features\nat the end", CLAIM_3: "3  features\nalong time"}
MAX_DENSITIES = 5
CELL, GAP = (0.45, 0.3), 0.4  # width and height in inches; the space between claims in rows
BETTER = "↑"  # marks a claim that fails because the pruned network is better than the dense one


@dataclass(frozen=True)
class Look:
    """How a verdict is drawn: colours of a cell and of its text, the sign in it, the marker of a point."""

    color: str
    ink: str
    sign: str
    marker: str


LOOKS = {  # blue, orange and light grey: told apart by any colour vision, and in grey
    HOLDS: Look("#0072B2", "white", "✓", "o"),
    FAILS: Look("#E69F00", "black", "✗", "X"),
    UNDECIDED: Look("0.83", "black", "?", "D"),
}


def draw(tables: Mapping[str, pd.DataFrame]) -> Figure:
    """Draw from the table `claims`, with test errors in the unit of the table `tuned`."""
    deciding = tables["claims"][tables["claims"]["decides"]]
    shown = select(deciding)
    ESTIMATE.require(shown, "claims")
    rounds, alphas = pick_rounds(shown, MAX_DENSITIES), sorted(shown["alpha"].unique())
    shown = shown[shown["round"].isin(rounds)]
    metric = choose_metric(tables["tuned"])
    panels = strategy_panels(shown)
    claims = [claim for claim in TITLES if (shown["claim"] == claim).any()]
    # The y of each row: claims below each other with a gap between, in each the rounds.
    places = {(c, r): i * (len(rounds) + GAP) + j for i, c in enumerate(claims) for j, r in enumerate(rounds)}
    lower = deciding[np.isfinite(deciding["estimate"])].groupby("claim")
    strips = {claim: strip for claim, strip in STRIPS.items() if claim in lower.groups}
    columns = 2 if len(panels) == 4 else min(len(panels), MAX_COLUMNS)
    lines = -(-len(panels) // columns)
    width = max(columns * max(len(alphas) * CELL[0] + 0.2, 1.7) + 2.8, 3.4 * len(strips))
    heights = [lines * ((max(places.values()) + 1) * CELL[1] + 0.4) + 0.8]
    heights += [max(1.6, 0.9 + 0.19 * (deciding["claim"] == HYPOTHESIS).sum())] * bool(strips)
    figure = Figure(figsize=(width, sum(heights)), layout="constrained")
    top, *bottom = figure.subfigures(len(heights), 1, squeeze=False, height_ratios=heights)[:, 0]
    axes = list(top.subplots(lines, columns, sharex=True, sharey=True, squeeze=False).flat)
    for spare in axes[len(panels) :]:
        spare.remove()
    axes = axes[: len(panels)]
    for index, (ax, (title, mine)) in enumerate(zip(axes, panels.items(), strict=True)):
        draw_cells(ax, mine, places, alphas, metric)
        ax.set_title(title)
        if is_left(axes, index):
            name_rows(ax, places, rounds, metric)
        if is_bottom(axes, index):
            ax.tick_params(labelbottom=True)
            ax.set_xlabel(r"$\alpha$ (rich $\rightarrow$ lazy)")
    point = {"linestyle": "none", "markersize": 6, "markeredgecolor": "0.3", "markeredgewidth": 0.5}
    handles = [key(look.color, f"{look.sign}  {name}", marker=look.marker, **point) for name, look in LOOKS.items()]
    better = any(map(is_better, shown.itertuples()))
    legend(top, handles + [key("none", f"{BETTER}  better than dense")] * better, title="verdict")
    for part in bottom:
        for ax, claim in zip(part.subplots(1, len(strips), squeeze=False).flat, strips, strict=True):
            strips[claim](ax, lower.get_group(claim))
    head(figure, deciding)
    return figure


def select(deciding: pd.DataFrame) -> pd.DataFrame:
    """The rows of claims 1 to 3 of the strategies and rounds whose features were compared; else all of claim 1."""
    features = deciding[deciding["claim"].isin((CLAIM_2, CLAIM_3))]
    tested = deciding[deciding["claim"] == CLAIM_1]
    if features.empty:
        return tested
    compared = features[["criterion", "rewind", "round"]].drop_duplicates()
    return pd.concat([tested.merge(compared), nearest_one(features, "lr")], ignore_index=True)


def is_better(row) -> bool:
    """Whether a claim fails because the pruned network is better than the dense one."""
    return row.claim == CLAIM_1 and row.verdict == FAILS and row.estimate > 0


def draw_cells(ax: Axes, rows: pd.DataFrame, places: Mapping, alphas: Sequence[float], metric: Metric) -> None:
    """A cell a row of the table, coloured by its verdict, with the verdict's sign and the estimate."""
    for row in rows.itertuples():
        look, x, y = LOOKS[row.verdict], alphas.index(row.alpha), places[row.claim, row.round]
        ax.add_patch(Rectangle((x - 0.5, y - 0.5), 1, 1, facecolor=look.color, edgecolor="white"))
        text = f"{look.sign}{BETTER * is_better(row)}\n{effect(row.claim, row.estimate, metric)}"
        ax.text(x, y, text, ha="center", va="center", fontsize=SMALL - 1, linespacing=1.0, color=look.ink)
    ax.set(xlim=(-0.5, len(alphas) - 0.5), ylim=(max(places.values()) + 0.5, -0.5))
    ax.set_xticks(range(len(alphas)), [f"{alpha:g}" for alpha in alphas])
    ax.tick_params(length=0)
    ax.spines[:].set_visible(False)


def effect(claim: str, estimate: float, metric: Metric) -> str:
    """The estimate in few characters; claim 1's in points of accuracy or as a ratio of errors."""
    if np.isnan(estimate):
        return "–"
    if claim != CLAIM_1:
        # + 0.0: no minus sign before a zero
        text = f"{round(estimate, 2) + 0.0:.2f}" if abs(estimate) < 10 else f"{estimate:.2g}"
    else:
        text = f"{round(100 * estimate, 1) + 0.0:+.1f}" if metric is ACCURACY else f"×{np.exp(-estimate):.3g}"
    return text.replace("-", "−")


def name_rows(ax: Axes, places: Mapping, rounds: Mapping[int, float], metric: Metric) -> None:
    """Write the densities, and left of them the claims."""
    ax.set_yticks(list(places.values()), [f"{percent(rounds[number])} %" for _, number in places])
    style = {"xycoords": ("axes fraction", "data"), "textcoords": "offset points", "fontsize": SMALL}
    ax.annotate("weights", (0, -0.5), xytext=(-4, 5), ha="right", **style)
    unit = "points of\naccuracy" if metric is ACCURACY else "ratio to dense"
    for claim in dict.fromkeys(claim for claim, _ in places):
        middle = np.mean([place for (name, _), place in places.items() if name == claim])
        text = TITLES[claim] + f"\n({unit})" * (claim == CLAIM_1)
        ax.annotate(text, (0, middle), xytext=(-112, 0), va="center", **style)


def draw_points(rows: pd.DataFrame, places: Sequence[float], scale: float, lines, scatter) -> None:
    """Estimates with their intervals, in the colours and with the markers of their verdicts."""
    places = np.asarray(places, dtype=float)
    for verdict, look in LOOKS.items():
        mine = (rows["verdict"] == verdict).to_numpy()
        value, low, high = scale * rows.loc[mine, ["estimate", "ci_low", "ci_high"]].to_numpy(float).T
        lines(places[mine], low, high, color=look.color, linewidth=2, zorder=2)
        style = {"color": look.color, "marker": look.marker, "edgecolor": "0.3", "linewidth": 0.5}
        scatter(places[mine], value, s=28, zorder=3, **style)


def draw_hypothesis(ax: Axes, rows: pd.DataFrame) -> None:
    """How much of alpha's effect depends on the density: the tickets' share, and the others' minus the tickets'."""
    methods = order_methods(rows)
    rows = rows.set_index(["criterion", "rewind"]).loc[list(methods)]
    rows = rows.sort_values("statistic", kind="stable")  # `interaction` before `messier`
    own = rows["statistic"] == "interaction"
    names = ["tickets" if ticket else f"{methods[pair].label} − tickets" for pair, ticket in own.items()]
    draw_points(rows, range(len(rows)), 1.0, ax.hlines, lambda y, x, **style: ax.scatter(x, y, **style))
    ax.scatter(rows["null_estimate"], range(len(rows)), s=60, marker="|", color="0.3", linewidth=0.8, zorder=1.5)
    ax.axvline(0, color="0.4", linewidth=0.8, zorder=1)
    ends = rows[["estimate", "ci_low", "ci_high", "null_estimate"]].assign(zero=0).to_numpy(float)
    ax.set(xlim=(max(np.nanmin(ends), -1) - 0.05, min(np.nanmax(ends), 1) + 0.05), ylim=(len(rows) - 0.4, -0.6))
    ax.xaxis.set_major_locator(MaxNLocator(5))
    ax.set_yticks(range(len(rows)), names)
    ax.set(
        xlabel=r"share of $\alpha$'s effect that depends on density",
        title=r"hypothesis: $\alpha$ acts uniformly on tickets",
    )


def draw_gain(ax: Axes, rows: pd.DataFrame) -> None:
    """The headline: our tickets minus the baseline's at each density, in percentage points."""
    draw_points(rows, rows["density"], 100.0, ax.vlines, ax.scatter)
    ax.axhline(0, color="0.4", linewidth=0.8, zorder=1)
    density_axis(ax, rows["density"])
    ax.set(ylabel="ours − baseline\n(points)", title="headline")


STRIPS = {HYPOTHESIS: draw_hypothesis, HEADLINE: draw_gain}
