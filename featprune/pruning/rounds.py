"""A round's masks: a criterion applied to every replica of a run."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch

from featprune.criteria import Criterion, Masks
from featprune.datasets.dataset import Dataset
from featprune.engine.settings import Settings
from featprune.network import MLP, Parameters
from featprune.pruning.masks import Schedule, extract_mask
from featprune.pruning.saliency import Problem, prune_at_init
from featprune.randomness import numpy_generator


def prune(
    rule: Criterion,
    network: MLP,
    trained: Parameters,
    initial: Parameters,
    masks: Masks,
    schedule: Schedule,
    round: int,
    data: Dataset,
    seeds: Sequence[int],
    settings: Settings,
    samples: int,
) -> Masks:
    """Masks (R, out, in) with exactly the schedule's counts for this round, nested in `masks`.

    trained: the values of the round before. A replica's scores come from one batch of `samples` training samples, drawn
    once a seed, and from f at this alpha. Where the values to be scored aren't finite the scores say nothing, but the
    mask has to exist: it is that of the initial values.
    """
    counts = schedule.counts([m[0].size for m in masks], round)
    before = rule.at == "initial"
    scored = initial if before else trained
    pruned = []
    for i, seed in enumerate(seeds):
        values = scored if scored.finite()[i] else initial
        problem = Problem.from_parameters(
            network,
            values.replicas([i]),
            initial.replicas([i]),
            alpha=settings.alpha,
            center=settings.center,
            loss=settings.loss,
        )
        chosen = numpy_generator(seed, "score").permutation(len(data.train_x))[:samples]
        batch = (torch.from_numpy(data.train_x[chosen]), torch.from_numpy(data.train_y[chosen]))
        generator = numpy_generator(seed, "mask", round)
        alive = [m[i : i + 1] for m in masks]
        if before:
            pruned.append(
                prune_at_init(rule.score, problem, alive, sum(counts), batch, generator, iterations=rule.iterations)
            )
        else:
            scores = rule.score(problem, [torch.from_numpy(m[0]) for m in alive], batch, generator)
            pruned.append(extract_mask([s.numpy()[None] for s in scores], alive, counts))
    return [np.concatenate(layer) for layer in zip(*pruned, strict=True)]


def from_tickets(rule: Criterion, tickets: Masks, seeds: Sequence[int], round: int) -> Masks:
    """The masks that a criterion makes from the tickets' (R, out, in) of this round."""
    made = [
        rule.of_ticket([m[i : i + 1] for m in tickets], numpy_generator(seed, "mask", round))
        for i, seed in enumerate(seeds)
    ]
    return [np.concatenate(layer) for layer in zip(*made, strict=True)]
