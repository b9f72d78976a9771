"""All methods in one figure, pruning before, during and after training: a panel an alpha, a curve a method."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from featprune.figures.bands import Metric, choose_metric
from featprune.figures.panels import by_alpha, draw_curves, head, legend, note_diverged
from featprune.figures.style import (
    DENSE_LINE,
    LEVELS,
    by_method,
    choose_method,
    density_axis,
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
    pruned, levels = tuned[tuned["criterion"] != "dense"], metric.mean(of_kind(tuned, DENSE), ["alpha"])
    metric.require(pruned, "tuned")
    runs = note_diverged(by_alpha(by_method(pruned)), metric)
    methods = [choose_method(*kind) for kind in order_methods(pruned)]
    panels = draw_curves(runs, {method.label: method.look for method in methods}, "method", "density", metric)
    for ax, alpha in zip(panels.axes, runs["alpha"].unique(), strict=True):  # a refline is the same in all panels
        ax.axhline(levels.get(alpha, np.nan), **DENSE_LINE)
    density_axis(panels.axes[0], [1.0, *runs["density"]])
    keys = [DENSE_LINE]
    for level in LEVELS:  # its title over its methods
        mine = [method.look for method in methods if method.level == level]
        keys += [{"color": "none", "label": level}, *mine] if mine else []
    legend(panels.figure, keys)
    for text in panels.figure.legends[0].get_texts():
        text.set_fontweight("bold" if text.get_text() in LEVELS else "normal")
    width, height = panels.figure.get_size_inches()
    panels.figure.set_size_inches(width, max(height, LINE * (len(keys) + 2) + 0.5))
    head(panels.figure, tuned)
    return panels.figure
