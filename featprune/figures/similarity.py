"""Similarity of features to the dense network's: the metric, and the two references that give it a scale."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pandas as pd
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.patches import Patch

from featprune.figures.bands import Metric, over_seeds
from featprune.figures.panels import key, strategy_panels
from featprune.figures.style import Color
from featprune.tables.frames import alike, nearest_one

SIMILARITY = Metric("correlation", "unit-matched correlation\nwith the dense network")
CEILING, NULL = "ceiling: dense,\nanother data order", "null: dense,\nanother initialization"
REFERENCES = {CEILING: "reordered", NULL: "reinitialized"}  # title -> rewind of a dense network
CEILING_LINE, NULL_GREY = {"linestyle": "--", "linewidth": 0.8}, "0.87"

Panels = dict[str, pd.DataFrame]


def select(features: pd.DataFrame) -> tuple[Panels, Panels]:
    """Title -> similarities, for each strategy and for each reference that the table has, at the lr nearest 1.

    Raises FeatpruneError where no pruned network has a similarity.
    """
    runs = alike(nearest_one(features, "lr"))
    strategies = strategy_panels(runs)
    SIMILARITY.require(pd.concat([runs.head(0), *strategies.values()]), "features")
    references = {
        title: runs[(runs["criterion"] == "dense") & (runs["rewind"] == rewind)] for title, rewind in REFERENCES.items()
    }
    return strategies, {title: mine for title, mine in references.items() if len(mine)}


def last_step(runs: pd.DataFrame) -> pd.DataFrame:
    """The rows of the last step."""
    return runs[runs["step"] == runs["step"].max()]


def draw_references(
    ax: Axes, references: Panels, palette: Mapping[float, Color], x: Sequence[float] | None = None
) -> None:
    """Each alpha's ceiling, and the null's range over alphas: step by step, or at the last step across `x`."""
    for title, runs in references.items():
        means = over_seeds(runs, ["alpha", "step"], SIMILARITY).pivot(index="step", columns="alpha", values="mean")
        if x is not None:
            means = means.iloc[[-1] * len(x)].set_axis(x)
        if title == CEILING:
            # Ceilings differ more between alphas than networks between densities: a range of them would say nothing.
            for alpha, curve in means.items():
                ax.plot(curve.index, curve, color=palette[alpha], zorder=1.5, **CEILING_LINE)
        else:
            # With a line around it, since of one alpha there is no range.
            ax.fill_between(means.index, means.min(axis=1), means.max(axis=1), color=NULL_GREY, linewidth=1, zorder=0)


def explain(palette: Mapping[float, Color], references: Panels) -> list[Artist]:
    """The legend: alphas, and the references."""
    looks = {
        CEILING: key("0.4", f"{CEILING}\n(at the same $\\alpha$)", **CEILING_LINE),
        NULL: Patch(color=NULL_GREY, label=f"{NULL}\n(range over $\\alpha$)"),
    }
    alphas = (key(color, f"{alpha:g}", marker="o") for alpha, color in palette.items())
    return [*alphas, *(looks[title] for title in references)]
