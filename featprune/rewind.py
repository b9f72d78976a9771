"""The registry of rewinds: where the survivors restart after pruning.

To add one, write a function from an Origin to a Start, enter it in REWINDS with the steps that lie behind its start,
and name it under `pruning.rewinds` in the config.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np

from featprune.engine.settings import Start
from featprune.network import MLP, Parameters
from featprune.pruning.masks import Masks, all_ones, densities


@dataclass(frozen=True)
class Origin:
    """What a rewind may restart from; each is a function, since it costs something to make.

    densities: of each layer of each network under the round's mask, (R,) a layer.
    """

    initial: Callable[[], Parameters]
    previous: Callable[[], Parameters]
    late: Callable[[], Parameters]
    fresh: Callable[[], Parameters]
    densities: Callable[[], Sequence[np.ndarray]]


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


def sparse_mup(origin: Origin) -> Start:
    """The initial values over the root of each layer's density: preactivations of the dense size (Dey et al. 2024)."""
    initial = origin.initial()
    scales = [np.sqrt(density)[:, None, None].astype(np.float32) for density in origin.densities()]
    grown = Parameters(tuple(w / s for w, s in zip(initial.weights, scales, strict=True)), initial.biases)
    return Start(grown, grown)


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
    density_rates: whether a layer's weights learn at the rate over the layer's density.
    uncentered: why f must not be centered, in words, if so. teacher: the layers whose preactivations are pulled to the
    dense network's, a name in `featprune.engine.distillation.PULLED` ("": none).
    """

    start: Callable[[Origin], Start]
    trained: Callable[[int, int, int | None], int] = at_start
    continues: bool = False
    rewinds_rate: bool = True
    order: tuple[str, ...] = ()
    density_rates: bool = False
    uncentered: str = ""
    teacher: str = ""


PULLED_H = "which pulls h itself, not f"

REWINDS: dict[str, Rewind] = {
    "init": Rewind(init),
    # The same on another data order: what the noise of training alone does to a ticket (Frankle et al. 2020).
    "reordered": Rewind(init, order=("reordered",)),
    "late": Rewind(late, at_late_step),
    "random": Rewind(random),
    "same_sign": Rewind(same_sign),
    # Sparse maximal update parametrization: the rate of the dense network, for every density.
    "sparse_mup": Rewind(sparse_mup, density_rates=True, uncentered="whose initial values depend on the mask"),
    "none": Rewind(none, after_all_rounds, continues=True, rewinds_rate=False),
    # Learning-rate rewinding (Renda et al. 2020): the trained values, with the whole schedule of rates again.
    "lr": Rewind(none, after_all_rounds, continues=True),
    # Tickets that learn from the dense network: from its hidden units (Romero et al. 2015), or from its output (Ba &
    # Caruana 2014), their control.
    "distilled": Rewind(init, teacher="hidden", uncentered=PULLED_H),
    "distilled_logits": Rewind(init, teacher="output", uncentered=PULLED_H),
}


def conflicts(name: str, center: bool, optimizer: str) -> Iterator[tuple[str, str]]:
    """The settings that don't go with a rewind, by their keys, and what is wrong with them."""
    rewind = REWINDS[name]
    if center and rewind.uncentered:
        yield "center", f"must be false with the rewind {name!r}, {rewind.uncentered}"
    if rewind.density_rates and optimizer != "adam":
        yield "optimizer", f"must be adam with the rewind {name!r}, whose rates are Adam's"


def make_origin(
    network: MLP, seeds: Sequence[int], round: int, previous: Parameters | None = None, mask: Masks | None = None
) -> Origin:
    """What a round may restart from, but for the dense run's early values.

    previous: the values of the round before. mask: the round's; none for the dense network's.
    """

    def trained() -> Parameters:
        if previous is None:
            raise ValueError("this rewind starts from trained values, and was given none")
        return previous

    initial = cache(lambda: network.initial(seeds))
    return Origin(
        initial,
        trained,
        late=trained,
        fresh=lambda: network.initial(seeds, "redraw", round),
        densities=lambda: densities(mask or all_ones(network.shapes, len(seeds))),
    )


def reference(rewind: Rewind, network: MLP, seeds: Sequence[int], round: int) -> Parameters:
    """theta_ref of the run of a round: the initialization that its f is centered on (round 0: the dense run's)."""
    initial = network.initial(seeds)
    # No f is centered on trained values, so those that the start takes besides may be any.
    return initial if round == 0 else rewind.start(make_origin(network, seeds, round, previous=initial)).reference
