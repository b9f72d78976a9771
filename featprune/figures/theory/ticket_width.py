"""Tickets beside their parent and beside dense networks of their size: by density, along training, and differences."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from featprune.figures.bands import band
from featprune.figures.style import SMALL, TICKETS, Look, density_axis, log_ticks, percent, step_axis
from featprune.figures.theory.scaling import panels
from featprune.tables.intervals import paired_difference
from featprune.theory.ticket_width import ANOTHER, NARROW, PARENT, RANDOM, TICKET, UNITS, differences

BLUE, GREY = "#0072B2", "0.6"
ALONE: dict[str, Look] = {
    TICKET: {"color": TICKETS},
    PARENT: {"color": "black"},
    NARROW: {"color": BLUE},
    UNITS: {"color": BLUE, "linestyle": ":"},
    RANDOM: {"color": GREY},
}
BETWEEN: dict[tuple[str, str], Look] = {
    (TICKET, PARENT): {"color": TICKETS},
    (TICKET, ANOTHER): {"color": TICKETS, "linestyle": "--"},
    (TICKET, NARROW): {"color": BLUE},
    (TICKET, UNITS): {"color": BLUE, "linestyle": ":"},
    (RANDOM, PARENT): {"color": GREY},
    (NARROW, ANOTHER): {"color": "#009E73", "linestyle": "-."},
    (PARENT, ANOTHER): {"color": "black", "linestyle": "--"},
}
NAMES = {
    PARENT: "parent",
    ANOTHER: "another draw of it",
    TICKET: "ticket",
    RANDOM: "random mask",
    NARROW: "narrow dense",
    UNITS: "dense of its units",
}
COLUMNS = {
    ("test_loss", 0): "test loss",
    ("distance", 0): "distance of f",
    ("dissimilarity", 1): "1 - CKA, layer 1",
    ("dissimilarity", 2): "1 - CKA, layer 2",
}
SHOWN = 0.05  # the density nearest to it is followed along training


def draw(tables: Mapping[str, pd.DataFrame]) -> Figure:
    """Draw from the table `ticket_width`."""
    table = tables["ticket_width"]
    figure, axes = panels(3 * len(COLUMNS), len(COLUMNS), (2.5, 2.0))
    last = table[table["step"] == table["step"].max()]
    densities = table.groupby("round")["density"].first()
    number = np.abs(np.log(densities / SHOWN)).idxmin()
    along = table[(table["round"] == number) & (table["step"] > 0)]
    by_density, by_step, gaps = (axes[i : i + len(COLUMNS)] for i in range(0, len(axes), len(COLUMNS)))
    for column, ((measure, layer), title) in enumerate(COLUMNS.items()):
        upper, middle, lower = by_density[column], by_step[column], gaps[column]
        for ax, rows, x in ((upper, last, "density"), (middle, along, "step")):
            ax.set_yscale("log")
            draw_pairs(ax, rows[(rows["measure"] == measure) & (rows["layer"] == layer)], x)
            log_ticks(ax.yaxis)
        upper.set_title(title)
        density_axis(upper, densities, room=5)
        step_axis(middle, [0, *along["step"]])
        draw_gaps(lower, table, measure, layer)
        density_axis(lower, densities, room=5)
        upper.set_xlabel("weights (%)")
        middle.set_xlabel("training step")
        lower.set_xlabel("weights (%)")
    by_density[0].set_ylabel("last step")
    by_step[0].set_ylabel(f"at {percent(densities[number])} % of weights")
    gaps[0].set_ylabel("d(ticket, narrow) -\nd(ticket, parent)")
    figure.legend(handles=handles(), loc="outside right center", fontsize=SMALL, handlelength=2.2)
    figure.suptitle(
        "Is a ticket more like its parent (differences above 0) or like a dense network of its size (below)?"
    )
    return figure


def draw_pairs(ax: Axes, rows: pd.DataFrame, x: str) -> None:
    """Means over seeds in their bands, a curve a network or a pair of them."""
    for key, look in (ALONE if (rows["b"] == "").all() else BETWEEN).items():
        a, b = (key, "") if isinstance(key, str) else key
        here = rows[(rows["a"] == a) & (rows["b"] == b) & (rows["value"] > 0)]
        sns.lineplot(here, x=x, ax=ax, **band(curves=4), **look)
    ax.set_ylabel("")


def draw_gaps(ax: Axes, table: pd.DataFrame, measure: str, layer: int) -> None:
    """The differences at the last step by density, with intervals; open: from another draw of the parent."""
    for to, face, shift in ((PARENT, TICKETS, 1.05), (ANOTHER, "white", 0.95)):
        rows = differences(table, to)
        rows = rows[(rows["measure"] == measure) & (rows["layer"] == layer)]
        for density, here in rows.groupby("density"):
            row = paired_difference(here["value"])
            x = float(str(density)) * shift
            ax.vlines(x, row["ci_low"], row["ci_high"], color=TICKETS)
            ax.plot(x, row["difference"], "o", color=TICKETS, markerfacecolor=face, markersize=4, markeredgewidth=1)
    ax.axhline(0, color="0.4", linewidth=0.8)


def handles() -> list[Line2D]:
    """The entries of the legend, under a heading for each kind of panel."""
    alone = [Line2D([], [], label=NAMES[a], **look) for a, look in ALONE.items()]
    between = [Line2D([], [], label=f"{NAMES[a]} - {NAMES[b]}", **look) for (a, b), look in BETWEEN.items()]
    mark: Look = {"color": TICKETS, "marker": "o", "markersize": 4, "markeredgewidth": 1, "linestyle": "none"}
    gaps = [
        Line2D([], [], label=NAMES[PARENT], **mark),
        Line2D([], [], label=NAMES[ANOTHER], markerfacecolor="white", **mark),
    ]
    parts = {"loss of": alone, "distance of": between, "differences, from": gaps}
    return [line for title, lines in parts.items() for line in (Line2D([], [], color="none", label=title), *lines)]
