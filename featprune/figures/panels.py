"""Grids of panels with room for a legend, and which runs they show."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import pandas as pd
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from featprune.figures.style import STRATEGIES

MAX_COLUMNS = 3


def grid(count: int, width: float = 1.95, height: float = 2.2) -> tuple[Figure, list[Axes]]:
    """A figure with `count` panels that share both axes, in rows of at most three; sizes in inches."""
    columns = 2 if count == 4 else min(count, MAX_COLUMNS)
    rows = -(-count // columns)
    # A lone panel gets the width that two would have.
    width = max(width, 3.6 / columns)
    figure = Figure(figsize=(columns * width + 1.3, rows * height + 0.5), layout="constrained")
    axes = list(figure.subplots(rows, columns, sharex=True, sharey=True, squeeze=False).flat)
    for spare in axes[count:]:
        spare.remove()
    for ax in axes[max(count - columns, 0) : count]:
        ax.tick_params(labelbottom=True)
    return figure, axes[:count]


def is_bottom(axes: Sequence[Axes], index: int) -> bool:
    """Whether no panel of the grid is below this one."""
    columns = axes[0].get_gridspec().ncols
    return index + columns >= len(axes)


def is_left(axes: Sequence[Axes], index: int) -> bool:
    """Whether this panel is the first of its row."""
    return index % axes[0].get_gridspec().ncols == 0


def name_strategy(rewind: str) -> str:
    """What a reader calls the rewind; one that is not known yet keeps its own name."""
    return STRATEGIES.get(rewind, rewind)


def order_strategies(rewinds: Iterable[str]) -> list[str]:
    """The rewinds in the order of panels, unknown ones last."""
    known = list(STRATEGIES)
    return sorted(set(rewinds), key=lambda name: (known.index(name) if name in known else len(known), name))


def one_criterion(table: pd.DataFrame) -> pd.DataFrame:
    """The rows of the criterion magnitude if there are any, else those of the first criterion."""
    magnitude = table["criterion"] == "magnitude"
    return table[magnitude if magnitude.any() else table["criterion"].isin(table["criterion"].head(1))]


def strategy_panels(table: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """The pruned runs of one criterion (magnitude if it is there), a title and a table for each rewind.

    With several criteria in the table the title names the one drawn.
    """
    pruned = table[table["criterion"] != "dense"]
    drawn = one_criterion(pruned)
    prefix = f"{drawn['criterion'].iloc[0]} ×\n" if len(pruned) > len(drawn) else ""
    return {
        prefix + name_strategy(rewind): drawn[drawn["rewind"] == rewind] for rewind in order_strategies(drawn["rewind"])
    }


def key(color, label: str, **line) -> Line2D:
    """A line for the legend."""
    return Line2D([], [], color=color, label=label, **line)


def legend(figure: Figure, handles: Sequence[Artist], title: str | None = None) -> None:
    """Put the legend beside the panels."""
    figure.legend(handles=handles, title=title, loc="outside right center", alignment="left")


def head(figure: Figure, table: pd.DataFrame, title: str = "") -> None:
    """Title the figure with its experiment, if the table has it, and more."""
    experiments = ", ".join(map(str, table["experiment"].unique())) if "experiment" in table else ""
    figure.suptitle(": ".join(filter(None, (experiments, title))) or None)


def note_lr(figure: Figure, table: pd.DataFrame) -> None:
    """Say under the panels where the learning rate was chosen, if there was a choice."""
    if len(table["lr"].unique()) > 1:
        note = "at the learning rate chosen on the validation split"
        figure.supxlabel(note, fontsize="small", color="0.35")
