"""Claim 3: a pruned network learns the dense network's features all along training; besides, whether as fast."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator

import numpy as np
import pandas as pd

from featprune.claims.inference import Evidence, Sample, within
from featprune.claims.row import Finding, rows_of_cells
from featprune.claims.rules import Rules
from featprune.claims.same_features import as_alike_as_ceiling
from featprune.claims.verdicts import CLAIM_3
from featprune.runs.paths import DENSE, REINITIALIZED, REORDERED, Kind
from featprune.tables.frames import AXES, CHANGE, of_kind

RUN = [*AXES, "density", "target", "seed"]


def same_dynamics(hidden: pd.DataFrame, trained: Collection[Kind], rules: Rules) -> Iterator[Finding]:
    """Whether what has changed since the start is, over log time, as alike as in two dense networks.

    hidden: from `hidden_layers`. Besides, whether features themselves are. trained: as in `same_features`.
    """
    measures = {name: name for name in ("correlation", CHANGE)}
    return as_alike_as_ceiling(along_log_time(hidden), CLAIM_3, REORDERED.rewind, measures, trained, rules)


def along_log_time(hidden: pd.DataFrame) -> pd.DataFrame:
    """Means over log time from step 1 on (trapezoids), then over hidden layers: a row a run, seed and target.

    The correlation of changes is weighted by how far the target has moved in the layer: where it hasn't moved there is
    nothing to be alike to.
    """
    later = hidden[hidden["step"] >= 1].sort_values("step")
    spans = later.groupby([*RUN, "layer"])["step"].transform(lambda steps: spans_of(steps.to_numpy(float)))
    weights = {"correlation": spans, CHANGE: spans * later["movement"]}
    parts = {f"{name}_weight": weight for name, weight in weights.items()}
    parts |= {name: (later[name] * weight).where(weight != 0, 0.0) for name, weight in weights.items()}
    sums = later.assign(**parts).groupby([*RUN, "layer"])[list(parts)].agg(pd.Series.sum, skipna=False)
    layers = pd.DataFrame({name: sums[name] / sums[f"{name}_weight"] for name in weights})
    return layers.groupby(RUN).agg(pd.Series.mean, skipna=False).reset_index()


def spans_of(steps: np.ndarray) -> np.ndarray:
    """The weights of ascending steps in a mean over log time by trapezoids."""
    return np.convolve(np.diff(np.log(steps)), [0.5, 0.5]) if len(steps) > 1 else np.ones(1)


def related(findings: Iterable[Finding]) -> set[tuple]:
    """The places whose features along time are more like the dense network's than an unrelated network's are."""
    return {row.place for row, _ in findings if row.statistic == "correlation" and row.ci_low > 0}


def same_speed(shifts: pd.DataFrame, related: Collection[tuple], rules: Rules) -> Iterator[Finding]:
    """Besides: whether a run is ahead of the dense network by less than the margin, in factors of two of its time.

    Undecided outside the places `related`, as there is no shift between unrelated networks, and where a seed's shift is
    only a bound.
    """
    shifts = shifts[shifts["target"] == REORDERED.rewind]
    null, ceiling = (of_kind(shifts, kind).groupby(["alpha", "lr"])["shift"].mean() for kind in (REINITIALIZED, DENSE))
    pruned = shifts[shifts["criterion"] != DENSE.criterion]
    margin = float(np.log2(rules.margins.time))
    for row, mine in rows_of_cells(pruned, CLAIM_3, rules.one_sided):
        sample, bounds = Sample.of(mine["shift"]), int(mine["at_bound"].sum())
        known = row.place in related and not bounds
        yield row.found(
            sample.mean,
            (np.nan, np.nan) if bounds else sample.interval(rules.one_sided),
            within(sample, margin, rules.power) if known else Evidence(),
            statistic="time_shift",
            n_seeds=sample.n,
            n_at_bound=bounds,
            null_estimate=null.get((row.alpha, row.lr), np.nan),
            ceiling_estimate=ceiling.get((row.alpha, row.lr), np.nan),
        )
