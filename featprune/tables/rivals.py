"""Ours against every baseline there is: the lottery tickets of several experiments at the same rounds, seed by seed."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd
from statsmodels.stats.multitest import multipletests

from featprune.runs.paths import TICKET, Kind
from featprune.tables.frames import not_linearized, of_kind
from featprune.tables.intervals import paired_difference
from featprune.tables.reading import read_frame

PLACE = ["experiment", "alpha", "rival", "rival_alpha", "round", "density"]
COLUMNS = [*PLACE, "n_seeds", "difference", "ci_low", "ci_high", "p_value", "hardest", "p_adjusted"]


def build_rivals(
    ours: str, rivals: Sequence[str], headline: Sequence[str], decide_at: Sequence[int]
) -> dict[str, pd.DataFrame]:
    """The table `rivals`, from the tables `tuned` of the experiment and of those with the rivals."""
    others = pd.concat([read_frame(rival) for rival in rivals], ignore_index=True)
    return {"rivals.parquet": against(read_frame(ours), others, Kind(*headline), decide_at)}


def against(ours: pd.DataFrame, others: pd.DataFrame, kind: Kind, decide_at: Sequence[int]) -> pd.DataFrame:
    """Test accuracy of our runs of a kind minus that of each experiment's lottery tickets, paired by seed.

    A row an alpha of ours, a rival (an experiment and an alpha) and a deciding round, with what `paired_difference`
    says. `density` is ours. `hardest`: the rival with the least difference in its round. To beat all of them is to beat
    that one (an intersection-union test, Berger 1982), so only its p is corrected, over the rounds of an alpha (Holm).
    """
    mine = of_kind(not_linearized(ours), kind)[["experiment", "alpha", "round", "seed", "density", "test_accuracy"]]
    theirs = of_kind(not_linearized(others), TICKET)[["experiment", "alpha", "round", "seed", "test_accuracy"]]
    theirs = theirs.rename(columns={"experiment": "rival", "alpha": "rival_alpha", "test_accuracy": "theirs"})
    pairs = mine[mine["round"].isin(decide_at)].merge(theirs, on=["round", "seed"])
    pairs = pairs.assign(gain=pairs["test_accuracy"] - pairs["theirs"]).dropna(subset="gain")
    rows = [
        dict(zip(PLACE, place, strict=True)) | paired_difference(each["gain"]) for place, each in pairs.groupby(PLACE)
    ]
    table = pd.DataFrame(rows, columns=COLUMNS)
    table["hardest"] = table.index.isin(table.groupby(["alpha", "round"])["difference"].idxmin())
    for _, told in table[table["hardest"] & table["p_value"].notna()].groupby("alpha"):
        table.loc[told.index, "p_adjusted"] = multipletests(told["p_value"], method="holm")[1]
    return table.astype({"p_adjusted": "float64", "hardest": "bool"})
