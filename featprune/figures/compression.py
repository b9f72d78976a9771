"""Deep Compression: how many times smaller each stage makes a network, and what that costs in accuracy."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, NullFormatter

from featprune.figures.bands import Metric, draw_band, over_seeds
from featprune.figures.panels import head, key, legend, name_strategy, one_criterion, order_strategies
from featprune.figures.style import DENSE, SMALL, density_axis
from featprune.tables.frames import nearest_one

STAGES = {  # the stage of the column of bytes -> name, colour, marker
    "pruned": ("pruned", "#0072B2", "o"),
    "quantized": ("+ quantized", "#E69F00", "s"),
    "huffman": ("+ Huffman\ncode (lossless)", "#882255", "D"),
}
PAPER_RATE, PAPER_BITS = 40, 6  # of LeNet-300-100 on MNIST (Han, Mao & Dally 2016, tables 1 and 3)


def rate(stage: str) -> Metric:
    return Metric(f"{stage}_rate", "compression rate", log=True)


def accuracy(stage: str) -> Metric:
    return Metric(f"{stage}_accuracy", "test accuracy (%)", scale=100.0)


def draw(tables: Mapping[str, pd.DataFrame]) -> Figure:
    """Draw from the table `compression`: one criterion (magnitude if it is there), alpha and lr nearest 1."""
    accuracy("quantized").require(tables["compression"], "compression")
    table = one_width(nearest_one(nearest_one(one_criterion(tables["compression"]), "alpha"), "lr"))
    table = table.assign(**{f"{stage}_rate": table["original_bytes"] / table[f"{stage}_bytes"] for stage in STAGES})
    rewinds = order_strategies(table["rewind"])
    figure = Figure(figsize=(7.0, 2.4 * len(rewinds) + 0.5), layout="constrained")
    rows = figure.subplots(len(rewinds), 2, sharex="col", sharey="col", squeeze=False)
    for row, rewind in zip(rows, rewinds, strict=True):
        is_last = rewind == rewinds[-1]
        runs = table[table["rewind"] == rewind]
        draw_rates(row[0], runs)
        draw_accuracies(row[1], runs)
        for ax in row:
            ax.set_title(name_strategy(rewind) + accuracy("quantized").note_diverged(runs))
        density_axis(row[0], [1.0, *table["density"]], label=is_last)
        rate_axis(row[1], label=is_last)
    rows[0, 0].set_ylim(top=max(rows[0, 0].get_ylim()[1], 2 * PAPER_RATE))  # room for the label of the line
    handles = [key(color, name, marker=marker) for name, color, marker in STAGES.values()]
    legend(figure, [*handles, key(DENSE, "dense", linewidth=0.8)])
    alpha, lr, hidden, output = table.iloc[0][["alpha", "lr", "hidden_bits", "output_bits"]]
    setting = rf"$\alpha$ = {alpha:g}, learning rate × {lr:g}"
    head(figure, table, f"{setting}, {hidden:g} bits a weight ({output:g} in the output layer)")
    return figure


def one_width(table: pd.DataFrame) -> pd.DataFrame:
    """The rows of the widths of the codes that are nearest the paper's 6 bits."""
    widths = table[["hidden_bits", "output_bits"]]
    distance = (widths - PAPER_BITS).abs().sum(axis=1)
    return table[(widths == widths.iloc[distance.argmin()]).all(axis=1)]


def draw_rates(ax: Axes, runs: pd.DataFrame) -> None:
    """How many times smaller the network is after each stage, against density; the paper's rate for comparison."""
    ax.axhline(PAPER_RATE, color="0.4", linewidth=0.6, zorder=1)
    # At the left, where networks are dense and rates low, there is room above the line.
    place = {"xycoords": ("axes fraction", "data"), "xytext": (0, 2), "textcoords": "offset points"}
    ax.annotate(f"{PAPER_RATE}x (Han\net al. 2016)", (0.03, PAPER_RATE), fontsize=SMALL, color="0.4", **place)
    for stage, (_, color, marker) in STAGES.items():
        means = over_seeds(runs, ["round"], rate(stage))
        draw_band(ax, means["density"], means, color, marker=marker)
    rate("pruned").style_axis(ax)
    ax.yaxis.set_major_formatter("{x:g}")


def draw_accuracies(ax: Axes, runs: pd.DataFrame) -> None:
    """The accuracy before and after quantization, one above the other, against the rate after all stages."""
    for level in over_seeds(runs, ["alpha"], accuracy("dense"))["mean"]:
        ax.axhline(level, color=DENSE, linewidth=0.8, zorder=1)
    rates = over_seeds(runs, ["round"], rate("huffman"))["mean"]
    for stage in ("pruned", "quantized"):
        _, color, marker = STAGES[stage]
        draw_band(ax, rates, over_seeds(runs, ["round"], accuracy(stage)), color, marker=marker)
    ax.axvline(PAPER_RATE, color="0.4", linewidth=0.6, zorder=1)
    accuracy("quantized").style_axis(ax)


def rate_axis(ax: Axes, label: bool) -> None:
    """Make x a log axis of the rate with ticks 1, 2, 5, 10, ..."""
    ax.set_xscale("log")
    ax.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    ax.xaxis.set_major_formatter("{x:g}")
    ax.xaxis.set_minor_formatter(NullFormatter())
    if label:
        ax.set_xlabel("compression rate after all stages")
