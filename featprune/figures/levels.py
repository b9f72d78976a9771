"""All methods in one figure, pruning before, during and after training: a panel an alpha, a curve a method."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import pandas as pd
from matplotlib.figure import Figure

from featprune.figures.bands import Metric, choose_metric
from featprune.figures.panels import (
    by_alpha,
    choose_columns,
    draw_curves,
    head,
    legend,
    name_axes,
    note_diverged,
    note_lr,
)
from featprune.figures.style import (
    DENSE_LINE,
    DENSITY_LABEL,
    LEVELS,
    Look,
    Method,
    density_axis,
    name_methods,
    order_methods,
)
from featprune.runs.paths import DENSE
from featprune.tables.frames import of_kind

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
    pruned, dense = tuned[tuned["criterion"] != "dense"], of_kind(tuned, DENSE)
    metric.require(pruned, "tuned")
    runs = note_diverged(by_alpha(name_methods(pruned)), metric)
    methods = order_methods(pruned).values()
    keys = [DENSE_LINE, *name_levels(methods)]
    count = runs["panel"].nunique()
    rows = -(-count // choose_columns(count))
    size = 1.95, max(2.2, LINE * (len(keys) + 2) / rows)
    panels = draw_curves(runs, {method.label: look(method) for method in methods}, "method", "density", metric, size)
    levels = metric.mean(dense, ["alpha"])
    for ax, alpha in zip(panels.axes, runs["alpha"].unique(), strict=True):
        if alpha in levels:
            ax.axhline(levels[alpha], **DENSE_LINE)
    density_axis(panels.axes[0], [1.0, *runs["density"]])
    name_axes(panels, DENSITY_LABEL, metric)
    legend(panels.figure, keys)
    for text in panels.figure.legends[0].get_texts():
        text.set_fontweight("bold" if text.get_text() in LEVELS else "normal")
    head(panels.figure, tuned)
    note_lr(panels.figure, tuned)
    return panels.figure


def look(method: Method) -> Look:
    """The line of a method: its colour and marker, dashed, solid or dotted by its level, thin for a control."""
    line: Look = {
        "color": method.color,
        "label": method.label,
        "linestyle": LEVELS[method.level],
        "marker": method.marker,
    }
    line |= {"linewidth": 0.7, "zorder": 1.5} if method.level == "controls" else {}
    return line | ({"markerfacecolor": "white", "markeredgewidth": 0.7} if method.hollow else {})


def name_levels(methods: Iterable[Method]) -> list[Look]:
    """Each level's title over its methods."""
    keys = []
    for level in LEVELS:
        mine = [look(method) for method in methods if method.level == level]
        keys += [{"color": "none", "label": level}, *mine] if mine else []
    return keys
