"""Selections from tidy tables."""

from __future__ import annotations

import numpy as np
import pandas as pd


def nearest_one(table: pd.DataFrame, column: str) -> pd.DataFrame:
    """The rows whose value in `column` (an alpha, an lr) is nearest 1 in logarithm."""
    distance = np.abs(np.log(table[column]))
    return table[table[column] == table[column].iloc[distance.argmin()]]
