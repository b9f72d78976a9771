"""What a criterion is: an object that makes the masks of a round, and says what it makes them from.

There are four kinds, by their `source`:

- "chain": `AfterTraining`, from the weights that the round before of the same chain has trained (lottery tickets);
- "dense": `AfterTraining(at_once=True)`, from the dense network's weights, to each round's density at once;
- "start": `BeforeTraining`, from the initialization (SNIP, GraSP, SynFlow);
- "ticket": `OfTicket`, from the lottery ticket's mask of the round.

Only the first needs a round's training before the next round's mask.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from math import floor
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from featprune.errors import FeatpruneError
from featprune.network import MLP, Parameters
from featprune.pruning.growth import loss_gradient
from featprune.pruning.masks import Mask, Masks, Schedule, all_ones, keep_highest, remaining
from featprune.pruning.problem import Problem, Score, draw_batch
from featprune.randomness import numpy_generator
from featprune.rewind import Rewind, reference

if TYPE_CHECKING:
    from featprune.datasets.dataset import Dataset
    from featprune.pruning.problem import Batch
    from featprune.pruning.repair import Repair


@dataclass(frozen=True, eq=False)
class Context:
    """All that the mask of a round may be made from.

    rewind: that of the chain. previous: the masks of the round before (of the dense run, all ones), unless given.
    trained: the values of the run that is pruned, None where there is no such run. ticket: the ticket's mask of the
    round, for criteria made of it. samples: how many training samples a score sees, one batch, drawn once a seed.
    """

    network: MLP
    data: Dataset
    seeds: Sequence[int]
    schedule: Schedule
    rewind: Rewind
    round: int
    previous: Masks
    trained: Parameters | None = None
    ticket: Mask | None = None
    alpha: float = 1.0
    center: bool = False
    loss: str = "cross_entropy"
    samples: int = 1000

    def after(self, mask: Mask, trained: Parameters) -> Context:
        """The context of the next round, once this one has trained under its mask."""
        return replace(self, round=self.round + 1, previous=mask.layers, trained=trained)

    def initial(self) -> Parameters:
        """theta_0, drawn anew at each call."""
        return self.network.initial(self.seeds)

    def reference(self, round: int) -> Parameters:
        """theta_ref of the chain's run of a round."""
        return reference(self.rewind, self.network, self.seeds, round)

    @property
    def counts(self) -> list[int]:
        """Weights to keep: one count a layer, or a single one for all layers together, by the config's scope."""
        return self.schedule.counts([m[0].size for m in self.previous], self.round)

    def problem(self, replica: int, values: Parameters, reference: Parameters, gradients: bool) -> Problem:
        """One replica's problem."""
        one = [replica]
        options: dict[str, Any] = {
            "alpha": self.alpha,
            "center": self.center,
            "loss": self.loss,
            "gradients": gradients,
        }
        return Problem.from_parameters(self.network, values.replicas(one), reference.replicas(one), **options)

    def batch(self, replica: int) -> Batch:
        """One replica's batch of training samples."""
        return draw_batch(self.data, self.seeds[replica], self.samples)

    def generator(self, replica: int) -> np.random.Generator:
        """One replica's generator for this round's mask."""
        return numpy_generator(self.seeds[replica], "mask", self.round)


class Criterion(Protocol):
    """What to remove.

    rewinds: those it is crossed with, None for the config's. repair: what the survivors take over, where training goes
    on from their values (a rewind that `continues`); None for nothing.
    """

    @property
    def source(self) -> str:
        """What its masks are made from: "chain", "dense", "start" or "ticket"."""
        ...

    @property
    def rewinds(self) -> tuple[str, ...] | None: ...

    @property
    def repair(self) -> Repair | None: ...

    @property
    def sees_data(self) -> bool:
        """Whether scores or repair depend on training samples."""
        ...

    def masks(self, context: Context) -> Masks:
        """The masks of the context's round, bool (R, out, in) a layer, with exactly the schedule's counts."""
        ...


@dataclass(frozen=True)
class AfterTraining:
    """Keep the highest scores of trained weights, ranked in the config's scope.

    at_once: the mask of every round is made from the dense network; otherwise from the round before, and nested in its
    mask. gradients: whether the score differentiates, and so gets torch tensors and a batch. Where the values of a
    replica aren't finite the scores say nothing, but the mask has to exist: it is that of the initial values.
    """

    score: Score
    at_once: bool = False
    gradients: bool = True
    rewinds: tuple[str, ...] | None = None
    repair: Repair | None = None

    @property
    def source(self) -> str:
        return "dense" if self.at_once else "chain"

    @property
    def sees_data(self) -> bool:
        return self.gradients or self.repair is not None

    def masks(self, context: Context) -> Masks:
        assert context.trained is not None
        previous, pruned_round = (_ones(context), 0) if self.at_once else (context.previous, context.round - 1)
        finite = context.trained.finite()
        made = []
        for i, alive in _replicas(previous):
            values = context.trained if finite[i] else context.initial()
            # Only of a score of the loss is a reference a part, and it costs a draw of the initialization.
            centered_on = context.reference(pruned_round) if self.gradients else values
            problem = context.problem(i, values, centered_on, self.gradients)
            made.append(self.choose(problem, context, i, alive))
        return stacked(made)

    def choose(self, problem: Problem, context: Context, replica: int, alive: Masks) -> Masks:
        """The masks of one replica, (1, out, in), from those it was trained under."""
        scores = _scorer(self.score, problem, context, replica, self.gradients)(alive)
        return keep_highest(scores, alive, context.counts)


@dataclass(frozen=True)
class Regrowing(AfterTraining):
    """The same, but a share of what is kept are the pruned weights with the highest score `growth`.

    So a weight may come back, with the value zero that it had. growth: a score of all weights of the masked network.
    """

    growth: Score = loss_gradient
    share: float = 0.1

    @property
    def sees_data(self) -> bool:
        return True

    def choose(self, problem: Problem, context: Context, replica: int, alive: Masks) -> Masks:
        regrown = [round(self.share * count) for count in context.counts]
        scores = _scorer(self.score, problem, context, replica, self.gradients)(alive)
        kept = keep_highest(scores, alive, [n - m for n, m in zip(context.counts, regrown, strict=True)])
        slopes = _scorer(self.growth, problem, context, replica, True)(alive)
        back = keep_highest(slopes, [~m for m in kept], regrown)
        return [old | new for old, new in zip(kept, back, strict=True)]


@dataclass(frozen=True)
class BeforeTraining:
    """Keep the highest scores of the initial weights, ranked over all layers together to the schedule's total.

    at_once: to each round's density from all weights; otherwise nested in the mask of the round before. iterations:
    how often scores are taken anew on the way.
    """

    score: Score
    at_once: bool = True
    iterations: int = 1
    gradients: bool = True
    rewinds: tuple[str, ...] | None = ("init",)
    repair: Repair | None = None
    source: str = "start"

    @property
    def sees_data(self) -> bool:
        return self.gradients

    def masks(self, context: Context) -> Masks:
        previous = _ones(context) if self.at_once else context.previous
        initial, count = context.initial(), sum(context.counts)
        made = []
        for i, alive in _replicas(previous):
            problem = context.problem(i, initial, initial, self.gradients)
            scorer = _scorer(self.score, problem, context, i, self.gradients)
            made.append(keep_gradually(scorer, alive, count, self.iterations))
        return stacked(made)


@dataclass(frozen=True)
class OfTicket:
    """The lottery ticket's mask of the round, changed by `transform(masks, generator)` a replica, (1, out, in)."""

    transform: Callable[[Masks, np.random.Generator], Masks]
    rewinds: tuple[str, ...] | None = None
    repair: Repair | None = None
    source: str = "ticket"
    sees_data: bool = False

    def masks(self, context: Context) -> Masks:
        assert context.ticket is not None
        return stacked([self.transform(m, context.generator(i)) for i, m in _replicas(context.ticket.layers)])


@dataclass(frozen=True)
class Unpruned:
    """Nothing is removed: the dense network, trained on."""

    rewinds: tuple[str, ...] | None = ("none",)
    repair: Repair | None = None
    source: str = "chain"
    sees_data: bool = False

    def masks(self, context: Context) -> Masks:
        return context.previous


Scorer = Callable[[Masks], list[np.ndarray]]


def keep_gradually(scorer: Scorer, masks: Masks, count: int, iterations: int = 1) -> Masks:
    """Keep exactly `count` of all layers' weights: the highest scored ones among the survivors of `masks`.

    masks: bool (1, out, in), a single replica's; the result is the same, and a subset. With more than one iteration,
    the density goes down exponentially (`iteration_counts`), and each is scored under the masks of the one before.
    Raises ValueError where fewer than `count` weights survive.
    """
    for target in iteration_counts(int(remaining(masks)[0]), count, iterations):
        masks = keep_highest(scorer(masks), masks, [target])
    return masks


def iteration_counts(start: int, count: int, iterations: int) -> list[int]:
    """Weights left after each iteration, from `start` to `count`: start * (count / start)^(k / iterations), rounded.

    The exponential schedule of Tanaka et al. 2020. Iterations that would remove nothing are left out, so the counts
    strictly decrease; the last one is `count`, even if that is `start`.
    """
    # As a product of powers it is exact at the end, and defined for zeros.
    shares = [k / iterations for k in range(1, iterations)]
    counts = [floor(start ** (1 - share) * count**share + 0.5) for share in shares]
    return [*sorted({c for c in counts if count < c < start}, reverse=True), count]


def _scorer(score: Score, problem: Problem, context: Context, replica: int, gradients: bool) -> Scorer:
    """The score of one replica as a function of its masks (1, out, in), from one batch and one generator.

    The function raises FeatpruneError where scores aren't finite.
    """
    generator, batch = context.generator(replica), context.batch(replica) if gradients else None

    def scorer(alive: Masks) -> list[np.ndarray]:
        masks: list[Any] = [m[0] for m in alive]
        if gradients:
            import torch

            masks = [torch.from_numpy(m) for m in masks]
        scores = [np.asarray(s)[None] for s in score(problem, masks, batch, generator)]
        if not all(np.isfinite(s).all() for s in scores):
            name = getattr(score, "__name__", "pruning")
            raise FeatpruneError(f"{name} scores are not finite: look at the initialization, the depth and alpha")
        return scores

    return scorer


def _replicas(masks: Masks) -> list[tuple[int, Masks]]:
    """(index, its masks with a leading axis of 1) of each replica."""
    return [(i, [m[i : i + 1] for m in masks]) for i in range(len(masks[0]))]


def _ones(context: Context) -> Masks:
    return all_ones(context.network.shapes, len(context.seeds))


def stacked(masks: Sequence[Masks]) -> Masks:
    """The masks of several replicas as one."""
    return [np.concatenate(layer) for layer in zip(*masks, strict=True)]
