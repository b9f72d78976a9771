"""The test metric against alpha: a panel a strategy, a curve a density."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd
from matplotlib.figure import Figure

from featprune.figures.bands import choose_metric, draw_band, over_seeds
from featprune.figures.panels import grid, head, is_bottom, is_left, key, legend, note_lr, strategy_panels
from featprune.figures.style import DENSE, alpha_axis, density_palette, percent, pick_rounds

MAX_DENSITIES = 5


def draw(tables: Mapping[str, pd.DataFrame]) -> Figure:
    """Draw from the table `tuned`."""
    tuned = tables["tuned"]
    metric, panels = choose_metric(tuned), strategy_panels(tuned)
    pruned = pd.concat([tuned.head(0), *panels.values()])
    metric.require(pruned, "tuned")
    rounds = pick_rounds(pruned, MAX_DENSITIES)
    palette = density_palette(rounds.values())
    dense = over_seeds(tuned[tuned["rewind"] == "dense"], ["alpha"], metric)
    figure, axes = grid(len(panels))
    for index, (ax, (title, runs)) in enumerate(zip(axes, panels.items(), strict=True)):
        draw_band(ax, dense["alpha"], dense, DENSE, linestyle="--", marker="o")
        shown = runs[runs["round"].isin(rounds)]
        for number, curve in over_seeds(shown, ["round", "alpha"], metric).groupby("round"):
            draw_band(ax, curve["alpha"], curve, palette[rounds[number]], marker="o")
        metric.style_axis(ax, label=is_left(axes, index))
        alpha_axis(ax, tuned["alpha"], label=is_bottom(axes, index))
        ax.set_title(title + metric.note_diverged(shown))
    handles = [key(DENSE, "100 (dense)", linestyle="--", marker="o")]
    handles += [key(palette[density], percent(density), marker="o") for density in rounds.values()]
    legend(figure, handles, title="weights\nremaining (%)")
    head(figure, tuned)
    note_lr(figure, tuned)
    return figure
