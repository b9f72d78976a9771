"""How good the best of k learning rates is in expectation: what each method owes to its tuning."""

from __future__ import annotations

from collections.abc import Mapping

import matplotlib.pyplot as plt
import pandas as pd
import seaborn as sns
from matplotlib.figure import Figure

from featprune.figures.ablation import name
from featprune.figures.style import order_methods, plain
from featprune.tables.frames import name_alpha, of_kind

LINE, WIDTH = 0.24, 2.8  # inches of a method, of a panel


def draw(tables: Mapping[str, pd.DataFrame]) -> Figure:
    """Draw from the table `best_of`: a panel an alpha, a line a method, a point a number of rates."""
    table = tables["best_of"]
    kinds = order_methods(table)
    rows = pd.concat([of_kind(table, kind).assign(method=name(kind)) for kind in kinds], ignore_index=True)
    # A rate at which a seed diverged, of accuracy -inf, errs on all.
    rows = rows.assign(error=(100 * (1 - rows["expected"])).clip(upper=100))
    alphas = sorted(rows["alpha"].unique())
    known = {"hue": "k", "hue_order": sorted(rows["k"].unique()), "palette": "flare", "legend": "full"}
    grid = sns.relplot(rows, x="error", y="method", col="alpha" if len(alphas) > 1 else None, s=28, **known)
    plt.close(grid.figure)  # pyplot would keep it alive
    for ax in grid.axes.flat:
        ax.set_xscale("log")
        ax.xaxis.set_major_formatter(plain)
        ax.xaxis.set_minor_formatter(lambda x, _: plain(x) if str(x)[0] in "235" else "")
        ax.grid(axis="y", linewidth=0.5)
        ax.set_ylim(len(kinds) - 0.5, -0.5)
    for ax, alpha in zip(grid.axes.flat, alphas if len(alphas) > 1 else (), strict=False):
        ax.set_title(name_alpha(alpha, r"$\alpha$ = "))
    grid.set_axis_labels("", "")
    grid.figure.set_layout_engine("constrained")
    grid.figure.set_size_inches(3.4 + WIDTH * len(alphas), LINE * len(kinds) + 1.1)
    handles = grid.legend.legend_handles
    grid.legend.remove()
    labels = [f"{k:g}" for k in known["hue_order"]]
    grid.figure.legend(handles, labels, title="learning rates tried", loc="outside right center")
    grid.figure.supxlabel("expected validation error of the best (%)")
    grid.figure.suptitle(", ".join(rows["experiment"].unique()))
    return grid.figure
