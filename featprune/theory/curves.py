"""What is read off curves along training."""

from __future__ import annotations

import numpy as np
import pandas as pd


def largest(table: pd.DataFrame, *of: str) -> pd.DataFrame:
    """The supremum over time: the largest `value` of each run, which these columns tell apart."""
    return table.groupby(list(of), sort=False)["value"].max().reset_index()


def crossing(x: np.ndarray, y: np.ndarray, level: float) -> float:
    """Where a curve (n,) first lies below a level, on straight lines between its points; NaN where it doesn't.

    x may go either way; take logarithms of what is straight on logarithmic axes.
    """
    below = np.flatnonzero(y < level)
    if not len(below):
        return np.nan
    after = int(below[0])
    pair = [after, max(after - 1, 0)]  # from below to above, as interp wants it
    return float(np.interp(level, y[pair], x[pair]))
