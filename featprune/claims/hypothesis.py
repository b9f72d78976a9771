"""The hypothesis: alpha acts alike at all densities on tickets, uniformly, and less so on other strategies, messily."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from scipy.stats import norm

from featprune.claims.decomposition import Decomposition, decompose
from featprune.claims.inference import MOST_SEEDS, Estimate, Evidence, level_reached
from featprune.claims.row import Finding, Row
from featprune.claims.rules import Rules
from featprune.claims.same_error import performance
from featprune.claims.verdicts import HYPOTHESIS
from featprune.runs.paths import DENSE, TICKET, Kind
from featprune.tables.frames import TIE, not_linearized, of_kind


@dataclass(frozen=True)
class Question:
    """size: of decompositions, the statistic; holds and fails: of a level and decompositions, whether it is shown."""

    size: Callable[..., Estimate]
    holds: Callable[..., bool]
    fails: Callable[..., bool] = lambda level, *parts: False


def questions(margin: float) -> dict[str, Question]:
    """Statistic -> the question of a strategy; alpha acts uniformly if it acts, and hardly depends on density."""
    return {
        "alpha_effect": Question(lambda d: d.alpha.root, lambda level, d: d.alpha.p < level),
        "interaction_effect": Question(lambda d: d.interaction.root, lambda level, d: d.interaction.p < level),
        "interaction": Question(
            lambda d: d.share,
            lambda level, d: d.alpha.p < level and d.share.high(level) < margin,
            lambda level, d: d.share.low(level) > margin,
        ),
    }


def more(size: Callable[[Decomposition], Estimate]) -> Question:
    """Whether something is larger for one strategy than for another."""
    return Question(
        lambda one, other: size(one).minus(size(other)),
        lambda level, one, other: size(one).minus(size(other)).low(level) > 0,
        lambda level, one, other: size(one).minus(size(other)).high(level) < 0,
    )


COMPARED = {"messier": more(lambda d: d.share), "messier_points": more(lambda d: d.interaction.root)}  # with tickets


def hypothesis(tuned: pd.DataFrame, rules: Rules) -> Iterator[Finding]:
    """What alpha does, how much of it depends on density, for each strategy, and how much more than for tickets.

    Densities are those of the rounds that decide; linearized networks, of which not all strategies are run, are no
    alpha. Undecided with one seed, or where seeds tie.
    """
    tuned = not_linearized(tuned)
    pruned = tuned[(tuned["criterion"] != DENSE.criterion) & tuned["round"].isin(rules.decide_at)]
    pruned = pruned.assign(performance=performance(pruned))
    kinds = sorted({Kind(*pair) for pair in zip(pruned["criterion"], pruned["rewind"], strict=True)})
    tables = {kind: complete(of_kind(pruned, kind)) for kind in kinds}
    tables = {kind: table for kind, table in tables.items() if len(table) and min(shape(table)) > 1}
    for kind, table in tables.items():
        row = Row(claim=HYPOTHESIS, confidence=rules.one_sided, **kind._asdict())
        for statistic, question in questions(rules.margins.interaction).items():
            decides = statistic == "interaction" and kind == TICKET
            yield told(replace(row, statistic=statistic, decides=decides), question, [cube(table)], rules)
        if kind == TICKET or TICKET not in tables or not table.columns.equals(tables[TICKET].columns):
            continue
        both = table.index.intersection(tables[TICKET].index)
        sides = [cube(side.loc[both]) for side in (table, tables[TICKET])]
        for statistic, question in COMPARED.items():
            new = replace(row, statistic=statistic, decides=statistic == "messier", null_estimate=0.0)
            yield told(new, question, sides, rules)


def told(row: Row, question: Question, sides: Sequence[np.ndarray], rules: Rules) -> Finding:
    """The row with what these values (alphas, densities, seeds) say."""
    n = min(values.shape[2] for values in sides)
    row = replace(row, n_seeds=n)
    if n < 2:
        return row.found(np.nan, (np.nan, np.nan), Evidence())
    parts = [decompose(values) for values in sides]
    estimate = question.size(*parts)
    if any(tied(values) for values in sides):
        return row.found(estimate.value, (np.nan, np.nan), Evidence())
    return row.found(
        estimate.value,
        (estimate.low(rules.level), estimate.high(rules.level)),
        Evidence(
            level_reached(lambda level: question.holds(level, *parts)),
            level_reached(lambda level: question.fails(level, *parts)),
            lambda level: seeds_for(question, parts, n, level, rules.power),
        ),
    )


def seeds_for(question: Question, parts: Sequence[Decomposition], n: int, level: float, power: float) -> int | None:
    """Seeds of which it is expected that they go beyond the level by as much as the power takes, were all normal."""
    strict = float(norm.sf(norm.isf(level) + norm.ppf(power)))

    def enough(seeds: int) -> bool:
        expected = [part.at(seeds / n) for part in parts]
        return question.holds(strict, *expected) or question.fails(strict, *expected)

    numbers = range(2, MOST_SEEDS + 1)
    first = bisect_left(numbers, True, key=enough)
    return numbers[first] if first < len(numbers) else None


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
