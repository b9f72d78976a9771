"""The toy's order parameters: units specialize on the teacher's (top), and which units the mask keeps (bottom)."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from scipy.stats import spearmanr

from featprune.figures.bands import Metric, band
from featprune.figures.panels import head, legend, one_criterion
from featprune.figures.style import DENSE_LINE, X_LABELS, Look, log_ticks, percent, pick, round_looks, step_axis
from featprune.runs.paths import DENSE
from featprune.tables.frames import nearest_one, not_linearized, of_kind

MAX_ALPHAS = 3
KEPT = 0.1  # the bottom row shows the ticket whose density is nearest to this
BINS, MIN_UNITS = 10, 3  # of equal width on the logarithmic axis; no mean is drawn of fewer units
SPECIALIZATION = Metric("specialization", "specialization")
RUN = ["alpha", "rewind", "round", "density", "seed", "step"]
NULL: Look = DENSE_LINE | {"label": "random directions\n(dense, step 0)", "linestyle": "--"}


def draw(tables: Mapping[str, pd.DataFrame]) -> Figure:
    """Draw from the table `overlap`: the dense networks and the tickets."""
    table = tables["overlap"]
    dense, tickets = of_kind(table, DENSE), table[table["rewind"] == "init"]
    shown = nearest_one(pd.concat([dense, one_criterion(tickets)]), "lr")
    units = by_unit(shown)
    means = specialization(units)
    SPECIALIZATION.require(means, "overlap")
    alphas = np.array(sorted(not_linearized(means)["alpha"].unique()))
    alphas = alphas[pick(np.log(alphas), MAX_ALPHAS)]
    rounds = means[means["rewind"] == "init"].groupby("round")["density"].mean()
    looks = round_looks(dict(rounds), {})
    colors = {number: look["color"] for number, look in looks.items()}
    # Rows of different content, which no seaborn grid has.
    figure = Figure(figsize=(1.95 * max(len(alphas), 2) + 1.6, 4.6), layout="constrained")
    axes = figure.subplots(2, len(alphas), sharey="row", squeeze=False)
    for alpha, (top, bottom) in zip(alphas, axes.T, strict=True):
        mine = means[means["alpha"] == alpha]
        curves = {"hue": "round", "palette": colors, "hue_order": [*rounds.index, 0]}
        sns.lineplot(mine.assign(value=mine["specialization"]), x="step", ax=top, **curves, **band())
        null = mine.loc[(mine["rewind"] == "dense") & (mine["step"] == 0), "specialization"]
        top.axhline(null.mean(), **NULL)
        step_axis(top, mine["step"])
        top.set(xlabel=X_LABELS["step"], title=rf"$\alpha$ = {alpha:g}", ylabel="")
        if len(rounds):
            number = np.abs(np.log(rounds / KEPT)).idxmin()
            draw_kept(bottom, pair(units[units["alpha"] == alpha], number), looks[number])
            axes[1, 0].set_ylabel(f"incoming weights kept\n(ticket of {percent(rounds[number])} %)")
    axes[0, 0].set_ylabel(SPECIALIZATION.label)
    legend(figure, [*looks.values(), NULL], title="weights\nremaining (%)")
    head(figure, shown)
    figure.align_ylabels()
    return figure


def by_unit(table: pd.DataFrame) -> pd.DataFrame:
    """A row a student unit: specialization (its largest overlap with a teacher unit), strength and survivors.

    A unit without incoming weights has no overlap; its specialization is 0, as is its strength.
    """
    rows = table.assign(specialization=table["overlap"].abs()).groupby([*RUN, "unit"])
    units = rows.agg({"specialization": "max", "strength": "first", "survivors": "first"}).reset_index()
    return units.assign(specialization=units["specialization"].where(units["strength"] != 0, 0.0))


def specialization(units: pd.DataFrame) -> pd.DataFrame:
    """A row a run, seed and step: the mean over units, weighted by strength; NaN for a run that diverged."""
    parts = units.assign(product=units["specialization"] * units["strength"]).groupby(RUN)
    sums = parts[["product", "strength"]].sum(skipna=False)
    return (sums["product"] / sums["strength"]).rename("specialization").reset_index()


def pair(units: pd.DataFrame, number: int) -> pd.DataFrame:
    """A row a unit and seed: what the dense network makes of it (`use`), and its survivors in the ticket's mask."""
    last = units[units["step"] == units["step"].max()]
    dense, ticket = (last[last["rewind"] == name] for name in ("dense", "init"))
    dense = dense.assign(use=dense["specialization"] * dense["strength"])[["seed", "unit", "use"]].dropna()
    return dense.merge(ticket.loc[ticket["round"] == number, ["seed", "unit", "survivors"]])


def draw_kept(ax: Axes, pairs: pd.DataFrame, look: Look) -> None:
    """A point a unit and seed, means over bins of units, and the rank correlation's mean over seeds."""
    pairs = pairs[pairs["use"] > 0]
    point = {"s": 5, "color": look["color"], "alpha": 0.3, "linewidth": 0}
    sns.scatterplot(pairs, x="use", y="survivors", legend=False, ax=ax, **point)
    if len(pairs):
        bins = pairs.groupby(pd.cut(np.log(pairs["use"]), BINS), observed=True)[["use", "survivors"]]
        parts = bins.mean()[bins.size() >= MIN_UNITS]
        line = {"color": DENSE_LINE["color"], "marker": "o", "markeredgewidth": 0}
        sns.lineplot(parts, x="use", y="survivors", errorbar=None, legend=False, ax=ax, **line)
    varied = [mine for _, mine in pairs.groupby("seed") if (mine[["use", "survivors"]].std() > 0).all()]
    if varied:
        rho = np.mean([spearmanr(mine["use"], mine["survivors"]).statistic for mine in varied])
        ax.set_title(rf"Spearman's $\rho$ = {rho:.2f}".replace("-", "−"))
    ax.set(xscale="log", xlabel="specialization × strength\nin the dense network", ylabel="")
    log_ticks(ax.xaxis)
