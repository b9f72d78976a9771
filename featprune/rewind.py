"""Where the survivors restart after pruning.

To add a strategy, write a function from an Origin to a Start, enter it in REWINDS with the steps that lie behind its
start, and name it under `pruning.rewinds` in the config.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from featprune.engine.settings import Start
from featprune.network import Parameters


@dataclass(frozen=True)
class Origin:
    """What a strategy may restart from; what costs something to make is a function."""

    round: int
    initial: Parameters
    previous: Parameters
    late: Callable[[], Parameters]
    fresh: Callable[[], Parameters]


def init(origin: Origin) -> Start:
    """The initial values: the lottery ticket (Frankle & Carbin 2019)."""
    return Start(origin.initial, origin.initial)


def late(origin: Origin) -> Start:
    """The values of an early step of the dense run (Frankle et al. 2020)."""
    return Start(origin.late(), origin.initial)


def random(origin: Origin) -> Start:
    """A fresh draw of the initialization."""
    fresh = origin.fresh()
    return Start(fresh, fresh)


def same_sign(origin: Origin) -> Start:
    """A fresh draw with the signs of the initial values: does a ticket need more of them (Zhou et al. 2019)?"""
    initial, fresh = origin.initial, origin.fresh()
    pairs = zip(initial.weights, fresh.weights, strict=True)
    drawn = Parameters(tuple(np.copysign(new, old) for old, new in pairs), fresh.biases)
    return Start(drawn, drawn)


def none(origin: Origin) -> Start:
    """Where they are: training goes on (fine-tuning, Han et al. 2015)."""
    return Start(origin.previous, origin.initial)


@dataclass(frozen=True)
class Rewind:
    """`start` gives the values; `trained(round, steps, late_step)` the steps that those values have behind them.

    `rewinds_rate` is False where a decayed learning rate isn't brought back to its start (`training.milestones`).
    """

    start: Callable[[Origin], Start]
    trained: Callable[[int, int, int | None], int]
    rewinds_rate: bool = True


REWINDS: dict[str, Rewind] = {
    "init": Rewind(init, lambda round, steps, late_step: 0),
    "late": Rewind(late, lambda round, steps, late_step: late_step),
    "random": Rewind(random, lambda round, steps, late_step: 0),
    "same_sign": Rewind(same_sign, lambda round, steps, late_step: 0),
    "none": Rewind(none, lambda round, steps, late_step: round * steps, rewinds_rate=False),
    # Learning-rate rewinding (Renda et al. 2020): the trained values, with the whole schedule of rates again.
    "lr": Rewind(none, lambda round, steps, late_step: round * steps),
}
