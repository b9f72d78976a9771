"""Each unit's preactivation along training, for a few probe inputs (rows), in the dense and the pruned networks."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
from matplotlib.cm import ScalarMappable
from matplotlib.collections import LineCollection
from matplotlib.colors import Normalize
from matplotlib.figure import Figure
from matplotlib.ticker import EngFormatter, NullFormatter

from featprune.errors import FeatpruneError
from featprune.features.similarity import alive, unit_correlations
from featprune.figures.panels import head, name_strategy
from featprune.figures.preactivations import select
from featprune.figures.style import X_LABELS, percent

MAX_SAMPLES = 3
UNIT_MAP = "coolwarm"  # unlike SIGNED_MAP not white in the middle, where lines would vanish


def draw(tables: Mapping[str, pd.DataFrame]) -> Figure:
    """Draw from the table `preactivations`."""
    networks = select(tables["preactivations"])
    dense = networks["dense"]
    samples = spread(dense)
    paths = {name: trajectories(network, samples.index) for name, network in networks.items()}
    if not all(map(len, paths.values())):
        raise FeatpruneError("table 'preactivations' has a network without a step after the first")
    last = paths["dense"].groupby("sample").last()  # of each sample, the value in each unit
    limit = np.nanpercentile(np.abs(last), 99)
    colors = ScalarMappable(Normalize(-limit, limit), UNIT_MAP)
    size = (1.65 * len(networks) + 1.1, 1.35 * len(samples) + 1.2)
    figure = Figure(figsize=size, layout="constrained")
    axes = figure.subplots(len(samples), len(networks), sharex=True, sharey=True, squeeze=False)
    for column, (name, path) in zip(axes.T, paths.items(), strict=True):
        for ax, sample in zip(column, samples.index, strict=True):
            mine = path.loc[sample]
            order = last.loc[sample].abs().sort_values().index  # what is far from zero is drawn last
            lines = [np.column_stack([mine.index, mine[unit]]) for unit in order]
            # 20 times as fast as seaborn's lineplot, measured for 15 panels of 200 units.
            ax.add_collection(LineCollection(lines, colors=colors.to_rgba(last.loc[sample, order]), linewidth=0.7))
        title = f"{name_strategy(name)}\n{percent(networks[name]['density'].iloc[0])} % of weights"
        column[0].set_title(title + f"\n{describe(path, paths['dense'])}" * (name != "dense"))
    every = pd.concat(paths.values())
    steps, height = every.index.get_level_values("step"), 1.1 * np.nanpercentile(np.abs(every), 99.9)
    axes[0, 0].set(xscale="log", xlim=(steps.min(), steps.max()), ylim=(-height, height))
    for ax, (sample, label) in zip(axes[:, 0], samples.items(), strict=True):
        ax.set_ylabel(f"sample {sample}" if np.isnan(label) else f"target {label:.2f}".replace("-", "−"))
    axes[0, 0].xaxis.set_major_formatter(EngFormatter(sep=""))
    axes[0, 0].xaxis.set_minor_formatter(NullFormatter())
    figure.supxlabel(X_LABELS["step"])
    figure.supylabel("preactivation")
    bar = figure.colorbar(colors, ax=axes, label="at the last step in the dense network", extend="both", aspect=40)
    bar.outline.set_visible(False)
    layer, alpha, seed = dense.iloc[0][["layer", "alpha", "seed"]]
    head(figure, dense, rf"layer {layer:.0f}, {last.shape[1]} units, $\alpha$ = {alpha:g}, seed {seed:.0f}")
    return figure


def spread(network: pd.DataFrame) -> pd.Series:
    """The labels of a few probe samples, evenly spread over the samples in the order of their labels."""
    samples = network.drop_duplicates("sample").sort_values(["label", "sample"]).set_index("sample")["label"]
    count = min(MAX_SAMPLES, len(samples))
    return samples.iloc[[int((2 * index + 1) * len(samples) / (2 * count)) for index in range(count)]]


def trajectories(network: pd.DataFrame, samples: pd.Index) -> pd.DataFrame:
    """Preactivations from step 1 on: a row a (sample, step), a column a unit."""
    rows = network[(network["step"] >= 1) & network["sample"].isin(samples)]
    return rows.pivot_table(index=["sample", "step"], columns="unit", values="preactivation")


def matched_correlation(network: pd.DataFrame, dense: pd.DataFrame) -> float:
    """The correlation of each unit (a column) with the same unit of the dense network, meaned over the dense one's.

    A unit that only the dense network has counts as 0. NaN if the dense network has none.
    """
    rows = dense.index.intersection(network.index)
    ours, theirs = (side.reindex(index=rows, columns=dense.columns).to_numpy(float) for side in (network, dense))
    both, counted = alive(ours) & alive(theirs), alive(theirs).sum()
    return float(unit_correlations(ours[:, both], theirs[:, both]).sum() / counted) if counted else np.nan


def describe(network: pd.DataFrame, dense: pd.DataFrame) -> str:
    """The correlation, as it is written."""
    return rf"$r$ = {matched_correlation(network, dense):.2f}".replace("-", "−")
