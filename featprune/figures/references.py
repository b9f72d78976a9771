"""Similarity of features to those of a dense network on another data order: the metric, and the references that give
it a scale."""

from __future__ import annotations

import pandas as pd
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from featprune.figures.bands import Metric, draw_means
from featprune.figures.panels import by_strategy, legend
from featprune.figures.style import Look, Looks
from featprune.runs.paths import DENSE, REINITIALIZED, REORDERED
from featprune.tables.frames import alike, of_kind

SIMILARITY = Metric("correlation", "unit-matched correlation with\ndense, another data order")
CEILING, NULL = "ceiling: dense", "null: dense,\nanother initialization"
REFERENCES = {DENSE: CEILING, REINITIALIZED: NULL}  # the kind of dense run -> title
CEILING_LINE: Look = {"linestyle": "--", "linewidth": 0.8}
NULL_AREA: Look = {"color": "0.87", "linewidth": 1, "zorder": 0}  # with a line around: of one alpha there is no range


def select(features: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Similarities of the strategies, and of the references that the table has, named in `panel`.

    Those to the reordered dense run, which no pruned network and no reference has had a part in.

    Raises FeatpruneError where no pruned network has a similarity.
    """
    runs = alike(features[features["target"] == REORDERED.rewind])
    strategies = by_strategy(runs)
    SIMILARITY.require(strategies, "features")
    return strategies, pd.concat([of_kind(runs, kind).assign(panel=title) for kind, title in REFERENCES.items()])


def last_step(runs: pd.DataFrame) -> pd.DataFrame:
    """The rows of the last step."""
    return runs[runs["step"] == runs["step"].max()]


def draw_along(ax: Axes, references: pd.DataFrame, looks: Looks) -> None:
    """Each alpha's ceiling, and the null's range over alphas, along the steps.

    Ceilings differ more between alphas than networks between densities: a range of them would say nothing.
    """
    ceiling, null = (references[references["panel"] == title] for title in (CEILING, NULL))
    draw_means(ax, ceiling, "step", SIMILARITY, looks, zorder=1.5, **CEILING_LINE)
    over_alphas = SIMILARITY.mean(null, ["step", "alpha"]).groupby("step").agg(["min", "max"])
    # A range over alphas: lineplot has none between lines it doesn't draw.
    ax.fill_between(over_alphas.index, over_alphas["min"], over_alphas["max"], **NULL_AREA)


def draw_across(ax: Axes, references: pd.DataFrame, looks: Looks) -> None:
    """The same at the last step, across the panel."""
    last = last_step(references)
    ceiling, null = (SIMILARITY.mean(last[last["panel"] == title], ["alpha"]) for title in (CEILING, NULL))
    for alpha, level in ceiling.items():  # seaborn's refline has no colour a level, and no strips
        ax.axhline(level, color=looks[alpha]["color"], zorder=1.5, **CEILING_LINE)
    if len(null):
        ax.axhspan(null.min(), null.max(), **NULL_AREA)


def explain(figure: Figure, looks: Looks, references: pd.DataFrame) -> None:
    """The legend: alphas, and the references."""
    others: dict[str, Look | Artist] = {
        CEILING: {"color": "0.4", "label": f"{CEILING}\n(at the same $\\alpha$)", **CEILING_LINE},
        NULL: Patch(**NULL_AREA, label=f"{NULL}\n(range over $\\alpha$)"),
    }
    legend(figure, [*looks.values(), *(others[title] for title in references["panel"].unique())], title=r"$\alpha$")
