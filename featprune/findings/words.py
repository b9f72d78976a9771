"""Numbers, places and tables in words."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from featprune.claims.verdicts import FAILS, HOLDS, UNDECIDED
from featprune.figures.style import choose_method, percent
from featprune.tables.frames import name_alpha
from featprune.tables.intervals import student_t

NONE = "–"  # a number that there isn't


@dataclass(frozen=True)
class Unit:
    """How a statistic is written: times `scale`, or e to its power, with so many digits, and what it is counted in."""

    scale: float = 1.0
    digits: int = 2
    name: str = ""
    signed: bool = False
    exponential: bool = False

    def number(self, value: float) -> str:
        """The number alone; 0 has no sign."""
        if np.isnan(value):
            return NONE
        scaled = np.exp(self.scale * value) if self.exponential else self.scale * value
        if np.isinf(scaled):
            return "∞" if scaled > 0 else "-∞"
        text = f"{round(scaled, self.digits) + 0.0:,.{self.digits}f}"
        return f"+{text}" if self.signed and round(scaled, self.digits) > 0 else text

    def interval(self, value: float, low: float, high: float) -> str:
        """The number with its interval, if it has one: 0.12 [0.05, 0.19]; an end may be infinite."""
        if np.isnan([low, high]).any():
            return self.number(value)
        ends = sorted((low, high), key=lambda end: self.scale * end)
        return f"{self.number(value)} [{', '.join(map(self.number, ends))}]"

    def mean(self, values: pd.Series) -> str:
        """The mean over seeds with its 95 % Student-t interval; of values that there are."""
        sound = values.dropna()
        return self.interval(sound.mean(), *student_t(sound)) if len(sound) else NONE


POINTS = Unit(100, 2, "points", signed=True)  # of accuracy, from a fraction
SIZE = Unit(100, 2, "points")
PERCENT = Unit(100, 2, "%")
SHARE = Unit(1, 2)
ALIKE = Unit(1, 2, "shares of the way from null to ceiling")
STEPS = Unit(1, 0, "steps")
ERROR_RATIO = Unit(-1, 2, "multiples of the dense network's test error", exponential=True)  # from -log of a ratio
FACTOR = Unit(1, 2, "factors of the test error", exponential=True)  # from a size in logarithms


def strategy(criterion: str, rewind: str) -> str:
    """What a reader calls a kind of runs."""
    return choose_method(criterion, rewind).label


def tally(verdicts: pd.Series) -> str:
    """How the verdicts fell: holds in 7 of 9 places, fails in 1, undecided in 1."""
    counts = [(name, int((verdicts == name).sum())) for name in (HOLDS, FAILS, UNDECIDED)]
    (first, count), *others = [(name, count) for name, count in counts if count]
    whole = f"{first} in {count} of {len(verdicts)} place{'s' * (len(verdicts) > 1)}"
    return ", ".join([whole, *(f"{name} in {n}" for name, n in others)])


def overall(verdicts: pd.Series) -> str:
    """One word or two for all verdicts together."""
    held, failed = ((verdicts == name).any() for name in (HOLDS, FAILS))
    if held and failed:
        return "holds in part"
    if not held and not failed:
        return UNDECIDED
    one = HOLDS if held else FAILS
    return one if (verdicts == one).all() else f"{one} where it is decided"


def listed(words: Sequence[str]) -> str:
    """a; a and b; a, b and c."""
    return " and ".join(filter(None, [", ".join(words[:-1]), *words[-1:]]))


def densities(values: Iterable[float]) -> str:
    """Densities from the highest on: 11, 4.4 and 1.2 % of weights."""
    return f"{listed([percent(value) for value in sorted(set(values), reverse=True)])} % of weights"


def places(rows: pd.DataFrame) -> str:
    """Where rows are: alpha 0.1 and 1 at 11 and 1.2 % of weights; alpha 3 at ...; without alphas only the densities."""
    if rows["alpha"].isna().any():
        return densities(rows["density"])
    alphas: dict[str, list[str]] = {}
    for alpha, mine in rows.groupby("alpha"):
        alphas.setdefault(densities(mine["density"]), []).append(name_alpha(alpha))
    words = {where: f"{'alpha ' * mine[0][0].isdigit()}{listed(mine)}" for where, mine in alphas.items()}
    return "; ".join(f"{names} at {where}" for where, names in words.items())


def by_density(rows: pd.DataFrame) -> list[tuple[float, pd.DataFrame]]:
    """The rows of each density, from the highest on."""
    return [(d, rows[rows["density"] == d]) for d in sorted(set(rows["density"].to_numpy(float)), reverse=True)]


def bullets(lines: Iterable[str]) -> str:
    """A Markdown list."""
    return "\n".join(f"- {line}" for line in lines)


def markdown(table: Iterable[Mapping[str, str]]) -> str:
    """A Markdown table of words, a mapping a row; a cell that a row lacks is empty."""
    frame = pd.DataFrame(list(table)).fillna("")
    rows = [list(frame.columns), ["---"] * len(frame.columns), *frame.to_numpy().tolist()]
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def means(parts: Mapping[Any, Any], unit: Unit) -> str:
    """Each name with its mean over seeds and interval."""
    return listed([f"{name} {unit.mean(values)}" for name, values in parts.items() if values.notna().any()])
