"""Claim 2: a pruned network has the dense network's features at the end."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd

from featprune.claims.inference import mean_interval, seeds_for_threshold
from featprune.claims.row import Row, rows_of_cells
from featprune.claims.rules import Rules
from featprune.claims.verdicts import CLAIM_2, UNDECIDED
from featprune.runs.paths import DENSE, REINITIALIZED, REORDERED
from featprune.tables.frames import MEASURES, of_kind

POINT = ["alpha", "lr", "seed"]


def same_features(similarities: pd.DataFrame, rules: Rules) -> Iterator[Row]:
    """Whether features at the last step are as alike as two dense networks' are, from `alike`."""
    last = similarities[similarities["step"] == similarities["step"].max()]
    return as_alike_as_ceiling(last, CLAIM_2, rules)


def as_alike_as_ceiling(values: pd.DataFrame, claim: str, rules: Rules) -> Iterator[Row]:
    """Whether (value - null) / (ceiling - null) is above the margin, for every measure, seed by seed.

    values: every measure, a row a run and seed, of pruned runs and both references. Undecided where ceiling and null
    themselves aren't told apart.
    """
    null, ceiling = (of_kind(values, kind).set_index(POINT) for kind in (REINITIALIZED, REORDERED))
    threshold = 1 - rules.margins.features
    pruned = values[values["criterion"] != DENSE.criterion]
    for row, mine in rows_of_cells(pruned, claim, rules.one_sided):
        index = pd.MultiIndex.from_frame(mine[POINT])
        for measure, sign in MEASURES.items():
            sides = np.stack([mine[measure], *(side[measure].reindex(index) for side in (null, ceiling))])
            value, low, high = sides[:, np.isfinite(sides).all(axis=0)]
            with np.errstate(invalid="ignore", divide="ignore"):
                interval = mean_interval((value - low) / (high - low), rules.one_sided)
            apart = mean_interval(sign * (high - low), rules.one_sided).low > 0
            yield row.judged(
                interval,
                interval.within(threshold, np.inf) if apart else UNDECIDED,
                statistic=measure,
                decides=measure == next(iter(MEASURES)),
                null_estimate=mean(low),
                ceiling_estimate=mean(high),
                raw_estimate=mean(value),
                seeds_needed=seeds_for_threshold(interval, threshold, rules) if apart else None,
            )


def mean(values: np.ndarray) -> float:
    """NaN of no values."""
    return float(np.mean(values)) if len(values) else np.nan
