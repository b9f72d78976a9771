"""Barriers on straight lines between networks against density: a panel a pair and a value, a curve an alpha."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd
from matplotlib.figure import Figure

from featprune.figures.bands import Metric
from featprune.figures.panels import draw_curves, head, legend, note_diverged
from featprune.figures.style import alpha_looks, density_axis
from featprune.tables.frames import nearest_one

BARRIER = Metric("barrier", "barrier on the test split")
VALUES = {"error": ("error (points)", 100.0), "loss": ("loss", 1.0)}  # value -> its name, and what it is multiplied by
# Two dense networks of one initialization are at 100 % what two tickets of one mask are below.
TITLES = {"ticket and dense": ("ticket_dense",), "two data orders": ("dense_dense", "ticket_ticket")}


def draw(tables: Mapping[str, pd.DataFrame]) -> Figure:
    """Draw from the table `connectivity`, at the lr nearest 1; of a regression only the loss."""
    table = nearest_one(tables["connectivity"], "lr")
    test = table[table["split"] == "test"]
    BARRIER.require(test.assign(barrier=test["loss_barrier"]), "connectivity")
    parts = [
        mine.assign(panel=f"{title}:\n{name}", value=value, barrier=scale * mine[f"{value}_barrier"])
        for value, (name, scale) in VALUES.items()
        if test[f"{value}_barrier"].notna().any()
        for title, mine in ((title, test[test["pair"].isin(pairs)]) for title, pairs in TITLES.items())
    ]
    runs = note_diverged(pd.concat(parts), BARRIER)
    looks = alpha_looks(table["alpha"])
    panels = draw_curves(runs, looks, "alpha", "density", BARRIER, (2.4, 2.2), sharey=False)
    for _, titles in runs.groupby("value")["panel"].unique().items():
        first, *others = (panels.axes_dict[title] for title in titles)
        for ax in others:
            ax.sharey(first)
        first.autoscale(axis="y")
    density_axis(panels.axes[0], runs["density"])
    legend(panels.figure, looks.values(), title=r"$\alpha$")
    head(panels.figure, table)
    return panels.figure
