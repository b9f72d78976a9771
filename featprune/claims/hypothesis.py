"""The hypothesis: alpha acts alike at all densities on tickets, uniformly, and less so on other strategies, messily."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
import pandas as pd

from featprune.claims.decomposition import decompose, rank_consistency
from featprune.claims.inference import MIN_BOOTSTRAP, Interval, bootstrap_interval, seeds_needed, unknown
from featprune.claims.row import Row
from featprune.claims.rules import Rules
from featprune.claims.same_error import performance
from featprune.claims.verdicts import HYPOTHESIS, UNDECIDED
from featprune.runs.paths import DENSE, TICKET, Kind
from featprune.tables.frames import TIE, of_kind


def hypothesis(tuned: pd.DataFrame, rules: Rules) -> Iterator[Row]:
    """How much of what alpha does depends on density, for each strategy, and how much more than for tickets."""
    pruned = tuned[tuned["criterion"] != DENSE.criterion]
    pruned = pruned.assign(performance=performance(pruned))
    kinds = sorted({Kind(*pair) for pair in zip(pruned["criterion"], pruned["rewind"], strict=True)})
    tables = {kind: complete(of_kind(pruned, kind)) for kind in kinds}
    tables = {kind: table for kind, table in tables.items() if len(table) and min(shape(table)) > 1}
    limit = rules.margins.interaction
    for kind, table in tables.items():
        row = Row(claim=HYPOTHESIS, confidence=rules.two_sided, **kind._asdict())
        values = cube(table)
        alphas, densities, _ = values.shape

        share = resampled(lambda v: decompose(v).interaction_of_alpha, rules, values)
        noise = decompose(values).noise_share
        yield tested(row, "interaction", share, -np.inf, limit, rules, decides=kind == TICKET, null=noise)
        total = resampled(lambda v: decompose(v).interaction_total, rules, values)
        yield tested(row, "interaction_total", total, -np.inf, limit, rules)
        ranks = resampled(lambda v: rank_consistency(v.mean(2)), rules, values)
        chance = 1 / densities if alphas > 2 else np.nan
        yield tested(row, "rank_consistency", ranks, 1 - limit, np.inf, rules, null=chance)

        if kind == TICKET or TICKET not in tables or not table.columns.equals(tables[TICKET].columns):
            continue
        both = table.index.intersection(tables[TICKET].index)
        difference = resampled(
            lambda other, ticket: decompose(other).interaction_of_alpha - decompose(ticket).interaction_of_alpha,
            rules,
            cube(table.loc[both]),
            cube(tables[TICKET].loc[both]),
        )
        yield tested(row, "messier", difference, 0, np.inf, rules, decides=True, null=0.0)


def tested(
    row: Row,
    statistic: str,
    interval: Interval,
    low: float,
    high: float,
    rules: Rules,
    decides: bool = False,
    null: float = np.nan,
) -> Row:
    """The row with the verdict on "the statistic is between low and high", undecided below MIN_BOOTSTRAP seeds."""
    distance = min(abs(interval.estimate - edge) for edge in (low, high) if np.isfinite(edge))
    needed = seeds_needed([distance], interval.deviation, rules.level, rules.power, "two-sided")
    return row.judged(
        interval,
        interval.within(low, high) if interval.n >= MIN_BOOTSTRAP else UNDECIDED,
        statistic=statistic,
        decides=decides,
        null_estimate=null,
        seeds_needed=needed and max(needed, MIN_BOOTSTRAP),
    )


def resampled(statistic: Callable[..., float], rules: Rules, *sides: np.ndarray) -> Interval:
    """A statistic of arrays (alphas, densities, seeds), with its interval from seeds resampled in all of them.

    Without one where seeds tie, as for `mean_interval`.
    """
    seeds = min(side.shape[2] for side in sides)
    if any(tied(side) for side in sides):
        return unknown(statistic(*sides), seeds)
    return bootstrap_interval(
        lambda index: statistic(*(side[..., index.astype(int)] for side in sides)),
        seeds,
        rules.two_sided,
        rules.resamples,
    )


def tied(values: np.ndarray) -> bool:
    """Whether values (alphas, densities, seeds) are the same for all seeds, up to a level of each seed's own."""
    return bool(np.ptp(values - values.mean(axis=(0, 1)), axis=2).max() < TIE)


def complete(runs: pd.DataFrame) -> pd.DataFrame:
    """Performance with a row a seed and a column a pair (alpha, round), without seeds of which any run diverged."""
    table = runs.pivot_table(index="seed", columns=["alpha", "round"], values="performance", dropna=False)
    return table.sort_index(axis=1).dropna()


def cube(table: pd.DataFrame) -> np.ndarray:
    """The same as an array (alphas, densities, seeds)."""
    return table.to_numpy().T.reshape(*shape(table), len(table))


def shape(table: pd.DataFrame) -> tuple[int, ...]:
    """The numbers of its alphas and densities."""
    return tuple(table.columns.get_level_values(level).nunique() for level in (0, 1))
