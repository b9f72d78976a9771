"""Claim 3: a pruned network learns the dense network's features all along training, and as fast."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator

import numpy as np
import pandas as pd
from scipy.integrate import trapezoid

from featprune.claims.inference import mean_interval, seeds_for_equivalence
from featprune.claims.row import Row, rows_of_cells
from featprune.claims.rules import Rules
from featprune.claims.same_features import as_alike_as_ceiling
from featprune.claims.verdicts import CLAIM_3, UNDECIDED
from featprune.runs.paths import DENSE, REINITIALIZED, REORDERED
from featprune.tables.frames import AXES, MEASURES, TIE, of_kind


def same_dynamics(similarities: pd.DataFrame, rules: Rules) -> Iterator[Row]:
    """Whether features over log time are as alike as two dense networks' are, from `alike`."""
    return as_alike_as_ceiling(along_log_time(similarities), CLAIM_3, rules)


def along_log_time(runs: pd.DataFrame) -> pd.DataFrame:
    """Means over log time from step 1 on: a row a run and seed."""
    keys = [*AXES, "density", "seed"]
    later = runs[runs["step"] >= 1].sort_values("step")

    def mean(run: pd.DataFrame) -> pd.Series:
        time = np.log(run["step"].to_numpy(float))
        if len(time) < 2:
            return run[list(MEASURES)].iloc[-1]
        return pd.Series({name: trapezoid(run[name], time) / np.ptp(time) for name in MEASURES})

    return pd.DataFrame([dict(zip(keys, key, strict=True)) | mean(run).to_dict() for key, run in later.groupby(keys)])


def related(rows: Iterable[Row]) -> set[tuple]:
    """The places whose features along time are more like the dense network's than an unrelated network's are."""
    return {row.place for row in rows if row.claim == CLAIM_3 and row.decides and row.ci_low > 0}


def same_speed(shifts: pd.DataFrame, related: Collection[tuple], rules: Rules) -> Iterator[Row]:
    """Besides: whether a run is ahead of the dense network by less than the margin, in factors of two of its time.

    Undecided outside the places `related`: there is no shift between unrelated networks.
    """
    margin = float(np.log2(rules.margins.time))
    null, ceiling = (
        of_kind(shifts, kind).groupby(["alpha", "lr"])["shift"].mean() for kind in (REINITIALIZED, REORDERED)
    )
    pruned = shifts[shifts["criterion"] != DENSE.criterion]
    for row, mine in rows_of_cells(pruned, CLAIM_3, rules.one_sided):
        # Shifts lie on a grid, where they tie; without any shift nothing but the same features is all alike.
        same = mine["correlation"] > 1 - TIE
        interval = mean_interval(mine["shift"], rules.one_sided, same)
        yield row.judged(
            interval,
            interval.within(-margin, margin) if row.place in related else UNDECIDED,
            statistic="time_shift",
            null_estimate=null.get((row.alpha, row.lr), np.nan),
            ceiling_estimate=ceiling.get((row.alpha, row.lr), np.nan),
            seeds_needed=seeds_for_equivalence(interval, margin, rules),
        )
