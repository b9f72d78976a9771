"""Test loss along training: a panel an alpha, a curve a density, the dense network in black."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from featprune.figures.bands import LOSS, draw_band, over_seeds
from featprune.figures.panels import grid, head, is_bottom, is_left, key, legend, note_lr, one_criterion
from featprune.figures.style import DENSE, density_palette, percent, pick_rounds

MAX_DENSITIES = 5
RUN = ["alpha", "criterion", "rewind", "round"]


def draw(tables: Mapping[str, pd.DataFrame]) -> Figure:
    """Draw from the table `learning_curves`: the dense runs and the tickets."""
    curves = tables["learning_curves"]
    pruned = one_criterion(curves[curves["rewind"] == "init"])
    dense = curves[curves["rewind"] == "dense"]
    shown = choose_lr(pd.concat([dense, pruned]))
    shown = shown[shown["split"] == "test"]
    dense, pruned = (shown[shown["rewind"] == name] for name in ("dense", "init"))
    LOSS.require(shown, "learning_curves")
    rounds = pick_rounds(pruned, MAX_DENSITIES) if len(pruned) else {}
    palette = density_palette(rounds.values())
    alphas = sorted(shown["alpha"].unique())
    figure, axes = grid(len(alphas))
    for index, (ax, alpha) in enumerate(zip(axes, alphas, strict=True)):
        for number, density in rounds.items():
            ticket = pruned[(pruned["alpha"] == alpha) & (pruned["round"] == number)]
            means = over_seeds(ticket, ["step"], LOSS)
            draw_band(ax, means["step"], means, palette[density])
        means = over_seeds(dense[dense["alpha"] == alpha], ["step"], LOSS)
        draw_band(ax, means["step"], means, DENSE, linestyle="--")
        LOSS.style_axis(ax, label=is_left(axes, index))
        # Step 0 has a place of its own, one tick to the left of the first recorded step.
        ax.set_xscale("symlog", linthresh=shown.loc[shown["step"] > 0, "step"].min(), linscale=0.5)
        ax.set_xlim(0, shown["step"].max())
        if is_bottom(axes, index):
            ax.set_xlabel("training step")
        ax.set_title(rf"$\alpha$ = {alpha:g}")
    handles = [key(DENSE, "100 (dense)", linestyle="--")]
    handles += [key(palette[density], percent(density)) for density in rounds.values()]
    legend(figure, handles, title="weights\nremaining (%)")
    head(figure, shown)
    note_lr(figure, shown)
    return figure


def choose_lr(curves: pd.DataFrame) -> pd.DataFrame:
    """Keep, for each run, the learning rate with the best mean validation metric at the last step."""
    if not curves.duplicated(["seed", "step", "split", *RUN]).any():
        return curves
    final = curves[(curves["split"] == "validation") & (curves["step"] == curves["step"].max())]
    score = final["accuracy"] if final["accuracy"].notna().any() else -final["loss"]
    score = score.fillna(-np.inf).groupby([final[name] for name in [*RUN, "lr"]], observed=True).mean()
    best = score.reset_index(name="score").sort_values("score").drop_duplicates(RUN, keep="last")
    return curves.merge(best[[*RUN, "lr"]], on=[*RUN, "lr"])
