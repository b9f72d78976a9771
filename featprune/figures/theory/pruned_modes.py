"""What pruning leaves of each mode against density: a row a kind of singular vectors, a column a mask and a stage."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd
from matplotlib.figure import Figure

from featprune.figures.style import X_LABELS, density_axis, log_palette
from featprune.figures.theory.scaling import LAW, draw_band, panels
from featprune.theory.pruned_modes import LOST, MAGNITUDE, PRUNED, RANDOM, RETRAINED

MODE_MAP = "viridis"
KINDS = {"flat": "flat: equal coordinates", "random": "random directions", "axes": "axes: one coordinate"}
COLUMNS = {
    (MAGNITUDE, PRUNED): "magnitude,\nright after",
    (RANDOM, PRUNED): "random masks,\nright after",
    (MAGNITUDE, RETRAINED): "magnitude,\nretrained (ticket)",
    (RANDOM, RETRAINED): "random masks,\nretrained",
}


def draw(tables: Mapping[str, pd.DataFrame]) -> Figure:
    """Draw from the table `pruned_modes`."""
    table = tables["pruned_modes"]
    kinds = [kind for kind in KINDS if (table["vectors"] == kind).any()]
    figure, axes = panels(len(kinds) * len(COLUMNS), len(COLUMNS), (2.0, 1.75), sharex=True, sharey=True)
    colors: dict[Any, Any] = log_palette(table["singular"], MODE_MAP, 0.88, 0.0)
    places = [(kind, *column) for kind in kinds for column in COLUMNS]
    for number, (ax, place) in enumerate(zip(axes, places, strict=True)):
        kind, criterion, stage = place
        here = table[(table[["vectors", "criterion", "stage"]] == list(place)).all(axis=1)]
        density_axis(ax, table["density"], room=4)
        for s in sorted(colors, reverse=True):
            draw_band(ax, here[here["singular"] == s], "density", {"color": colors[s], "marker": "o"})
        ax.axhline(LOST, color="0.8", linewidth=0.6, zorder=0)
        if stage == PRUNED:
            kept = here.groupby("density")["kept"].mean()
            ax.plot(kept.index, kept, **LAW)
        last = number >= len(axes) - len(COLUMNS)
        ax.set(xlabel=X_LABELS["density"] if last else "", ylabel="", ylim=(-0.05, 1.05), yticks=[0, 0.5, 1])
        if number < len(COLUMNS):
            ax.set_title(COLUMNS[criterion, stage])
        if number % len(COLUMNS) == 0:
            ax.set_ylabel(KINDS[kind])
    marks = [axes[0].plot([], [], "o-", color=colors[s], label=f"$s$ = {s:g}")[0] for s in sorted(colors, reverse=True)]
    marks += axes[0].plot([], [], **LAW, label="squared weights kept")
    figure.legend(handles=marks, loc="outside lower center", ncols=len(marks))
    figure.supylabel("strength of a mode (dense network: 1)")
    figure.suptitle("Which modes of a linear network does pruning lose first?")
    return figure
