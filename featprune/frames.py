"""Selections and means from tidy tables."""

from __future__ import annotations

import numpy as np
import pandas as pd

# Measures of features -> whether more is more alike. The first decides.
MEASURES = {
    "correlation": 1,
    "assigned_correlation": 1,
    "change_correlation": 1,
    "cka": 1,
    "frobenius": -1,
    "kernel_alignment": 1,
}


def nearest_one(table: pd.DataFrame, column: str) -> pd.DataFrame:
    """The rows whose value in `column` (an alpha, an lr) is nearest 1 in logarithm."""
    distance = np.abs(np.log(table[column]))
    return table[table[column] == table[column].iloc[distance.argmin()]]


def alike(features: pd.DataFrame) -> pd.DataFrame:
    """Each measure's mean over hidden layers: a row a run, seed and step.

    Correlations are multiplied by shared / alive: a unit that only the dense network has counts as 0.
    """
    hidden = features[features["layer"] < features["layer"].max()]
    covered = hidden["shared"] / (hidden["units"] - hidden["dead_dense"])
    matched = ("correlation", "assigned_correlation")
    both = {name: (hidden[name] * covered).where(hidden["shared"] > 0, 0.0) for name in matched}
    hidden = hidden.assign(**both)
    keys = ["alpha", "lr", "criterion", "rewind", "round", "density", "seed", "step"]
    # A layer without a value leaves none for the network.
    return hidden.groupby(keys)[list(MEASURES)].agg(lambda column: column.mean(skipna=False)).reset_index()
