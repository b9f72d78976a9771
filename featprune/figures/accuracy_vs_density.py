"""The test metric against density: a panel a strategy, a curve an alpha."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from featprune.figures.bands import Metric, choose_metric, draw_band, over_seeds
from featprune.figures.panels import grid, head, is_bottom, is_left, key, legend, note_lr, strategy_panels
from featprune.figures.style import Color, alpha_palette, density_axis


def draw(tables: Mapping[str, pd.DataFrame]) -> Figure:
    """Draw from the table `tuned`."""
    tuned = tables["tuned"]
    metric, panels = choose_metric(tuned), strategy_panels(tuned)
    metric.require(pd.concat([tuned.head(0), *panels.values()]), "tuned")
    palette = alpha_palette(tuned["alpha"])
    dense = tuned[tuned["criterion"] == "dense"]
    figure, axes = grid(len(panels))
    for index, (ax, (title, runs)) in enumerate(zip(axes, panels.items(), strict=True)):
        draw_levels(ax, dense[dense["rewind"] == "dense"], metric, palette)
        if (runs["rewind"] == "none").all():
            draw_as_long(ax, dense[dense["rewind"] == "none"], runs, metric, palette)
        for alpha, curve in over_seeds(runs, ["alpha", "round"], metric).groupby("alpha"):
            draw_band(ax, curve["density"], curve, palette[alpha], marker="o")
        metric.style_axis(ax, label=is_left(axes, index))
        densities = pd.concat(panels.values())["density"]
        density_axis(ax, [1.0, *densities], label=is_bottom(axes, index))
        ax.set_title(title + metric.note_diverged(runs))
    handles = [key(color, f"{alpha:g}", marker="o") for alpha, color in palette.items()]
    handles.append(key("0.4", "dense", linewidth=0.8))
    if (dense["rewind"] == "none").any():
        handles.append(key("0.4", "dense,\ntrained as long", linestyle=":"))
    legend(figure, handles, title=r"$\alpha$")
    head(figure, tuned)
    note_lr(figure, tuned)
    return figure


def draw_levels(ax: Axes, dense: pd.DataFrame, metric: Metric, palette: dict[float, Color]) -> None:
    """A thin line across the panel at each alpha's dense level."""
    for row in over_seeds(dense, ["alpha"], metric).itertuples():
        ax.axhline(row.mean, color=palette[row.alpha], linewidth=0.8, zorder=1)


def draw_as_long(
    ax: Axes, dense: pd.DataFrame, runs: pd.DataFrame, metric: Metric, palette: dict[float, Color]
) -> None:
    """The dense network trained as long as each of these runs, against the density of that run."""
    density = runs.groupby("round")["density"].mean()
    for alpha, curve in over_seeds(dense, ["alpha", "round"], metric).groupby("alpha"):
        ax.plot(curve["round"].map(density), curve["mean"], color=palette[alpha], linestyle=":", zorder=1)
