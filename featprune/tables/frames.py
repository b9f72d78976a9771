"""What tables, claims and figures share: the axes of a frame of runs, and selections and means of its rows."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from featprune.runs.paths import Kind

AXES = ["alpha", "lr", "criterion", "rewind", "round"]  # of the sweep of one experiment
RUN = ["experiment", *AXES, "seed"]
TIE = 1e-12  # a deviation over seeds that is rounding: coarse numbers tie, which says nothing of their spread

CHANGE = "change_correlation"
# Measures of features -> whether more is more alike.
MEASURES = {
    "correlation": 1,
    "assigned_correlation": 1,
    CHANGE: 1,
    "cka": 1,
    "frobenius": -1,
    "kernel_alignment": 1,
}


def of_kind(runs: pd.DataFrame, *kinds: Kind) -> pd.DataFrame:
    """The rows of runs of these kinds."""
    return runs[np.array([pair in kinds for pair in zip(runs["criterion"], runs["rewind"], strict=True)], bool)]


def not_linearized(table: pd.DataFrame) -> pd.DataFrame:
    """The rows of networks that train themselves, and not their linearization."""
    return table[~np.isinf(table["alpha"])]


def name_alpha(alpha: Any, before: str = "") -> str:
    """An alpha in words, behind the words before it; the alpha of linearized networks, inf, without."""
    return "linearized" if np.isinf(alpha) else f"{before}{alpha:g}"


def nearest_one(table: pd.DataFrame, column: str) -> pd.DataFrame:
    """The rows whose value in `column` (an alpha, an lr) is nearest 1 in logarithm: of an lr, for each alpha and (where
    the table tells them apart) kind, as these may have rates of their own."""

    def nearest(values: pd.Series) -> float:
        return values.iloc[np.abs(np.log(values)).argmin()]

    if column != "lr":
        return table[table[column] == nearest(table[column])]
    places = table.columns.intersection(["alpha", "criterion", "rewind"]).tolist()
    return table[table["lr"] == table.groupby(places)["lr"].transform(nearest)]


def hidden_layers(features: pd.DataFrame) -> pd.DataFrame:
    """The rows of hidden layers, with unit-matched correlations times the share of the target's units with a partner.

    So a unit that only the target has counts as 0, of changes one whose change only the target has. A network that
    diverged has no value.
    """
    hidden = features[features["layer"] < features["layer"].max()]
    alive, alive_target = (hidden["units"] - hidden[side] for side in ("dead", "dead_dense"))
    partners = {
        "correlation": (hidden["shared"], alive_target),
        "assigned_correlation": (np.minimum(alive, alive_target), alive_target),
        CHANGE: (hidden["change_shared"], hidden["change_alive"]),
    }
    sound = hidden["frobenius"].notna()
    covered = {
        name: (hidden[name] * count / of.where(of > 0)).mask((count == 0) & (of > 0), 0.0).where(sound)
        for name, (count, of) in partners.items()
    }
    return hidden.assign(**covered)


def alike(features: pd.DataFrame) -> pd.DataFrame:
    """Each measure's mean over hidden layers, see `hidden_layers`: a row a run, seed, target and step."""
    keys = [*AXES, "density", "target", "seed", "step"]
    # A layer without a value leaves none for the network.
    means = hidden_layers(features).groupby(keys)[list(MEASURES)].agg(pd.Series.mean, skipna=False)
    return means.reset_index()
