"""The early stop against density: when the validation loss is smallest, and the test accuracy there."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd
import seaborn as sns
from matplotlib.figure import Figure
from matplotlib.ticker import EngFormatter

from featprune.figures.bands import Metric, band
from featprune.figures.panels import facets, head, legend
from featprune.figures.style import (
    DENSE_LINE,
    X_LABELS,
    Looks,
    by_method,
    choose_method,
    density_axis,
    order_methods,
)
from featprune.runs.paths import DENSE, TICKET, Kind
from featprune.tables.frames import nearest_one, of_kind

METRICS = (
    Metric("early_stop_step", "step of the smallest\nvalidation loss"),
    Metric("early_stop_test_accuracy", "test accuracy there (%)", scale=100.0),
)
KINDS = (TICKET, Kind("magnitude", "random"), Kind("ticket", "random"))  # the ticket and its controls


def draw(tables: Mapping[str, pd.DataFrame]) -> Figure:
    """Draw from the table `tuned`: tickets, and random re-draws of their own masks and of the tickets', at the alpha
    nearest 1."""
    tuned = nearest_one(tables["tuned"], "alpha")
    METRICS[0].require(of_kind(tuned, *KINDS), "tuned")
    runs = by_method(of_kind(tuned, *KINDS))
    # Above each other, as both share the densities.
    parts = [runs.assign(metric=metric.label, value=metric.of(runs)) for metric in METRICS]
    looks = looks_of(runs)
    grid = {"row": "metric", "sharex": True, "sharey": False}
    panels = facets(pd.concat(parts), looks, "method", (4.2, 2.0), **grid)
    panels.map_dataframe(sns.lineplot, x="density", **band(len(runs["density"].unique()) == 1, len(looks)))
    panels.set_titles("")
    panels.figure.set_layout_engine("constrained")
    # A level a panel, which seaborn's refline has not.
    for ax, metric in zip(panels.axes.flat, METRICS, strict=True):
        ax.axhline(metric.of(of_kind(tuned, DENSE)).mean(), **DENSE_LINE)
        ax.set_ylabel(metric.label)
    panels.axes.flat[0].yaxis.set_major_formatter(EngFormatter(sep=""))
    density_axis(panels.axes.flat[-1], [1.0, *runs["density"]], room=10)
    panels.axes.flat[-1].set_xlabel(X_LABELS["density"])
    legend(panels.figure, [*looks.values(), DENSE_LINE])
    head(panels.figure, runs, METRICS[0].note_diverged(runs).strip())
    panels.figure.align_ylabels()
    return panels.figure


def looks_of(runs: pd.DataFrame) -> Looks:
    """The curve of each method that was run, by its label; controls as thick as the ticket."""
    methods = [choose_method(*kind) for kind in order_methods(runs)]
    return {m.label: {"color": m.color, "label": m.label, "marker": m.marker} for m in methods}
