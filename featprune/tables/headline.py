"""The headline: our winning tickets beside the baseline's, each side tuned on validation, and what is alpha's own."""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy import stats

from featprune.runs.paths import DENSE, TICKET
from featprune.tables.frames import TIE, nearest_one, of_kind
from featprune.tables.reading import read_frame
from featprune.tables.tuning import tune

PLACE = ["comparison", "round", "density"]


def build_headline(ours: str, baseline: str) -> dict[str, pd.DataFrame]:
    """The tables `headline` and `headline_difference`, from the summaries of both experiments."""
    table = headline(read_frame(ours), read_frame(baseline))
    return {"headline.parquet": table, "headline_difference.parquet": headline_difference(table)}


def headline(ours: pd.DataFrame, baseline: pd.DataFrame) -> pd.DataFrame:
    """Dense networks and tickets of both sides of every comparison, each at what is best for it on validation.

    Ours chooses alpha and lr at every round, the side "baseline" its lr. In the comparison `gain` both have all they
    tried, in `gain_common_lrs` the rates that both tried, in `gain_fixed_lr` the one of these that is nearest 1; in
    `alpha_effect` the side "baseline" is ours too, at the alpha nearest 1.
    """
    common = sorted(set(ours["lr"]) & set(baseline["lr"]))
    sides = {"gain": (ours, baseline)}
    if common:
        here, there = (side[side["lr"].isin(common)] for side in (ours, baseline))
        sides["gain_common_lrs"] = here, there
        sides["gain_fixed_lr"] = nearest_one(here, "lr"), nearest_one(there, "lr")
        sides["alpha_effect"] = here, nearest_one(here, "alpha")
    tuned = []
    for comparison, (mine, theirs) in sides.items():
        for side, runs, over in (("baseline", theirs, ["lr"]), ("ours", mine, ["alpha", "lr"])):
            tuned.append(tune(of_kind(runs, DENSE, TICKET), over).assign(comparison=comparison, side=side))
    columns = ["comparison", "side", "round", "density", "seed", "alpha", "lr"]
    return pd.concat(tuned, ignore_index=True)[[*columns, "validation_accuracy", "test_accuracy", "test_loss"]]


def paired(headline: pd.DataFrame) -> pd.DataFrame:
    """A row a comparison, round and seed that both sides have.

    Columns: those of PLACE, seed, gain (ours minus baseline in test accuracy), and same, whether both sides are one
    network: then their test losses are equal to the last bit.
    """
    mine, theirs = (headline[headline["side"] == side] for side in ("ours", "baseline"))
    pairs = mine.merge(theirs, on=[*PLACE, "seed"], suffixes=("", "_baseline"), validate="one_to_one")
    pairs["gain"] = pairs["test_accuracy"] - pairs["test_accuracy_baseline"]
    pairs["same"] = pairs["test_loss"] == pairs["test_loss_baseline"]
    return pairs.loc[pairs["gain"].notna(), [*PLACE, "seed", "gain", "same"]]


def headline_difference(headline: pd.DataFrame) -> pd.DataFrame:
    """Ours minus baseline in test accuracy, paired by seed: mean, 95 % Student-t interval, p of the paired t test.

    A row a comparison and round that both sides have; nulls where fewer than two seeds have both, or all tie.
    """
    rows = []
    for place, pairs in paired(headline).groupby(PLACE):
        gain = pairs["gain"]
        row = dict(zip(PLACE, place, strict=True)) | {"n_seeds": len(gain), "difference": gain.mean()}
        row["ci_low"] = row["ci_high"] = row["p_value"] = np.nan
        if len(gain) > 1 and gain.std() > TIE:
            test = stats.ttest_1samp(gain, 0)
            row["p_value"] = test.pvalue
            row["ci_low"], row["ci_high"] = test.confidence_interval(0.95)
        rows.append(row)
    types = {"round": "int32", "n_seeds": "int32"}
    columns = [*PLACE, "n_seeds", "difference", "ci_low", "ci_high", "p_value"]
    return pd.DataFrame(rows, columns=columns).astype(types)
