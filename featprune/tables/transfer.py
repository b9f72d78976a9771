"""Tickets trained at other alphas than the one that their masks were found at."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from featprune.runs.paths import TICKET, Kind
from featprune.tables.frames import AXES, of_kind
from featprune.tables.reading import read_frame
from featprune.tables.tuning import tune

BORROWED = Kind("ticket", "init")  # another experiment's ticket, trained from its initial values


def build_transfer(
    own: str, others: Sequence[str], mask_alphas: Mapping[str, float], selections: Mapping[str, Mapping[str, Any]]
) -> dict[str, pd.DataFrame]:
    """The table `transfer`, from the summaries of the experiment and of those that train its tickets."""
    borrowers = pd.concat([read_frame(file) for file in others], ignore_index=True)
    return {"transfer.parquet": transfer(read_frame(own), borrowers, mask_alphas, selections)}


def transfer(
    own: pd.DataFrame,
    others: pd.DataFrame,
    mask_alphas: Mapping[str, float],
    selections: Mapping[str, Mapping[str, Any]],
) -> pd.DataFrame:
    """Tickets at the alpha of their training and at that of their mask (`mask_alpha`), tuned over lr.

    own: the summary of the experiment whose tickets they are, which gives the diagonal. others: the summaries of the
    experiments that train them at each alpha, with the alpha of each one's masks in `mask_alphas`. selections: keywords
    of `tune` for each experiment; unless rates are frozen, tickets on the diagonal choose among the others' rates.
    """
    name = own["experiment"].iloc[0]
    borrowed = of_kind(others, BORROWED)
    borrowed = borrowed.assign(mask_alpha=borrowed["experiment"].map(mask_alphas))
    tickets = of_kind(own, TICKET)
    for axis in ("alpha", "round", *(["lr"] if selections[name]["rates"] is None else [])):
        tickets = tickets[tickets[axis].isin(borrowed[axis].unique())]
    runs = [(name, tickets.assign(mask_alpha=tickets["alpha"])), *borrowed.groupby("experiment")]
    table = pd.concat([tune(mine, ["lr"], **selections[experiment]) for experiment, mine in runs])
    # A ticket that went round by another experiment and came back to its own alpha is the same run again.
    table = table.drop_duplicates(["mask_alpha", "alpha", "round", "seed"])
    table = table.sort_values(["mask_alpha", *AXES, "seed"], ignore_index=True).assign(experiment=name)
    metrics = ["test_accuracy", "validation_accuracy", "test_loss", "validation_loss"]
    return table[["experiment", "mask_alpha", "alpha", "lr", "round", "density", "seed", *metrics]]
