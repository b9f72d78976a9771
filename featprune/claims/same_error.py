"""Claim 1: a pruned network has the dense network's test error."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd

from featprune.claims.inference import mean_interval, seeds_for_equivalence, seeds_for_threshold
from featprune.claims.row import Row, rows_of_cells
from featprune.claims.rules import Rules
from featprune.claims.verdicts import CLAIM_1
from featprune.runs.paths import DENSE, LONGER, TICKET, Kind
from featprune.tables.frames import of_kind

REDRAWN = Kind(TICKET.criterion, "random")  # tickets' masks, but another initialization: the null
# Statistic -> the dense networks that pruned ones are compared with, and what is shared with them.
AGAINST = {
    "test_error": (DENSE, ["alpha", "seed"]),
    "test_error_matched": (LONGER, ["alpha", "total_steps", "seed"]),
}


def performance(runs: pd.DataFrame) -> pd.Series:
    """Test accuracy, or for regression minus the logarithm of the test error: more is better; NaN if diverged."""
    return runs["test_accuracy"] if runs["test_accuracy"].notna().any() else -np.log(runs["test_loss"])


def same_error(tuned: pd.DataFrame, rules: Rules) -> Iterator[Row]:
    """Whether pruned minus dense is within the margin, seed by seed, both at the rate chosen on validation.

    Besides, whether it isn't worse, and the same against dense networks trained as many steps in all.
    """
    accuracy = tuned["test_accuracy"].notna().any()
    margin = rules.margins.accuracy if accuracy else float(np.log(rules.margins.loss))
    tuned = tuned.assign(performance=performance(tuned))
    pruned = tuned[tuned["criterion"] != DENSE.criterion]
    for statistic, (kind, shared) in AGAINST.items():
        dense = of_kind(tuned, kind).set_index(shared)[["performance", "test_loss"]]
        theirs = dense.reindex(pd.MultiIndex.from_frame(pruned[shared])).set_axis(pruned.index)
        # Other networks may tie in accuracy, but hardly to the last bit in loss.
        compared = pruned.assign(
            difference=pruned["performance"] - theirs["performance"],
            same=pruned["test_loss"] == theirs["test_loss"],
        )
        nulls = of_kind(compared, REDRAWN).groupby(["alpha", "round"])["difference"].mean()
        for row, runs in rows_of_cells(compared, CLAIM_1, rules.one_sided):
            decides = kind == DENSE
            if not decides and runs["difference"].isna().all():
                continue
            interval = mean_interval(runs["difference"], rules.one_sided, runs["same"])
            null = nulls.get((row.alpha, row.round), np.nan)
            yield row.judged(
                interval,
                interval.within(-margin, margin),
                statistic=statistic,
                decides=decides,
                null_estimate=null,
                seeds_needed=seeds_for_equivalence(interval, margin, rules),
            )
            if decides:
                yield row.judged(
                    interval,
                    interval.within(-margin, np.inf),
                    statistic="not_worse",
                    null_estimate=null,
                    seeds_needed=seeds_for_threshold(interval, -margin, rules),
                )
