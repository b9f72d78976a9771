"""What to remove: which values a criterion scores, when, and how the scores become masks.

To add a criterion, write a score function as in `featprune.pruning.saliency`, enter it in CRITERIA, and name it under
`pruning.criteria` in the config. A criterion that takes the tickets' masks writes a function of masks instead.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from featprune.pruning import saliency
from featprune.pruning.saliency import Score

Masks = list[np.ndarray]


@dataclass(frozen=True)
class Criterion:
    """How a round's mask comes about.

    score: `(problem, masks, batch, generator)`, the highest are kept; None where nothing is removed, or the masks are
        the tickets'.
    at: the values that are scored: "trained", those of the round before, ranked in the config's scope; or "initial",
        before training, ranked over all layers together to the same total count, and only rewound to init.
    one_shot: the mask is taken from the dense network at once; otherwise from the round before.
    iterations: how often scores are taken anew on the way to a round's count.
    of_ticket: `(masks, generator)`: the mask made from that of the lottery ticket (magnitude x init) of the round.
    rewinds: those it is crossed with, None for the config's.
    """

    score: Score | None = None
    at: str = "trained"
    one_shot: bool = False
    iterations: int = 1
    of_ticket: Callable[[Masks, np.random.Generator], Masks] | None = None
    rewinds: tuple[str, ...] | None = None

    @property
    def prunes(self) -> bool:
        return self.score is not None or self.of_ticket is not None


def unchanged(masks: Masks, generator: np.random.Generator) -> Masks:
    """The ticket's own mask, to be trained from other values."""
    return masks


def shuffled(masks: Masks, generator: np.random.Generator) -> Masks:
    """A random mask with the ticket's density in every layer: its places shuffled within layers, (1, out, in)."""
    return [generator.permutation(mask.ravel()).reshape(mask.shape) for mask in masks]


def before_training(score: Score, *, one_shot: bool = True, iterations: int = 1) -> Criterion:
    """A criterion that scores the initialization."""
    return Criterion(score, "initial", one_shot, iterations, rewinds=("init",))


CRITERIA: dict[str, Criterion] = {
    "magnitude": Criterion(saliency.magnitude),
    "magnitude_one_shot": Criterion(saliency.magnitude, one_shot=True),
    "snip": before_training(saliency.snip),
    "snip_iterative": before_training(saliency.snip, one_shot=False),
    "grasp": before_training(saliency.grasp),
    "grasp_iterative": before_training(saliency.grasp, one_shot=False),
    "synflow": before_training(saliency.synflow, iterations=100),
    "magnitude_init": before_training(saliency.magnitude),
    "random": before_training(saliency.random, one_shot=False),
    "ticket": Criterion(of_ticket=unchanged),
    "shuffled": Criterion(of_ticket=shuffled, rewinds=("init",)),
    "dense": Criterion(rewinds=("none",)),
}


def crossed(criteria: Sequence[str], rewinds: Sequence[str]) -> list[tuple[str, str]]:
    """The (criterion, rewind) pairs that a selection of both means."""
    return [(criterion, rewind) for criterion in criteria for rewind in (CRITERIA[criterion].rewinds or rewinds)]
