"""Claim 1: a pruned network is at least as good as the dense one."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd

from featprune.claims.inference import Sample, above, within
from featprune.claims.row import Finding, rows_of_cells
from featprune.claims.rules import Rules
from featprune.claims.verdicts import CLAIM_1
from featprune.runs.paths import DENSE, LONGER, REDRAWN
from featprune.tables.frames import of_kind

# Suffix of a statistic -> the dense networks that pruned ones are compared with, and what is shared with them.
AGAINST = {
    "": (DENSE, ["alpha", "seed"]),
    "_matched": (LONGER, ["alpha", "total_steps", "seed"]),
}


def performance(runs: pd.DataFrame) -> pd.Series:
    """Test accuracy, or for regression minus the logarithm of the test error: more is better; NaN if diverged."""
    return runs["test_accuracy"] if runs["test_accuracy"].notna().any() else -np.log(runs["test_loss"])


def same_error(tuned: pd.DataFrame, rules: Rules) -> Iterator[Finding]:
    """Whether pruned minus dense is above minus the margin, seed by seed, both at the rate chosen on validation.

    Besides, whether it is within the margin, and whether it is above 0; and all of them against dense networks trained
    as many steps in all.
    """
    accuracy = tuned["test_accuracy"].notna().any()
    margin = rules.margins.accuracy if accuracy else float(np.log(rules.margins.loss))
    tuned = tuned.assign(performance=performance(tuned))
    pruned = tuned[tuned["criterion"] != DENSE.criterion]
    for suffix, (kind, shared) in AGAINST.items():
        dense = of_kind(tuned, kind).set_index(shared)[["performance", "test_loss"]]
        theirs = dense.reindex(pd.MultiIndex.from_frame(pruned[shared])).set_axis(pruned.index)
        # Other networks may tie in accuracy, but hardly to the last bit in loss.
        compared = pruned.assign(
            difference=pruned["performance"] - theirs["performance"],
            same=pruned["test_loss"] == theirs["test_loss"],
        )
        nulls = of_kind(compared, REDRAWN).groupby(["alpha", "round"])["difference"].mean()
        for row, runs in rows_of_cells(compared, CLAIM_1, rules.one_sided):
            if kind != DENSE and runs["difference"].isna().all():
                continue
            sample = Sample.of(runs["difference"], runs["same"])
            questions = {
                "at_least_as_good": above(sample, -margin, rules.power),
                "as_good": within(sample, margin, rules.power),
                "better": above(sample, 0, rules.power),
            }
            for question, evidence in questions.items():
                yield row.found(
                    sample.mean,
                    sample.interval(rules.one_sided),
                    evidence,
                    statistic=question + suffix,
                    decides=question + suffix == "at_least_as_good" and row.may_decide(rules),
                    n_seeds=sample.n,
                    null_estimate=nulls.get((row.alpha, row.round), np.nan),
                )
