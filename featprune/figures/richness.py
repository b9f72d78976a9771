"""Amount of feature learning against alpha: a panel a measure, the dense network in black and a curve a density."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from featprune.figures.bands import Metric, draw_band, over_seeds
from featprune.figures.panels import head, is_bottom, key, legend, one_criterion
from featprune.figures.style import DENSE, SMALL, alpha_axis, density_palette, percent, pick_rounds
from featprune.tables.frames import nearest_one

MEASURES = {
    "weight_movement": "relative weight movement",
    "kernel_movement": "kernel movement",
    "kernel_trace": "kernel trace (end / start)",
    "linearization_error": "linearization error",
}
LIMITS = {"lazy": 0.1, "rich": 0.5}  # of the dense network's linearization error: below it, above it
ROOM = 1.5  # the factor by which the axis goes on beyond these limits
MAX_DENSITIES = 5


def draw(tables: Mapping[str, pd.DataFrame]) -> Figure:
    """Draw from the table `richness`: the dense runs and the tickets, at the last step and the lr nearest 1."""
    richness = nearest_one(tables["richness"], "lr")
    richness = richness[(richness["layer"] == 0) & richness["measure"].isin(MEASURES)]
    final = richness[richness["step"] == richness["step"].max()]
    # Zero has no place on a logarithmic axis.
    final = final.assign(positive=final["value"].where(final["value"] > 0))
    pruned = one_criterion(final[final["rewind"] == "init"])
    dense = final[final["rewind"] == "dense"]
    Metric("positive", "value").require(pd.concat([dense, pruned]), "richness")
    rounds = pick_rounds(pruned, MAX_DENSITIES) if len(pruned) else {}
    palette = density_palette(rounds.values())
    figure = Figure(figsize=(6.2, 4.6), layout="constrained")
    axes = list(figure.subplots(2, 2, sharex=True).flat)
    networks = [(pruned[pruned["round"] == number], palette[density]) for number, density in rounds.items()]
    networks.append((dense, DENSE))
    shown = pd.concat([runs for runs, _ in networks])
    for index, (ax, (measure, label)) in enumerate(zip(axes, MEASURES.items(), strict=True)):
        mine = shown[shown["measure"] == measure]
        metric = Metric("positive", label, log=mine["positive"].notna().any())
        for runs, color in networks:
            means = over_seeds(runs[runs["measure"] == measure], ["alpha"], metric)
            draw_band(ax, means["alpha"], means, color, marker="o")
        metric.style_axis(ax)
        if measure == "linearization_error":
            draw_limits(ax)
        alpha_axis(ax, final["alpha"], label=is_bottom(axes, index))
        ax.set_title(Metric("value", label).note_diverged(mine).strip())
    handles = [key(DENSE, "100 (dense)", marker="o")]
    handles += [key(palette[density], percent(density), marker="o") for density in rounds.values()]
    legend(figure, handles, title="weights\nremaining (%)")
    head(figure, final)
    return figure


def draw_limits(ax: Axes) -> None:
    """Where the lazy ends and the rich begins; named beside the panel, where no curve is."""
    low, high = ax.get_ylim()
    ax.set_ylim(min(low, LIMITS["lazy"] / ROOM), max(high, LIMITS["rich"] * ROOM))
    for (name, limit), va in zip(LIMITS.items(), ("top", "bottom"), strict=True):
        ax.axhline(limit, color="0.4", linestyle="--", linewidth=0.6, zorder=1)
        ax.text(1.01, limit, name, transform=ax.get_yaxis_transform(), fontsize=SMALL, color="0.4", va=va)
