"""Training runs: dense ones, one round of a chain, and several rounds in one process.

A chain is one (criterion, rewind): its round r trains under the mask that `extract_mask` gives, from where the rewind
says. Where the masks are made from the chain's own weights, extraction and training alternate (`train_chain`);
otherwise all masks are there before the first round trains (`extract_masks`), which then follow each other
(`train_rounds`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import zip_longest

import numpy as np

from featprune.datasets.dataset import Dataset
from featprune.engine.progress import stage
from featprune.engine.settings import Settings, Start
from featprune.engine.training import Outcome, train
from featprune.errors import lookup
from featprune.network import MLP, Parameters
from featprune.pruning.criterion import Context, Criterion
from featprune.pruning.masks import Mask, all_ones
from featprune.pruning.repair import Repair, repaired
from featprune.pruning.rounds import extract_mask
from featprune.rewind import Rewind, make_origin
from featprune.runs.paths import DENSE, REINITIALIZED, REORDERED


@dataclass(frozen=True)
class Variant:
    """What sets a dense run of a seed apart from others: its draw of the initialization, its data order."""

    draw: tuple[str, ...] = ()
    order: tuple[str, ...] = ()


# The dense run that all chains share, and those that features are compared with besides: each differs in one thing.
VARIANTS: dict[str, Variant] = {
    DENSE.rewind: Variant(),
    REORDERED.rewind: Variant(order=("reordered",)),
    REINITIALIZED.rewind: Variant(draw=("reinitialized",)),
}


@dataclass(frozen=True)
class Trainer:
    """What all runs of a cell share: the network, the data, the seeds, and where they train.

    repair: what survivors take over of what is pruned, where training goes on from their values. samples: how many
    training samples it sees. teacher: the dense network, for runs that learn from it.
    """

    network: MLP
    data: Dataset
    seeds: Sequence[int]
    device: str = "cpu"
    repair: Repair | None = None
    samples: int = 1000
    teacher: Parameters | None = None

    def train(self, start: Start, mask: Mask, settings: Settings) -> Outcome:
        """Train every seed under the mask; one whose mask isn't sound counts as diverged from its first step."""
        start = replace(_poison(start, mask.sound), teacher=self.teacher)
        return train(self.network, start, mask.layers, self.data, self.seeds, settings, self.device)

    def repaired(self, trained: Parameters, mask: Mask) -> Parameters:
        """Trained values for the round of a mask, with what its survivors take over."""
        if self.repair is None:
            return trained
        return repaired(self.repair, self.network, self.data, self.seeds, self.samples, trained, mask.layers)


def dense_mask(network: MLP, seeds: Sequence[int]) -> Mask:
    """The mask of round 0."""
    return Mask(all_ones(network.shapes, len(seeds)), np.ones(len(seeds), bool))


def train_dense(trainer: Trainer, settings: Settings, rewind: str = DENSE.rewind) -> tuple[Mask, Outcome]:
    """Round 0: train every seed without pruning. rewind: which of the dense runs, a name in VARIANTS."""
    variant = lookup(VARIANTS, rewind, "dense run")
    initial = trainer.network.initial(trainer.seeds, *variant.draw)
    mask = dense_mask(trainer.network, trainer.seeds)
    with stage(f"{rewind} run"):
        return mask, trainer.train(Start(initial, initial), mask, replace(settings, order=variant.order))


def train_round(
    trainer: Trainer,
    rewind: Rewind,
    round: int,
    mask: Mask,
    settings: Settings,
    previous: Parameters | None = None,
    late_step: int | None = None,
) -> Outcome:
    """Retrain the survivors of a round's mask from where the rewind says.

    previous: the trained weights of the round before, for rewinds that continue from them; survivors are repaired.
    late_step: the step of the dense run that a late rewind goes back to, and from which this run's steps are numbered
    on: at equal numbers both have had the same training.
    """
    if rewind.continues and previous is not None:
        previous = trainer.repaired(previous, mask)
    origin = make_origin(trainer.network, trainer.seeds, round, previous, mask.layers)
    if late_step is not None:
        # A run is reproducible bit for bit, so its first steps can be had again for less than storing them.
        origin = replace(origin, late=lambda: _first_steps(trainer, settings, late_step))
    return trainer.train(rewind.start(origin), mask, settings).numbered_from(late_step or 0)


def train_rounds(
    trainer: Trainer,
    rewind: Rewind,
    masks: Sequence[Mask],
    settings: Mapping[int, Settings],
    previous: Parameters | None = None,
    late_step: int | None = None,
    always_from: bool = False,
) -> Iterator[Outcome]:
    """Retrain in consecutive rounds whose masks are there already; yields the outcome of each.

    settings: round -> its training. always_from: whether every round continues from `previous` (the dense network),
    and not from the round before.
    """
    for (round, here), mask in zip(settings.items(), masks, strict=True):
        with stage(f"round {round}", to_come(settings, round)):
            outcome = train_round(trainer, rewind, round, mask, here, previous, late_step)
        yield outcome
        previous = previous if always_from else outcome.parameters


def train_chain(
    trainer: Trainer,
    criterion: Criterion,
    context: Context,
    settings: Mapping[int, Settings],
    tickets: Sequence[Mask] = (),
    late_step: int | None = None,
) -> Iterator[tuple[Mask, Outcome]]:
    """Alternate mask extraction and retraining over consecutive rounds; yields the mask and the outcome of each.

    context: that of the first round, which has the run before it. settings: round -> its training. tickets: the
    ticket's mask of each round, for a control that takes them. The repair is the criterion's.
    """
    trainer = replace(trainer, repair=criterion.repair, samples=context.samples)
    for round, ticket in zip_longest(settings, tickets):
        mask = extract_mask(criterion, replace(context, ticket=ticket))
        with stage(f"round {round}", to_come(settings, round)):
            outcome = train_round(trainer, context.rewind, round, mask, settings[round], context.trained, late_step)
        yield mask, outcome
        context = context.after(mask, outcome.parameters)


def to_come(settings: Mapping[int, Settings], round: int) -> int:
    """The steps of the rounds after this one."""
    return sum(later.steps for number, later in settings.items() if number > round)


def _first_steps(trainer: Trainer, settings: Settings, steps: int) -> Parameters:
    """The dense run's parameters after its first steps."""
    # The schedule of a late run begins at this step.
    milestones = tuple(milestone + steps for milestone in settings.milestones)
    short = replace(settings, steps=steps, milestones=milestones, evaluate_at=(), snapshot_at=(), behind=0)
    initial = trainer.network.initial(trainer.seeds)
    return trainer.train(Start(initial, initial), dense_mask(trainer.network, trainer.seeds), short).parameters


def _poison(start: Start, sound: np.ndarray) -> Start:
    """Mark replicas whose chain has diverged by values that aren't finite, so that they count as diverged here too."""
    biases = tuple(np.where(sound[:, None], b, np.float32(np.nan)) for b in start.parameters.biases)
    return Start(Parameters(start.parameters.weights, biases), start.reference)
