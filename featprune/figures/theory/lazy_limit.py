"""The distance of f from the linearized model against alpha: a panel an activation."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd
from matplotlib.figure import Figure

from featprune.figures.theory.scaling import draw_scaling, legend, panels
from featprune.theory.curves import largest
from featprune.theory.lazy_limit import RUN


def draw(tables: Mapping[str, pd.DataFrame]) -> Figure:
    """Draw from the tables `lazy_limit` and `lazy_limit_laws`."""
    table, laws = largest(tables["lazy_limit"], *RUN), tables["lazy_limit_laws"]
    names = list(table["activation"].unique())
    figure, axes = panels(len(names), size=(3.0, 2.6), sharey=True)
    for ax, name, (_, law) in zip(axes, names, laws.iterrows(), strict=True):
        draw_scaling(ax, table[table["activation"] == name], "alpha", "value", law)
        ax.set(title=name, xlabel=r"$\alpha$ (rich $\rightarrow$ lazy)")
        legend(ax, loc="upper right")
        ax.set_ylim(top=10 * table["value"].max())  # room for it
    axes[0].set_ylabel("distance of f from the\nlinearized model (relative)")
    figure.suptitle("Training tends to that of the linearized model")
    return figure
