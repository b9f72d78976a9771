"""The headline: our pruned networks beside the baseline's, each side tuned on validation, at equal or fewer stored
weights; and what is alpha's own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pandas as pd

from featprune.runs.paths import DENSE, TICKET, Kind
from featprune.tables.frames import nearest_one, not_linearized, of_kind
from featprune.tables.intervals import paired_difference
from featprune.tables.reading import read_frame
from featprune.tables.tuning import tune

PLACE = ["comparison", "round", "density"]
ROUNDING = 1e-3  # of the stored weights: what rounding the layers' counts may add, as to half of an odd number
METRICS = ["validation_accuracy", "test_accuracy", "test_loss"]
COLUMNS = ["comparison", "side", "criterion", "rewind", "round", "density", "stored", "seed", "alpha", "lr", *METRICS]


@dataclass(frozen=True)
class Side:
    """What a side's summary doesn't say.

    kind: of its runs that takes part, beside the dense one. center: whether its f is centered. selection: how it
    chooses, keywords of `tune`.
    """

    kind: Sequence[str] = TICKET
    center: bool = False
    selection: Mapping[str, Any] = field(default_factory=dict)


PLAIN = Side()


def build_headline(ours: str, baseline: str, sides: Mapping[str, Mapping[str, Any]]) -> dict[str, pd.DataFrame]:
    """The tables `headline` and `headline_difference`, from the summaries of both experiments.

    sides: of "ours" and "baseline", the fields of Side.
    """
    table = headline(read_frame(ours), read_frame(baseline), Side(**sides["ours"]), Side(**sides["baseline"]))
    return {"headline.parquet": table, "headline_difference.parquet": headline_difference(table)}


def headline(ours: pd.DataFrame, baseline: pd.DataFrame, we: Side = PLAIN, they: Side = PLAIN) -> pd.DataFrame:
    """Dense networks and those of the side's kind, of every comparison, each at what is best for it on validation.

    Ours chooses alpha and lr at every round, the side "baseline" its lr; no linearized network takes part. In the
    comparison `gain` both have all they tried, in `gain_common_lrs` the rates that both tried, in `gain_fixed_lr` the
    one of these that is nearest 1; in `alpha_effect` the side "baseline" is ours too, at the alpha nearest 1. Where
    rates are frozen, no grid of them is shared: there are `gain` and `alpha_effect`, at these rates.

    stored: the weights remaining, twice for a centered f, which needs m * theta_ref besides. Each round of the side
    "baseline" stands beside our densest one that stores no more, and `round` and `density` are the baseline's on both
    sides; rounds without such a partner are left out.
    """
    ours, baseline = of_kind(not_linearized(ours), DENSE, Kind(*we.kind)), of_kind(baseline, DENSE, Kind(*they.kind))
    ours = ours.assign(stored=ours["weights_remaining"] * (1 + we.center))
    baseline = baseline.assign(stored=baseline["weights_remaining"] * (1 + they.center))
    frozen = we.selection.get("rates") or they.selection.get("rates")
    common = set(ours["lr"]) if frozen else set(ours["lr"]) & set(baseline["lr"])
    here, there = (runs[runs["lr"].isin(common)] for runs in (ours, baseline))
    pairs = {"gain": (ours, baseline, they)}
    if common and not frozen:
        pairs["gain_common_lrs"] = here, there, they
        pairs["gain_fixed_lr"] = nearest_one(here, "lr"), nearest_one(there, "lr"), they
    if common:
        pairs["alpha_effect"] = here, nearest_one(here, "alpha"), we
    tables = []
    for comparison, (mine, theirs, side) in pairs.items():
        chosen = tune(mine, ["alpha", "lr"], **we.selection), tune(theirs, ["lr"], **side.selection)
        for name, table in zip(("ours", "baseline"), matched(*chosen), strict=True):
            tables.append(table.assign(comparison=comparison, side=name))
    return pd.concat(tables, ignore_index=True)[COLUMNS]


def matched(ours: pd.DataFrame, baseline: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Ours at the places of the baseline, and the baseline: both at the rounds at which ours can store no more."""
    stored, limits = (runs.groupby("round")["stored"].max() for runs in (ours, baseline))
    limits = limits * (1 + ROUNDING)
    partners = {round: stored[stored <= limit].idxmax() for round, limit in limits.items() if stored.min() <= limit}
    baseline = baseline[baseline["round"].isin(partners)]
    places = baseline[["round", "density"]].drop_duplicates("round")
    places = places.assign(partner=places["round"].map(partners))
    ours = ours.rename(columns={"round": "partner"}).drop(columns="density").merge(places, on="partner")
    return ours, baseline


def kind_of_ours(headline: pd.DataFrame) -> Kind:
    """What is compared with the baseline."""
    ours = headline[(headline["side"] == "ours") & (headline["criterion"] != DENSE.criterion)]
    return Kind(*ours[["criterion", "rewind"]].iloc[0]) if len(ours) else TICKET


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
        rows.append(dict(zip(PLACE, place, strict=True)) | paired_difference(pairs["gain"]))
    types = {"round": "int32", "n_seeds": "int32"}
    columns = [*PLACE, "n_seeds", "difference", "ci_low", "ci_high", "p_value"]
    return pd.DataFrame(rows, columns=columns).astype(types)
