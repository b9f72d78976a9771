"""How the additional experiments are drawn: a power law on log-log axes, seeds thin, and the law dashed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from featprune.figures.bands import band
from featprune.figures.style import SMALL, log_ticks, plain
from featprune.theory.laws import written

LAW: dict[str, Any] = {"color": "0.35", "linestyle": "--", "linewidth": 0.9, "zorder": 1}
PANEL = (2.6, 2.3)  # inches
COLORS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7")  # of curves in a panel, told apart by any colour vision


def panels(
    count: int, columns: int = 3, size: tuple[float, float] = PANEL, **options: Any
) -> tuple[Figure, list[Axes]]:
    """A figure with so many panels in rows of at most `columns`, and the panels in order."""
    columns = min(count, columns)
    rows = -(-count // columns)
    figure, axes = plt.subplots(
        rows, columns, squeeze=False, figsize=(columns * size[0], rows * size[1] + 0.3), layout="constrained", **options
    )
    plt.close(figure)  # pyplot would keep it alive
    flat = list(axes.flat)
    for ax in flat[count:]:
        ax.set_visible(False)
    for ax in flat[count - columns : count]:  # the lowest of each column, also above a panel that isn't there
        ax.tick_params(labelbottom=True)
    return figure, flat[:count]


def draw_scaling(
    ax: Axes, table: pd.DataFrame, x: str, y: str, law: pd.Series, color: Any = COLORS[0], label: str | None = None
) -> None:
    """A quantity y against x: a thin line a seed, dots at geometric means, and the law through their middle.

    law: a row of `featprune.theory.laws.COLUMNS`. The legend has the fitted exponent, behind the curve's `label`.
    """
    ax.set(xscale="log", yscale="log")
    told = written(law["exponent"], law["low"], law["high"])
    for _, rows in table.groupby("seed"):
        ax.plot(rows[x], rows[y], color=color, linewidth=0.5, alpha=0.35, zorder=1.5)
    means = np.exp(np.log(table.set_index(x)[y]).groupby(level=0).mean())
    name = f"exponent {told}" if label is None else f"{label}: {told}"
    ax.plot(means.index, means, "o", color=color, markersize=3.5, zorder=3, label=name)
    draw_law(ax, means.index.to_numpy(float), means.to_numpy(float), law["law"])
    log_ticks(ax.xaxis)
    log_ticks(ax.yaxis)


def draw_law(ax: Axes, x: np.ndarray, y: np.ndarray, exponent: float) -> None:
    """A dashed line of this exponent through the geometric middle of the later half of the points."""
    late = slice(len(x) // 2, None)
    line = np.exp(np.log(y[late]).mean()) * (x / np.exp(np.log(x[late]).mean())) ** exponent
    ax.plot(x, line, **LAW, label=f"law: {plain(exponent)}")


def draw_band(ax: Axes, table: pd.DataFrame, x: str, look: dict[str, Any], **options: Any) -> None:
    """The mean over seeds of `value` against x in its band, a geometric one where the y axis is logarithmic."""
    sns.lineplot(table, x=x, ax=ax, **look, **(band() | options))


def legend(ax: Axes, handles: Sequence[Any] | None = None, **options: Any) -> None:
    """A legend of the panel, of all that has a label or of these; what curves share, as their law, is there once."""
    shown = ax.get_legend_handles_labels()[0] if handles is None else handles
    once = {str(handle.get_label()): handle for handle in reversed(shown)}
    ax.legend(handles=list(once.values())[::-1], fontsize=SMALL, handlelength=1.4, **options)
