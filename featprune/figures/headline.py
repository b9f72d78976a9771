"""The lottery-ticket baseline against ours: feature-aware pruning, or tickets at the alpha chosen on validation."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from featprune.figures.bands import ACCURACY, band, draw_differences
from featprune.figures.style import OURS, SMALL, TICKETS, X_LABELS, Look, choose_method, density_axis
from featprune.runs.paths import TICKET
from featprune.tables.headline import kind_of_ours


def draw(tables: Mapping[str, pd.DataFrame]) -> Figure:
    """Draw from the tables `headline` and `headline_difference`: the comparison `gain`."""
    runs, difference = (
        table[table["comparison"] == "gain"] for table in (tables["headline"], tables["headline_difference"])
    )
    runs = runs.assign(value=ACCURACY.of(runs))
    # Two tables, one above the other, which no seaborn grid draws.
    figure = Figure(figsize=(5.5, 4.6), layout="constrained")
    top, bottom = figure.subplots(2, 1, sharex=True, height_ratios=(3, 2))
    kind = kind_of_ours(runs)
    ours = OURS if kind == TICKET else choose_method(*kind).color  # a ticket's own colour is the baseline's
    name = r"ours, $\alpha$ chosen on validation" if kind == TICKET else f"ours: {choose_method(*kind).label}"
    sides = {"baseline": ("LTH baseline", TICKETS, "s"), "ours": (name, ours, "o")}
    for side, (label, color, marker) in sides.items():
        mine = runs[runs["side"] == side]
        ACCURACY.require(mine, "headline")
        look = {"label": label, "color": color, "marker": marker}
        sns.lineplot(mine, x="density", ax=top, **look, **band(len(mine["density"].unique()) == 1))
    top.set(ylabel=ACCURACY.label, title=ACCURACY.note_diverged(runs).strip())
    if kind == TICKET:
        name_alphas(top, runs[runs["side"] == "ours"])
    figure.legend(*top.get_legend_handles_labels(), loc="outside upper center", ncols=2)
    draw_differences(bottom, difference["density"].to_numpy(), difference.assign(color=ours))
    bottom.set_ylabel("ours − baseline\n(percentage points)")
    density_axis(bottom, runs["density"], room=12)
    bottom.set_xlabel(f"{X_LABELS['density']} in the baseline; ours stores no more")
    figure.align_ylabels()
    return figure


def name_alphas(ax: Axes, ours: pd.DataFrame) -> None:
    """Write the alpha chosen at each density along the top of the panel, and make room for it."""
    chosen = ours.groupby("density")["alpha"].agg(lambda alphas: "/".join(f"{a:g}" for a in sorted(set(alphas))))
    upright = len(chosen) > 10
    low, high = ax.get_ylim()
    ax.set_ylim(low, high + (0.16 if upright else 0.1) * (high - low))
    style: Look = {"transform": ax.get_xaxis_transform(), "va": "top", "color": OURS, "fontsize": SMALL}
    for density, text in zip(chosen.index.to_numpy(), chosen, strict=True):
        ax.text(density, 0.985, text, ha="center", rotation=90 if upright else 0, **style)
    ax.text(1.01, 0.985, r"$\alpha$", **style | {"transform": ax.transAxes})
