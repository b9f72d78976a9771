"""The registry of rewinds: where the survivors restart after pruning.

To add one, write a function from an Origin to a Start, enter it in REWINDS with the steps that lie behind its start,
and name it under `pruning.rewinds` in the config.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np

from featprune.engine.settings import Start
from featprune.network import MLP, Parameters


@dataclass(frozen=True)
class Origin:
    """What a rewind may restart from; each is a function, since it costs something to make."""

    initial: Callable[[], Parameters]
    previous: Callable[[], Parameters]
    late: Callable[[], Parameters]
    fresh: Callable[[], Parameters]


def init(origin: Origin) -> Start:
    """The initial values: the lottery ticket (Frankle & Carbin 2019)."""
    return Start(origin.initial(), origin.initial())


def late(origin: Origin) -> Start:
    """The values of an early step of the dense run (Frankle et al. 2020)."""
    return Start(origin.late(), origin.initial())


def random(origin: Origin) -> Start:
    """A fresh draw of the initialization."""
    fresh = origin.fresh()
    return Start(fresh, fresh)


def same_sign(origin: Origin) -> Start:
    """A fresh draw with the signs of the initial values: does a ticket need more of them (Zhou et al. 2019)?"""
    initial, fresh = origin.initial(), origin.fresh()
    pairs = zip(initial.weights, fresh.weights, strict=True)
    drawn = Parameters(tuple(np.copysign(new, old) for old, new in pairs), fresh.biases)
    return Start(drawn, drawn)


def none(origin: Origin) -> Start:
    """Where they are: training goes on (fine-tuning, Han et al. 2015)."""
    return Start(origin.previous(), origin.initial())


def at_start(round: int, steps: int, late_step: int | None) -> int:
    """A run from an initialization has nothing behind it."""
    return 0


def at_late_step(round: int, steps: int, late_step: int | None) -> int:
    """The steps up to the one that late rewinding goes back to; the config has made sure that there is one."""
    return late_step or 0


def after_all_rounds(round: int, steps: int, late_step: int | None) -> int:
    """The steps of the dense run and of all pruned rounds before."""
    return round * steps


@dataclass(frozen=True)
class Rewind:
    """`start` gives the values; `trained(round, steps, late_step)` the steps that those values have behind them.

    continues: whether the start needs the weights of the round before. rewinds_rate: False where a decayed learning
    rate isn't brought back to its start (`training.milestones`). order: sets the data order apart from other rewinds'.
    teacher: the layers whose preactivations are pulled to the dense network's, a name in
    `featprune.engine.distillation.PULLED` ("": none).
    """

    start: Callable[[Origin], Start]
    trained: Callable[[int, int, int | None], int] = at_start
    continues: bool = False
    rewinds_rate: bool = True
    order: tuple[str, ...] = ()
    teacher: str = ""


REWINDS: dict[str, Rewind] = {
    "init": Rewind(init),
    # The same on another data order: what the noise of training alone does to a ticket (Frankle et al. 2020).
    "reordered": Rewind(init, order=("reordered",)),
    "late": Rewind(late, at_late_step),
    "random": Rewind(random),
    "same_sign": Rewind(same_sign),
    "none": Rewind(none, after_all_rounds, continues=True, rewinds_rate=False),
    # Learning-rate rewinding (Renda et al. 2020): the trained values, with the whole schedule of rates again.
    "lr": Rewind(none, after_all_rounds, continues=True),
    # Tickets that learn from the dense network: from its hidden units (Romero et al. 2015), or from its output (Ba &
    # Caruana 2014), their control.
    "distilled": Rewind(init, teacher="hidden"),
    "distilled_logits": Rewind(init, teacher="output"),
}


def make_origin(network: MLP, seeds: Sequence[int], round: int, previous: Parameters | None = None) -> Origin:
    """What a round may restart from, but for the dense run's early values. previous: the values of the round before."""

    def trained() -> Parameters:
        if previous is None:
            raise ValueError("this rewind starts from trained values, and was given none")
        return previous

    initial = cache(lambda: network.initial(seeds))
    return Origin(initial, trained, late=trained, fresh=lambda: network.initial(seeds, "redraw", round))


def reference(rewind: Rewind, network: MLP, seeds: Sequence[int], round: int) -> Parameters:
    """theta_ref of the run of a round: the initialization that its f is centered on (round 0: the dense run's)."""
    initial = network.initial(seeds)
    # No f is centered on trained values, so those that the start takes besides may be any.
    return initial if round == 0 else rewind.start(make_origin(network, seeds, round, previous=initial)).reference
