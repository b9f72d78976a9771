"""The test metric against density: a panel a strategy, a curve an alpha."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd
from matplotlib.figure import Figure

from featprune.figures.bands import choose_metric, draw_means
from featprune.figures.panels import by_strategy, draw_curves, head, legend, note_diverged
from featprune.figures.style import DENSE_LINE, Look, alpha_looks, density_axis
from featprune.runs.paths import DENSE, LONGER
from featprune.tables.frames import of_kind

LONGER_LINE: Look = {"linestyle": ":", "zorder": 1}


def draw(tables: Mapping[str, pd.DataFrame]) -> Figure:
    """Draw from the table `tuned`."""
    tuned = tables["tuned"]
    metric, runs, looks = choose_metric(tuned), by_strategy(tuned), alpha_looks(tuned["alpha"])
    metric.require(runs, "tuned")
    levels, longer = metric.mean(of_kind(tuned, DENSE), ["alpha"]), of_kind(tuned, LONGER)
    # The dense network trained as long as the runs of a round stands at their density.
    longer = longer.assign(density=longer["round"].map(runs.groupby("round")["density"].first()))
    panels = draw_curves(note_diverged(runs, metric), looks, "alpha", "density", metric)
    for ax, (_, mine) in zip(panels.axes.flat, runs.groupby("panel", sort=False), strict=True):
        for alpha, level in levels.items():  # seaborn's refline has no colour a level
            ax.axhline(level, **DENSE_LINE | {"color": looks[alpha]["color"]})
        if (mine["rewind"] == "none").all():
            draw_means(ax, longer, "density", metric, looks, **LONGER_LINE)
    density_axis(panels.axes[0], [1.0, *runs["density"]])
    keys = [*looks.values(), DENSE_LINE | {"color": "0.4"}]
    keys += [{"color": "0.4", "label": "dense,\ntrained as long", **LONGER_LINE}] * (len(longer) > 0)
    legend(panels.figure, keys, title=r"$\alpha$")
    head(panels.figure, tuned)
    return panels.figure
