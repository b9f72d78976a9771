"""What tables, claims and figures share: the axes of a frame of runs, and selections and means of its rows."""

from __future__ import annotations

import numpy as np
import pandas as pd

from featprune.runs.paths import Kind

AXES = ["alpha", "lr", "criterion", "rewind", "round"]  # of the sweep of one experiment
RUN = ["experiment", *AXES, "seed"]
TIE = 1e-12  # a deviation over seeds that is rounding: coarse numbers tie, which says nothing of their spread

# Measures of features -> whether more is more alike. The first decides.
MEASURES = {
    "correlation": 1,
    "assigned_correlation": 1,
    "change_correlation": 1,
    "cka": 1,
    "frobenius": -1,
    "kernel_alignment": 1,
}


def of_kind(runs: pd.DataFrame, *kinds: Kind) -> pd.DataFrame:
    """The rows of runs of these kinds."""
    return runs[np.array([pair in kinds for pair in zip(runs["criterion"], runs["rewind"], strict=True)], bool)]


def nearest_one(table: pd.DataFrame, column: str) -> pd.DataFrame:
    """The rows whose value in `column` (an alpha, an lr) is nearest 1 in logarithm: of an lr, for each alpha and
    kind, as these may have rates of their own."""

    def nearest(values: pd.Series) -> float:
        return values.iloc[np.abs(np.log(values)).argmin()]

    value = (
        table.groupby(["alpha", "criterion", "rewind"])["lr"].transform(nearest)
        if column == "lr"
        else nearest(table[column])
    )
    return table[table[column] == value]


def alike(features: pd.DataFrame) -> pd.DataFrame:
    """Each measure's mean over hidden layers: a row a run, seed and step.

    Correlations of H are multiplied by the share of the dense network's live units that has a partner: a unit that
    only the dense network has counts as 0. A network that diverged has no value.
    """
    hidden = features[features["layer"] < features["layer"].max()]
    alive, alive_dense = (hidden["units"] - hidden[side] for side in ("dead", "dead_dense"))
    partners = {"correlation": hidden["shared"], "assigned_correlation": np.minimum(alive, alive_dense)}
    sound = hidden["frobenius"].notna()
    covered = {
        name: (hidden[name] * count / alive_dense).where(hidden["shared"] > 0, 0.0).where(sound)
        for name, count in partners.items()
    }
    hidden = hidden.assign(**covered)
    keys = [*AXES, "density", "seed", "step"]
    # A layer without a value leaves none for the network.
    return hidden.groupby(keys)[list(MEASURES)].agg(lambda column: column.mean(skipna=False)).reset_index()
