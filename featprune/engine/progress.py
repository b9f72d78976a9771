"""What a training job tells in its log while it runs: a line every some seconds."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from math import isnan
from time import perf_counter

import numpy as np

PACE = 10.0  # seconds from one line to the next, at least


@dataclass(frozen=True)
class Stage:
    """Where in its job a training run is: what it is called there, and the steps that each network trains after it."""

    name: str = ""
    to_come: int = 0


WHOLE = Stage()  # a run that is all that its job trains
_stage: ContextVar[Stage] = ContextVar("stage", default=WHOLE)


@contextmanager
def stage(name: str, to_come: int = 0) -> Iterator[None]:
    """What is trained meanwhile is this part of the job, after which each network trains `to_come` more steps."""
    before = _stage.set(Stage(name, to_come))
    try:
        yield
    finally:
        _stage.reset(before)


@contextmanager
def turn(number: int, turns: int, steps: int) -> Iterator[None]:
    """Of so many groups of networks, each of which trains these steps in the stage, this one (from 1) has its turn."""
    here = _stage.get()
    with stage(here.name, (turns - number) * steps + turns * here.to_come):
        yield


class Teller:
    """Tells how far a run is, no sooner after the last line than the pace."""

    def __init__(self, seeds: Sequence[int], steps: int, first: int = 0) -> None:
        self.seeds, self.steps, self.stage = list(seeds), steps, _stage.get()
        self.told, self.since = perf_counter(), first

    def look(self, step: int, now: float, loss: np.ndarray) -> None:
        """Print a line if it is time for one: at `now`, a time of `perf_counter`, so many steps have been taken.

        loss: the last that was evaluated, a value a network, or NaN.
        """
        if now - self.told <= PACE:
            return
        if step > 1:  # in a fresh clone the first step compiles the kernels
            rate = (step - self.since) / (now - self.told)
            print(line(self.stage, self.seeds, step, self.steps, float(loss.mean()), rate), flush=True)
        self.told, self.since = now, step


def line(stage: Stage, seeds: Sequence[int], step: int, steps: int, loss: float, rate: float) -> str:
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
