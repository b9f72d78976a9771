"""All methods in one figure, pruning before, during and after training: a panel an alpha, a curve a method."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from featprune.figures.bands import Metric, choose_metric, draw_band, over_seeds
from featprune.figures.panels import MAX_COLUMNS, grid, head, is_bottom, is_left, key, legend, note_lr
from featprune.figures.style import DENSE, LEVELS, Method, density_axis, order_methods

# A method that breaks down and methods half a point apart both have room on the logarithmic axis of the error.
MISCLASSIFIED = Metric("test_error", "test error (%)", scale=100.0, log=True)
NO_ERROR = 1e-4  # stands for zero, which such an axis lacks: one of 10,000 samples
LINE = 0.155  # inches of a line of the legend


def draw(tables: Mapping[str, pd.DataFrame]) -> Figure:
    """Draw from the table `tuned`."""
    tuned = tables["tuned"]
    metric = choose_metric(tuned)
    if not metric.log:
        metric, tuned = MISCLASSIFIED, tuned.assign(test_error=(1 - tuned["test_accuracy"]).clip(lower=NO_ERROR))
    pruned, dense = tuned[tuned["criterion"] != "dense"], tuned[tuned["rewind"] == "dense"]
    metric.require(pruned, "tuned")
    methods = order_methods(pruned)
    alphas = sorted(pruned["alpha"].unique())
    handles = name_levels(methods)
    rows = -(-len(alphas) // MAX_COLUMNS)
    figure, axes = grid(len(alphas), height=max(2.2, LINE * (len(handles) + 2) / rows))
    for index, (ax, alpha) in enumerate(zip(axes, alphas, strict=True)):
        runs = pruned[pruned["alpha"] == alpha]
        for level in over_seeds(dense[dense["alpha"] == alpha], ["alpha"], metric)["mean"]:
            ax.axhline(level, color=DENSE, linewidth=0.8, zorder=1)
        for (criterion, rewind), method in methods.items():
            mine = runs[(runs["criterion"] == criterion) & (runs["rewind"] == rewind)]
            means = over_seeds(mine, ["round"], metric)
            draw_band(ax, means["density"], means, **style(method))
        metric.style_axis(ax, label=is_left(axes, index))
        density_axis(ax, [1.0, *pruned["density"]], label=is_bottom(axes, index))
        ax.set_title(rf"$\alpha$ = {alpha:g}" + metric.note_diverged(runs))
    legend(figure, handles)
    for text in figure.legends[0].get_texts():
        text.set_fontweight("bold" if text.get_text() in LEVELS else "normal")
    head(figure, tuned)
    note_lr(figure, tuned)
    return figure


def style(method: Method) -> dict:
    """The line of a method: its colour and marker, dashed, solid or dotted by its level, thin for a control."""
    control = method.level == "controls"
    line = {"color": method.color, "linestyle": LEVELS[method.level], "marker": method.marker}
    line |= {"linewidth": 0.7, "zorder": 1.5} if control else {}
    return line | ({"markerfacecolor": "white", "markeredgewidth": 0.7} if method.hollow else {})


def name_levels(methods: Mapping[tuple[str, str], Method]) -> list[Line2D]:
    """The legend: the dense network, then each level's title over its methods."""
    handles = [key(DENSE, "dense", linewidth=0.8)]
    for level in LEVELS:
        mine = [method for method in methods.values() if method.level == level]
        if mine:
            handles.append(key("none", level))
            for method in mine:
                line = style(method)
                handles.append(key(line.pop("color"), method.label, **line))
    return handles
