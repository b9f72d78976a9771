"""The headline: tickets at the right alpha beat the baseline."""

from __future__ import annotations

from collections.abc import Iterator

import pandas as pd
from scipy import stats
from statsmodels.stats.multitest import multipletests

from featprune.claims.inference import Interval, mean_interval, seeds_needed
from featprune.claims.row import Row
from featprune.claims.rules import Rules
from featprune.claims.verdicts import FAILS, HEADLINE, HOLDS, UNDECIDED
from featprune.runs.paths import TICKET
from featprune.tables.frames import TIE
from featprune.tables.headline import paired


def beats_baseline(headline: pd.DataFrame, rules: Rules) -> Iterator[Row]:
    """Whether ours minus the baseline is positive, for each comparison and density of the table `headline`.

    Corrected over densities (Holm 1979).
    """
    for comparison, pairs in paired(headline).groupby("comparison"):
        gains = {place: mine for place, mine in pairs.groupby(["round", "density"]) if len(mine) > 1}
        if not gains:
            continue
        adjusted = multipletests([p_value(mine["gain"]) for mine in gains.values()], rules.level, "holm")[1]
        for ((round, density), mine), p in zip(gains.items(), adjusted, strict=True):
            interval = mean_interval(mine["gain"], rules.two_sided, mine["same"])
            row = Row(claim=HEADLINE, statistic=str(comparison), decides=comparison == "gain", **TICKET._asdict())
            yield row.judged(
                interval,
                verdict(interval, p, rules),
                round=round,
                density=density,
                confidence=rules.two_sided,
                p_adjusted=p,
                null_estimate=0.0,
                seeds_needed=seeds_for_gain(interval, len(gains), rules),
            )


def p_value(differences: pd.Series) -> float:
    """Of the two-sided t test; 1 where all differences are the same, which has nothing to compare them with."""
    return stats.ttest_1samp(differences, 0).pvalue if differences.std() > TIE else 1.0


def verdict(interval: Interval, p: float, rules: Rules) -> str:
    """Holds where a gain is shown, fails where one worth the name is excluded."""
    if p < rules.level and interval.estimate > 0:
        return HOLDS
    return FAILS if interval.high < rules.margins.accuracy else UNDECIDED


def seeds_for_gain(interval: Interval, densities: int, rules: Rules) -> int | None:
    """Seeds for showing a gain at one of so many densities, or for excluding one worth the name: the fewer of both."""
    shown = interval.estimate, rules.level / densities
    excluded = rules.margins.accuracy - interval.estimate, rules.level
    needed = [
        seeds_needed([distance], interval.deviation, level, rules.power, "two-sided")
        for distance, level in (shown, excluded)
    ]
    return min(filter(None, needed), default=None)
