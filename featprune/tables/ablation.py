"""What a criterion brings: pruned networks of every kind beside lottery tickets at the same density, seed by seed."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from featprune.runs.paths import DENSE, TICKET
from featprune.tables.frames import of_kind
from featprune.tables.intervals import paired_difference
from featprune.tables.reading import read_frame

KIND = ["criterion", "rewind"]
PAIR = ["alpha", "round", "seed"]
COLUMNS = ["experiment", "alpha", *KIND, "round", "density"]


def build_ablation(tuned: str, decide_at: Sequence[int]) -> dict[str, pd.DataFrame]:
    """The table `ablation`, from `tuned`."""
    return {"ablation.parquet": ablation(read_frame(tuned), decide_at)}


def ablation(tuned: pd.DataFrame, decide_at: Sequence[int]) -> pd.DataFrame:
    """Test accuracy minus the tickets' of the same experiment, a row a kind of pruned run, alpha and deciding round.

    With what `paired_difference` says of it; each side is at the rate chosen for it on validation.
    """
    pruned = tuned[(tuned["criterion"] != DENSE.criterion) & tuned["round"].isin(decide_at)]
    tickets = of_kind(pruned, TICKET)[[*PAIR, "test_accuracy"]]
    pairs = pruned.merge(tickets, on=PAIR, suffixes=("", "_ticket"), validate="many_to_one")
    pairs = pairs.assign(gain=pairs["test_accuracy"] - pairs["test_accuracy_ticket"]).dropna(subset="gain")
    others = pairs[~pairs.index.isin(of_kind(pairs, TICKET).index)]
    rows = [
        dict(zip(COLUMNS, place, strict=True)) | paired_difference(mine["gain"])
        for place, mine in others.groupby(COLUMNS)
    ]
    return pd.DataFrame(rows, columns=[*COLUMNS, "n_seeds", "difference", "ci_low", "ci_high", "p_value"])
