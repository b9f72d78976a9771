"""Similarity of features to the dense network's: the metric, and the two references that give it a scale."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.patches import Patch

from featprune.figures.bands import Metric, over_seeds
from featprune.figures.panels import key, strategy_panels
from featprune.figures.style import Color
from featprune.frames import alike, nearest_one

SIMILARITY = Metric("correlation", "unit-matched correlation\nwith the dense network")
CEILING, NULL = "ceiling: dense,\nanother data order", "null: dense,\nanother initialization"
REFERENCES = {CEILING: ("reordered", "0.80"), NULL: ("reinitialized", "0.90")}  # title -> rewind and grey

Panels = dict[str, pd.DataFrame]


def select(features: pd.DataFrame) -> tuple[Panels, Panels]:
    """Title -> similarities, for each strategy and for each reference that the table has, at the lr nearest 1.

    Raises FeatpruneError where no pruned network has a similarity.
    """
    runs = alike(nearest_one(features, "lr"))
    strategies = strategy_panels(runs)
    SIMILARITY.require(pd.concat([runs.head(0), *strategies.values()]), "features")
    references = {
        title: runs[(runs["criterion"] == "dense") & (runs["rewind"] == rewind)]
        for title, (rewind, _) in REFERENCES.items()
    }
    return strategies, {title: mine for title, mine in references.items() if len(mine)}


def last_step(runs: pd.DataFrame) -> pd.DataFrame:
    """The rows of the last step."""
    return runs[runs["step"] == runs["step"].max()]


def draw_references(ax: Axes, references: Panels, x: Sequence[float] | None = None) -> None:
    """The range over alphas of each reference's means: step by step, or at the last step wherever `x` is."""
    for title, (_, grey) in REFERENCES.items():
        if title in references:
            means = over_seeds(references[title], ["alpha", "step"], SIMILARITY)
            span = (means if x is None else last_step(means)).groupby("step")["mean"].agg(["min", "max"])
            edges = (span.index, span["min"], span["max"]) if x is None else (x, *span.iloc[0])
            # With a line around it, since of one alpha there is no range.
            ax.fill_between(*edges, color=grey, linewidth=1.0, zorder=0)


def explain(palette: dict[float, Color], references: Panels) -> list[Artist]:
    """The legend: alphas, and the references' ranges."""
    ranges = [Patch(color=grey, label=title) for title, (_, grey) in REFERENCES.items() if title in references]
    return [*(key(color, f"{alpha:g}", marker="o") for alpha, color in palette.items()), *ranges]
