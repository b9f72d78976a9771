"""All verdicts in one picture: a cell a claim, density, strategy and alpha; below, the hypothesis and the headline."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from featprune.claims.verdicts import (
    CLAIM_1,
    CLAIM_2,
    CLAIM_3,
    FAILS,
    HEADLINE,
    HOLDS,
    HYPOTHESIS,
    UNDECIDED,
    with_linearized,
)
from featprune.figures.bands import ACCURACY, Metric, choose_metric
from featprune.figures.panels import by_strategy, choose_columns, legend
from featprune.figures.style import SMALL, X_LABELS, Look, by_method, density_axis, percent, pick_rounds, tick_alpha
from featprune.tables.frames import AXES, nearest_one

ESTIMATE = Metric("estimate", "estimate")
TITLES = {CLAIM_1: "1  test error", CLAIM_2: "2  features at the end", CLAIM_3: "3  changes along time"}
TITLE = -1  # stands for a round in the row of a claim's title
MAX_DENSITIES = 5
CELL = (0.47, 0.32)  # width and height in inches
UNDEFINED = "not defined"
BETTER = "↑"  # marks pruned networks that are better than the dense one
SIGNS = {HOLDS: "✓", FAILS: "✗", UNDECIDED: "?"}
MARKS: dict[str, Look] = {  # blues, orange and light grey: told apart by any colour vision, and in grey
    HOLDS: {"color": "#0072B2", "marker": "o"},
    FAILS: {"color": "#E69F00", "marker": "X"},
    UNDECIDED: {"color": "0.83", "marker": "D"},
}
BETTER_MARK: Look = {"color": "#003B5C", "marker": "^"}  # the darker blue: more than holding, never like failing


def draw(tables: Mapping[str, pd.DataFrame]) -> Figure:
    """Draw from the table `claims`, with test errors in the unit of the table `tuned`."""
    claims, metric = tables["claims"], choose_metric(tables["tuned"])
    places = ["claim", *AXES]
    better = claims[(claims["statistic"] == "better") & (claims["verdict"] == HOLDS)]
    deciding = with_linearized(claims).assign(
        better=lambda rows: pd.MultiIndex.from_frame(rows[places]).isin(pd.MultiIndex.from_frame(better[places]))
    )
    shown = select(deciding)
    ESTIMATE.require(shown, "claims")
    rounds = pick_rounds(shown, MAX_DENSITIES)
    shown = by_strategy(shown[shown["round"].isin(rounds)])
    shown = shown.assign(text=[describe(row, metric) for row in shown.itertuples()])
    named = [claim for claim in TITLES if (shown["claim"] == claim).any()]
    rows = pd.MultiIndex.from_product([named, [TITLE, *rounds]], names=["claim", "round"])
    alphas = np.unique(shown["alpha"])
    names = [f"{percent(rounds[r])} % of weights" if r in rounds else name_claim(c, metric) for c, r in rows]
    panels = list(shown.groupby("panel", sort=False))
    lower = deciding[np.isfinite(deciding["estimate"])].groupby("claim")
    strips = {claim: strip for claim, strip in STRIPS.items() if claim in lower.groups}
    columns = choose_columns(len(panels))
    lines = -(-len(panels) // columns)
    width = max(columns * max(len(alphas) * CELL[0] + 0.2, 1.7) + 2.8, 3.4 * len(strips))
    heights = [lines * (len(rows) * CELL[1] + 0.4) + 0.8]
    heights += [max(1.6, 0.9 + 0.19 * (deciding["claim"] == HYPOTHESIS).sum())] * bool(strips)
    # Subfigures, as cells and strips share no axes, which those of a seaborn grid do.
    figure = Figure(figsize=(width, sum(heights)), layout="constrained")
    top, *bottom = figure.subfigures(len(heights), 1, squeeze=False, height_ratios=heights)[:, 0]
    axes = top.subplots(lines, columns, sharex=True, sharey=True, squeeze=False).flat
    for spare in axes[len(panels) :]:
        spare.remove()
    for index, (ax, (title, mine)) in enumerate(zip(axes, panels, strict=False)):
        draw_cells(ax, mine, rows, alphas, names)
        ax.set_title(title, y=1 - 1 / len(rows))  # beside the first claim's
        if index + columns >= len(panels):
            ax.tick_params(labelbottom=True)
            ax.set_xlabel(X_LABELS["alpha"])
    point = {"linestyle": "none", "markersize": 6, "markeredgecolor": "0.3", "markeredgewidth": 0.5}
    looks = [{"label": f"{SIGNS[verdict]}  {verdict}", **mark, **point} for verdict, mark in MARKS.items()]
    looks += [{"label": f"{BETTER}  better than dense", **BETTER_MARK, **point}] * any(
        BETTER in text for text in shown["text"]
    )
    legend(top, looks, title="verdict")
    for part in bottom:
        for ax, claim in zip(part.subplots(1, len(strips), squeeze=False).flat, strips, strict=True):
            strips[claim](ax, lower.get_group(claim))
    figure.suptitle(", ".join(deciding["experiment"].unique()))
    return figure


def select(deciding: pd.DataFrame) -> pd.DataFrame:
    """The rows of claims 1 to 3 of the strategies and rounds whose features were compared; else all of claim 1."""
    features = deciding[deciding["claim"].isin((CLAIM_2, CLAIM_3))]
    tested = deciding[deciding["claim"] == CLAIM_1]
    if features.empty:
        return tested
    compared = features[["criterion", "rewind", "round"]].drop_duplicates()
    return pd.concat([tested.merge(compared), nearest_one(features, "lr")], ignore_index=True)


def name_claim(claim: str, metric: Metric) -> str:
    """The title of a claim, of claim 1 with its unit."""
    unit = "points of accuracy" if metric is ACCURACY else "ratio to dense"
    return TITLES[claim] + f"\n({unit})" * (claim == CLAIM_1)


def describe(row: Any, metric: Metric) -> str:
    """The verdict's sign and the estimate, in short; claim 1's in points of accuracy or as a ratio of errors."""
    estimate = row.estimate
    if np.isnan(estimate):
        text = "–"
    elif row.claim != CLAIM_1:
        # + 0.0: no minus sign before a zero
        text = f"{round(estimate, 2) + 0.0:.2f}" if abs(estimate) < 10 else f"{estimate:.2g}"
    else:
        text = f"{round(100 * estimate, 1) + 0.0:+.1f}" if metric is ACCURACY else f"×{np.exp(-estimate):.3g}"
    return f"{SIGNS[row.verdict]}{BETTER * row.better}\n{text.replace('-', '−')}"


def draw_cells(ax: Axes, verdicts: pd.DataFrame, rows: pd.MultiIndex, alphas: np.ndarray, names: list[str]) -> None:
    """A cell a row of the table, coloured by its verdict or as better, with its text; none beside titles, and a word
    for a claim that the strategy has no row of: its runs start from trained values."""
    codes = verdicts["verdict"].map(list(MARKS).index).mask(verdicts["better"], len(MARKS))
    cells = verdicts.astype({"round": int}).assign(code=codes)
    code, text = (
        cells.pivot(index=rows.names, columns="alpha", values=part).reindex(index=rows, columns=alphas)
        for part in ("code", "text")
    )
    colors = [mark["color"] for mark in (*MARKS.values(), BETTER_MARK)]
    look: Look = {"cmap": colors, "vmin": 0, "vmax": len(MARKS), "cbar": False}
    look |= {"linewidths": 1, "annot_kws": {"fontsize": SMALL, "linespacing": 1.0}, "yticklabels": names}
    sns.heatmap(code.astype(float), annot=text, fmt="", xticklabels=[tick_alpha(a) for a in alphas], ax=ax, **look)
    for claim in set(rows.get_level_values("claim")) - set(verdicts["claim"]):
        lines = np.flatnonzero((rows.get_level_values("claim") == claim) & (rows.get_level_values("round") != TITLE))
        ax.text(len(alphas) / 2, lines.mean() + 0.5, UNDEFINED, ha="center", va="center", fontsize=SMALL, color="0.35")
    ax.set(xlabel="", ylabel="")
    ax.tick_params(length=0, labelrotation=0)
    for label, (_, number) in zip(ax.get_yticklabels(), rows, strict=False):  # inner panels have none
        label.set_fontweight("bold" if number == TITLE else "normal")


def draw_points(rows: pd.DataFrame, places: np.ndarray, scale: float, lines: Callable, scatter: Callable) -> None:
    """Estimates with their intervals, in the colours and with the markers of their verdicts.

    By hand, as seaborn draws intervals that it computes, not those of a table.
    """
    for verdict, mark in MARKS.items():
        mine = (rows["verdict"] == verdict).to_numpy()
        value, low, high = scale * rows.loc[mine, ["estimate", "ci_low", "ci_high"]].to_numpy(float).T
        lines(places[mine], low, high, color=mark["color"], linewidth=2, zorder=2)
        scatter(places[mine], value, s=28, zorder=3, edgecolor="0.3", linewidth=0.5, **mark)


def draw_hypothesis(ax: Axes, rows: pd.DataFrame) -> None:
    """How much of alpha's effect depends on the density: the tickets' share, and the others' minus the tickets'."""
    rows = by_method(rows).sort_values("statistic", kind="stable")  # `interaction` before `messier`
    names = (rows["method"] + " − tickets").mask(rows["statistic"] == "interaction", "tickets")
    draw_points(rows, np.arange(len(rows)), 1.0, ax.hlines, lambda y, x, **style: ax.scatter(x, y, **style))
    ax.axvline(0, color="0.4", linewidth=0.8, zorder=1)
    ends = rows[["estimate", "ci_low", "ci_high"]].assign(zero=0).to_numpy(float)
    ax.set(xlim=(max(np.nanmin(ends), -1) - 0.05, min(np.nanmax(ends), 1) + 0.05), ylim=(len(rows) - 0.4, -0.6))
    ax.xaxis.set_major_locator(MaxNLocator(5))
    ax.set_yticks(range(len(rows)), names)
    ax.set(
        xlabel=r"share of $\alpha$'s effect that depends on density",
        title=r"hypothesis: $\alpha$ acts uniformly on tickets",
    )


def draw_gain(ax: Axes, rows: pd.DataFrame) -> None:
    """The headline: our tickets minus the baseline's at each density, in percentage points."""
    draw_points(rows, rows["density"].to_numpy(), 100.0, ax.vlines, ax.scatter)
    ax.axhline(0, color="0.4", linewidth=0.8, zorder=1)
    density_axis(ax, rows["density"])
    ax.set(xlabel=X_LABELS["density"], ylabel="ours − baseline\n(points)", title="headline")


STRIPS = {HYPOTHESIS: draw_hypothesis, HEADLINE: draw_gain}
