"""How good the best of k learning rates is in expectation: what each method owes to its tuning."""

from __future__ import annotations

from collections.abc import Mapping

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.figure import Figure

from featprune.figures.ablation import name
from featprune.figures.style import order_methods
from featprune.tables.frames import of_kind

COLUMNS = 4
HEIGHT, LINE = 1.6, 0.9


def draw(tables: Mapping[str, pd.DataFrame]) -> Figure:
    """Draw from the table `best_of`: a panel a method, a line an alpha."""
    table = tables["best_of"].assign(expected=lambda t: 100 * t["expected"].where(np.isfinite(t["expected"])))
    kinds = order_methods(table)
    parts = [of_kind(table, kind).assign(panel=name(kind)) for kind in kinds]
    rows = pd.concat(parts, ignore_index=True)
    grid = sns.relplot(
        rows, x="k", y="expected", hue="alpha", col="panel", col_wrap=min(COLUMNS, len(kinds)), kind="line", marker="o",
        height=HEIGHT, aspect=1.15, palette="crest", legend=len(rows["alpha"].unique()) > 1,
    )  # fmt: skip
    plt.close(grid.figure)  # pyplot would keep it alive
    grid.set_titles("{col_name}").set_axis_labels("", "")
    grid.set(xticks=sorted(rows["k"].unique()))
    grid.figure.set_layout_engine("constrained")
    grid.figure.supxlabel("learning rates tried")
    grid.figure.supylabel("expected validation accuracy of the best (%)")
    return grid.figure
