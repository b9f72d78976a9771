"""The headline: ours, feature-aware pruning or the right alpha, beats the baseline."""

from __future__ import annotations

from collections.abc import Iterator
from typing import cast

import pandas as pd

from featprune.claims.inference import Evidence, Sample, fewest, seeds_needed
from featprune.claims.row import Finding, Row
from featprune.claims.rules import Rules
from featprune.claims.verdicts import HEADLINE
from featprune.tables.headline import PLACE, kind_of_ours, paired


def beats_baseline(headline: pd.DataFrame, rules: Rules) -> Iterator[Finding]:
    """Whether ours minus the baseline is positive, for each comparison and density of the table `headline`."""
    kind = kind_of_ours(headline)
    for place, pairs in paired(headline).groupby(PLACE):
        comparison, round, density = cast(tuple[str, int, float], place)
        sample = Sample.of(pairs["gain"], pairs["same"])
        row = Row(claim=HEADLINE, statistic=comparison, round=round, density=density, **kind._asdict())
        yield row.found(
            sample.mean,
            sample.interval(rules.two_sided),
            gain(sample, rules),
            decides=comparison == "gain" and round in rules.decide_at,
            n_seeds=sample.n,
            confidence=rules.two_sided,
            null_estimate=0.0,
        )


def gain(sample: Sample, rules: Rules) -> Evidence:
    """Holds where a gain is shown, fails where one worth the name is excluded; both by two-sided tests."""
    margin = rules.margins.accuracy

    def seeds(level: float) -> int | None:
        distances = sample.mean, margin - sample.mean
        return fewest(seeds_needed([d], sample.deviation, level / 2, rules.power) for d in distances)

    return Evidence(min(2 * sample.p_above(0), 1.0), min(2 * sample.p_below(margin), 1.0), seeds)
