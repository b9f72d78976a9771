"""What a training job tells in its log while it runs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import isnan

PACE = 10.0  # seconds from one line to the next, at least


@dataclass(frozen=True)
class Stage:
    """Where in its job a training run is: what it is called there, and the steps that each network trains after it."""

    name: str = ""
    to_come: int = 0


ALONE = Stage()  # a run that is all that its job trains


def progress(stage: Stage, seeds: Sequence[int], step: int, steps: int, loss: float, rate: float) -> str:
    """A line about a run that has taken `step` of its steps; loss: the last evaluated, or NaN; rate: steps a second.

    The time left is the stage's, at this run's rate: sparser rounds are faster, and scores and files come on top.
    """
    left = duration((steps - step + stage.to_come) / rate)
    where = f"{stage.name}, " if stage.name else ""
    found = "" if isnan(loss) else f"validation loss {loss:.4g}, "
    return f"{where}seeds {list(seeds)}: step {step} of {steps}, {found}{rate:.0f} steps/s, {left} left"


def duration(seconds: float) -> str:
    """Seconds in words, of two or more digits: "99 s", "12 min", "3.4 h"."""
    if seconds < 100:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 6000 else f"{seconds / 3600:.1f} h"
