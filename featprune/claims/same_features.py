"""Claim 2: a pruned network has the dense network's features at the end."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping

import numpy as np
import pandas as pd

from featprune.claims.inference import Evidence, Sample, above, ratio_interval
from featprune.claims.row import Finding, rows_of_cells
from featprune.claims.rules import Rules
from featprune.claims.verdicts import CLAIM_2, CLAIM_3
from featprune.runs.paths import DENSE, REINITIALIZED, REORDERED, Kind
from featprune.tables.frames import CHANGE, MEASURES, of_kind

POINT = ["alpha", "lr", "seed"]
# The dense run that is compared with, by its rewind -> the dense run that differs from it in the data order alone. The
# parent, of which a pruned network's mask was made and whose data order it has, is no independent witness.
CEILINGS = {REORDERED.rewind: DENSE, DENSE.rewind: REORDERED}
DECIDING = {CLAIM_2: "correlation", CLAIM_3: CHANGE}


def same_features(similarities: pd.DataFrame, trained: Collection[Kind], rules: Rules) -> Iterator[Finding]:
    """Whether features at the last step are as alike as two dense networks' are, from `alike`.

    trained: the strategies whose runs start from values with training behind them.
    """
    last = similarities[similarities["step"] == similarities["step"].max()]
    measures = {name: name for name in MEASURES}
    yield from as_alike_as_ceiling(last, CLAIM_2, REORDERED.rewind, measures, trained, rules)
    yield from as_alike_as_ceiling(last, CLAIM_2, DENSE.rewind, {"parent_correlation": "correlation"}, trained, rules)


def as_alike_as_ceiling(
    values: pd.DataFrame,
    claim: str,
    target: str,
    measures: Mapping[str, str],
    trained: Collection[Kind],
    rules: Rules,
) -> Iterator[Finding]:
    """Whether value - null is above a share of ceiling - null, all against the same dense run; `scaled` has the rule.

    values: measures, a row a run, seed and target. measures: statistic -> measure.
    """
    values = values[values["target"] == target]
    null, ceiling = (of_kind(values, kind).set_index(POINT) for kind in (REINITIALIZED, CEILINGS[target]))
    pruned = values[values["criterion"] != DENSE.criterion]
    for row, mine in rows_of_cells(pruned, claim, rules.one_sided):
        index = pd.MultiIndex.from_frame(mine[POINT])
        for statistic, measure in measures.items():
            # What changed since a trained start is no part of what changed since the beginning.
            if measure == CHANGE and (row.criterion, row.rewind) in trained:
                continue
            sides = np.stack([mine[measure], *(side[measure].reindex(index) for side in (null, ceiling))])
            value, low, high = sides[:, np.isfinite(sides).all(axis=0)]
            way, whole = MEASURES[measure] * (value - low), MEASURES[measure] * (high - low)
            yield row.found(
                way.mean() / whole.mean() if whole.any() else np.nan,
                ratio_interval(way, whole, rules.one_sided),
                scaled(way, whole, rules),
                statistic=statistic,
                decides=statistic == DECIDING[claim] and row.may_decide(rules),
                n_seeds=len(value),
                null_estimate=Sample.of(low).mean,
                ceiling_estimate=Sample.of(high).mean,
                raw_estimate=Sample.of(value).mean,
            )


def scaled(way: np.ndarray, whole: np.ndarray, rules: Rules) -> Evidence:
    """On "way is more than a share of whole", (n,) each, of a whole that is shown to be positive.

    The share is 1 minus the margin. Both tests have to succeed, so the larger p value counts; the first is of the
    contrast way - share whole, as a ratio seed by seed would be biased by a noisy whole.
    """
    contrast = above(Sample.of(way - (1 - rules.margins.features) * whole), 0, rules.power)
    apart = Sample.of(whole).p_above(0)
    return Evidence(
        max(contrast.p_holds, apart),
        max(contrast.p_fails, apart),
        contrast.seeds if apart < rules.level else lambda level: None,
    )
