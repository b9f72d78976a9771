"""Ours against every baseline: test accuracy minus that of the lottery tickets of several experiments, by density."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd
from matplotlib.figure import Figure

from featprune.figures.differences import panels


def draw(tables: Mapping[str, pd.DataFrame]) -> Figure:
    """Draw from the table `rivals`: a panel a density, a line a rival."""
    table = tables["rivals"]
    alphas = table.groupby("rival")["rival_alpha"].agg(set)
    names = [
        rival + rf", $\alpha$ = {alpha:g}" * (len(alphas[rival]) > 1)
        for rival, alpha in zip(table["rival"], table["rival_alpha"], strict=True)
    ]
    lines = {name: line for line, name in enumerate(dict.fromkeys(names))}
    return panels(
        table.assign(line=[lines[name] for name in names]),
        list(lines),
        "test accuracy minus that of the named experiment's tickets",
    )
