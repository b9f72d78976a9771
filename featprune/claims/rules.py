"""What verdicts are given by: the config's `claims`, and the rounds that decide. docs/method.md states the rules."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True)
class Margins:
    """What counts as no difference: in accuracy, as a ratio of losses, of the way from null to ceiling, as a ratio of
    times, and as a share of interaction."""

    accuracy: float
    loss: float
    features: float
    time: float
    interaction: float


@dataclass(frozen=True)
class Rules:
    """Margins, level of a test, power to plan for, and the rounds whose rows decide: the others are description."""

    margins: Margins
    level: float
    power: float
    decide_at: frozenset[int]

    @staticmethod
    def of(config: dict, decide_at: Iterable[int]) -> Rules:
        return Rules(**{**config, "margins": Margins(**config["margins"])}, decide_at=frozenset(decide_at))

    @property
    def one_sided(self) -> float:
        """Confidence of the interval that two one-sided tests at `level` are read from."""
        return 1 - 2 * self.level

    @property
    def two_sided(self) -> float:
        """Confidence of the interval of a two-sided test at `level`."""
        return 1 - self.level
