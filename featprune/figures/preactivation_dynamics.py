"""Preactivation matrices of the dense and the pruned networks side by side, as they change: a frame a recorded step."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd
from matplotlib.animation import FuncAnimation
from matplotlib.figure import Figure

from featprune.figures.panels import head, name_strategy
from featprune.figures.preactivations import draw_matrix, lay_out, select, shared_steps
from featprune.figures.style import percent
from featprune.figures.toy_preactivations import describe


def draw(tables: Mapping[str, pd.DataFrame]) -> FuncAnimation:
    """Draw from the table `preactivations`."""
    networks = select(tables["preactivations"])
    dense, steps = networks["dense"], shared_steps(networks)
    _, matrices, units, limit = lay_out(networks, steps)
    # Axes by hand, as animations redraw a figure and seaborn makes new ones.
    figure = Figure(figsize=(1.55 * len(networks) + 1.2, 3.3), layout="constrained")
    axes = dict(zip(networks, figure.subplots(1, len(networks), sharey=True, squeeze=False).flat, strict=True))
    meshes = {}
    for name, ax in axes.items():
        meshes[name] = draw_matrix(ax, matrices[name, steps[0]].reindex(units), limit)
        ax.set_title(f"{name_strategy(name)}\n{percent(networks[name]['density'].iloc[0])} % of weights")
    axes["dense"].set_ylabel(f"{len(units)} units")
    figure.colorbar(meshes["dense"], ax=list(axes.values()), label="preactivation", extend="both", aspect=30)
    figure.supxlabel("test samples, by target")

    def show(index: int) -> list:
        step = steps[index]
        for name, mesh in meshes.items():
            mesh.set_array(matrices[name, step].reindex(units).to_numpy())
            axes[name].set_xlabel(describe(matrices[name, step].T, matrices["dense", step].T))
        head(figure, dense, rf"$\alpha$ = {dense['alpha'].iloc[0]:g}, step {step:,}")
        return list(meshes.values())

    # Laid out once: nothing but the numbers may move from frame to frame.
    show(len(steps) - 1)
    figure.draw_without_rendering()
    figure.set_layout_engine("none")
    return FuncAnimation(figure, show, frames=len(steps), cache_frame_data=False)
