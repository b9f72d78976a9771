"""Preactivation matrices along training: the dense network, then each strategy, units in one order."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.collections import QuadMesh
from matplotlib.figure import Figure
from scipy.cluster.hierarchy import leaves_list, linkage
from scipy.spatial.distance import squareform

from featprune.errors import FeatpruneError
from featprune.figures.panels import draw_raster, head, name_strategy, one_criterion, order_strategies
from featprune.figures.style import SIGNED_MAP, percent, pick
from featprune.tables.frames import nearest_one

MAX_STEPS = 4
MAX_CLASSES = 12  # more would not fit as ticks


def draw(tables: Mapping[str, pd.DataFrame]) -> Figure:
    """Draw from the table `preactivations`."""
    networks = select(tables["preactivations"])
    dense = networks["dense"]
    # A network that starts late has empty panels before.
    shared = shared_steps({name: n for name, n in networks.items() if n["step"].min() <= dense["step"].min()})
    steps = [shared[index] for index in pick(np.log1p(shared), MAX_STEPS)]
    samples, matrices, units, limit = lay_out(networks, steps)
    figure = Figure(figsize=(1.45 * len(steps) + 1.3, 1.4 * len(networks) + 0.8), layout="constrained")
    axes = figure.subplots(len(networks), len(steps), sharex=True, sharey=True, squeeze=False)
    for row, (name, network) in zip(axes, networks.items(), strict=True):
        for ax, step in zip(row, steps, strict=True):
            mesh = draw_matrix(ax, matrices[name, step].reindex(units), limit)
        row[0].set_ylabel(f"{name_strategy(name)}\n{percent(network['density'].iloc[0])} % of weights")
    for ax, step in zip(axes[0], steps, strict=True):
        ax.set_title(f"step {step:,}")
    figure.supxlabel("test samples")
    if (samples % 1 == 0).all():
        figure.supxlabel("test samples, by class")
        for ax in axes[-1]:
            tick_classes(ax, samples.to_numpy())
    elif samples.notna().all():
        figure.supxlabel("test samples, by target")
    figure.supylabel("units")
    figure.colorbar(mesh, ax=axes, label="preactivation", extend="both", shrink=0.8, aspect=40)
    layer, alpha, seed = dense.iloc[0][["layer", "alpha", "seed"]]
    head(figure, dense, rf"layer {layer:.0f}, {len(units)} units, $\alpha$ = {alpha:g}, seed {seed:.0f}")
    return figure


def select(table: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """Dense network and each strategy's last round, at the alpha nearest 1, lowest layer and first seed."""
    table = table[np.isfinite(table["preactivation"])]
    dense = table[table["criterion"] == "dense"]
    if dense.empty:
        raise FeatpruneError("table 'preactivations' has no finite preactivations of a dense network")
    dense = nearest_one(dense, "alpha").sort_values(["layer", "seed"]).head(1)
    table = table.merge(dense[["alpha", "layer", "seed"]])
    networks = {}
    for name in order_strategies(table["rewind"]):
        network = table[(table["rewind"] == name) & ((table["criterion"] == "dense") == (name == "dense"))]
        if len(network):
            network = one_criterion(network)
            networks[name] = nearest_one(network[network["round"] == network["round"].max()], "lr")
    return networks


def shared_steps(networks: Mapping[str, pd.DataFrame]) -> list[int]:
    """The steps that all networks have; raises FeatpruneError if there is none."""
    steps = sorted(set.intersection(*(set(network["step"]) for network in networks.values())))
    if not steps:
        raise FeatpruneError("table 'preactivations' has no step that all networks share")
    return steps


def lay_out(
    networks: Mapping[str, pd.DataFrame], steps: Sequence[int]
) -> tuple[pd.Series, dict[tuple[str, int], pd.DataFrame], pd.Index, float]:
    """What all panels share: samples (sample -> label, sorted by label where there are labels), the matrix of each
    network and step, the units in the order of the dense network's last step, and the limit of the colours."""
    dense = networks["dense"]
    samples = dense.drop_duplicates("sample").sort_values(["label", "sample"]).set_index("sample")["label"]
    matrices = {(name, step): matrix(networks[name], step, samples.index) for name in networks for step in steps}
    limit = np.nanpercentile(np.abs(np.concatenate([m.to_numpy().ravel() for m in matrices.values()])), 99)
    return samples, matrices, order_units(matrices["dense", steps[-1]]), limit


def draw_matrix(ax: Axes, values: pd.DataFrame, limit: float) -> QuadMesh:
    """A matrix of preactivations in the colours that all share, without ticks."""
    mesh = draw_raster(ax, values.to_numpy(), cmap=SIGNED_MAP, vmin=-limit, vmax=limit)
    ax.tick_params(length=0, pad=1)
    return mesh


def matrix(network: pd.DataFrame, step: int, samples: pd.Index) -> pd.DataFrame:
    """The preactivations at a step: a row a unit, a column a sample in the order given."""
    rows = network[network["step"] == step]
    return rows.pivot_table(index="unit", columns="sample", values="preactivation").reindex(columns=samples)


def order_units(values: pd.DataFrame) -> pd.Index:
    """The units of a (unit, sample) matrix so that those that respond alike are neighbours."""
    if len(values) < 3:
        return values.index
    with np.errstate(invalid="ignore", divide="ignore"):
        alike = np.nan_to_num(np.corrcoef(values))  # a unit that never changes is like no other
    distance = squareform(np.clip(1 - alike, 0, 2), checks=False)
    return values.index[leaves_list(linkage(distance, method="average", optimal_ordering=True))]


def tick_classes(ax: Axes, labels: np.ndarray) -> None:
    """Name each class under the middle of its samples."""
    classes = np.unique(labels)
    if 1 < len(classes) <= MAX_CLASSES:
        middles = [np.flatnonzero(labels == label).mean() + 0.5 for label in classes]
        ax.set_xticks(middles, [f"{label:g}" for label in classes])
