"""What a criterion brings: each method's test accuracy minus the lottery tickets', paired by seed, by density."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd
from matplotlib.figure import Figure

from featprune.figures.differences import panels
from featprune.figures.panels import name_strategy
from featprune.figures.style import choose_method, order_methods
from featprune.runs.paths import Kind
from featprune.tables.frames import of_kind


def draw(tables: Mapping[str, pd.DataFrame]) -> Figure:
    """Draw from the table `ablation`: a panel a density (and alpha, where there are several), a line a method."""
    table = tables["ablation"]
    kinds = order_methods(table)
    parts = (of_kind(table, kind).assign(line=n, color=choose_method(*kind).color) for n, kind in enumerate(kinds))
    rows = pd.concat(list(parts))
    return panels(rows, list(map(name, kinds)), "test accuracy minus the lottery ticket's")


def name(kind: Kind) -> str:
    """A criterion as the config has it; where its networks aren't rewound to their initial values, and where to."""
    return kind.criterion + f", {name_strategy(kind.rewind)}" * (kind.rewind != "init")
