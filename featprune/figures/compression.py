"""Deep Compression: how many times smaller each stage makes a network, and what that costs in accuracy."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd
import seaborn as sns
from matplotlib.figure import Figure

from featprune.figures.bands import Metric, band
from featprune.figures.panels import by_strategy, facets, head, legend, note_diverged
from featprune.figures.style import DENSE_LINE, SMALL, X_LABELS, Look, Looks, density_axis, log_ticks
from featprune.tables.frames import nearest_one

# The stage of the column of bytes -> how it is drawn: later ones thinner, so that all are seen where they coincide.
STAGES: Looks = {
    "pruned": {"label": "pruned", "color": "#0072B2", "marker": "o", "markersize": 5.6, "linewidth": 2.2},
    "quantized": {"label": "+ quantized", "color": "#E69F00", "marker": "s", "markersize": 3.6, "linewidth": 1.5},
    "huffman": {
        "label": "+ Huffman\ncode (lossless)",
        "color": "#882255",
        "marker": "D",
        "markersize": 2.2,
        "linewidth": 1,
    },
}
RATES = {stage: Metric(f"{stage}_rate", "compression rate", log=True) for stage in STAGES}
ACCURACIES = {s: Metric(f"{s}_accuracy", "test accuracy (%)", scale=100.0) for s in ("dense", "pruned", "quantized")}
PAPER_RATE = 40  # of LeNet-300-100 on MNIST (Han, Mao & Dally 2016, table 1)
PAPER_LINE: Look = {"color": "0.4", "linewidth": 0.6, "zorder": 1}


def draw(tables: Mapping[str, pd.DataFrame]) -> Figure:
    """Draw from the table `compression`: one criterion (magnitude if it is there), alpha and lr nearest 1."""
    table = tables["compression"]
    ACCURACIES["quantized"].require(table, "compression")
    table = nearest_one(nearest_one(by_strategy(table), "alpha"), "lr")
    table = table.assign(**{f"{stage}_rate": table["original_bytes"] / table[f"{stage}_bytes"] for stage in STAGES})
    runs = note_diverged(table, ACCURACIES["quantized"])
    # Left rates against density; right accuracies against the rate after all stages, one above the other.
    small = runs.merge(RATES["huffman"].mean(runs, ["panel", "round"]).rename("x").reset_index())
    parts = [runs.assign(side="rate", stage=s, x=runs["density"], value=RATES[s].of(runs)) for s in STAGES]
    parts += [small.assign(side="accuracy", stage=s, value=ACCURACIES[s].of(small)) for s in ("pruned", "quantized")]
    shared = {"sharex": "col", "sharey": "col"}
    panels = facets(pd.concat(parts), STAGES, "stage", (2.85, 2.4), row="panel", col="side", **shared)
    panels.axes[0, 0].set_yscale("log")
    panels.map_dataframe(sns.lineplot, x="x", **band(len(runs["round"].unique()) == 1))
    panels.set_titles("{row_name}")
    panels.figure.set_layout_engine("constrained")
    place = {"xycoords": ("axes fraction", "data"), "xytext": (0, 2), "textcoords": "offset points"}
    # seaborn's refline would draw both levels in both columns.
    for (rates, accuracies), panel in zip(panels.axes, panels.row_names, strict=True):
        rates.axhline(PAPER_RATE, **PAPER_LINE)
        # At the left, where networks are dense and rates low, there is room above the line.
        rates.annotate(f"{PAPER_RATE}x (Han\net al. 2016)", (0.03, PAPER_RATE), fontsize=SMALL, color="0.4", **place)
        accuracies.axvline(PAPER_RATE, **PAPER_LINE)
        level = ACCURACIES["dense"].of(runs[runs["panel"] == panel]).mean()
        accuracies.axhline(level, **DENSE_LINE)
        rates.set_ylabel(RATES["pruned"].label)
        accuracies.set_ylabel(ACCURACIES["pruned"].label)
    left, right = panels.axes[-1]
    left.set_ylim(top=max(left.get_ylim()[1], 2 * PAPER_RATE))  # room for the label of the line
    right.set_xscale("log")
    density_axis(left, [1.0, *runs["density"]])
    log_ticks(left.yaxis)
    log_ticks(right.xaxis)
    left.set_xlabel(X_LABELS["density"])
    right.set_xlabel("compression rate after all stages")
    legend(panels.figure, [*STAGES.values(), DENSE_LINE])
    setting = rf"$\alpha$ = {runs['alpha'].iloc[0]:g}, learning rate × {runs['lr'].iloc[0]:g}"
    hidden, output = (name_bits(runs[f"{layers}_bits"]) for layers in ("hidden", "output"))
    head(panels.figure, runs, f"{setting}, {hidden} bits a weight ({output} in the output layer)")
    return panels.figure


def name_bits(bits: pd.Series) -> str:
    """The widths of codes: one number, or their range where validation chose different ones."""
    return " to ".join(f"{width:g}" for width in sorted({bits.min(), bits.max()}))
