"""What to remove: each criterion scores every weight, and the lowest scores go.

A score function takes the network, its trained parameters (R, ...), and the seeds with the round, and returns one
array a layer shaped like the weights. To add a criterion, write such a function, enter it in CRITERIA, and name it
under `pruning.criteria` in the config.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from featprune.network import MLP, Parameters
from featprune.randomness import numpy_generator

Scores = list[np.ndarray]


@dataclass(frozen=True)
class Criterion:
    """`score(network, trained, seeds, round)` ranks the weights; `prunes` is False where nothing is removed."""

    score: Callable[[MLP, Parameters, Sequence[int], int], Scores]
    prunes: bool = True


def magnitude(network: MLP, trained: Parameters, seeds: Sequence[int], round: int) -> Scores:
    """|w| of the effective weights (Han et al. 2015; Frankle & Carbin 2019)."""
    return [np.abs(w) * factor for w, factor in zip(trained.weights, network.multipliers, strict=True)]


def random(network: MLP, trained: Parameters, seeds: Sequence[int], round: int) -> Scores:
    """Independent uniform scores: the null of every criterion. One draw a seed, so masks of all alphas are paired."""
    generators = [numpy_generator(seed, "mask", round) for seed in seeds]
    return [np.stack([g.random(shape) for g in generators]) for shape in network.shapes]


def dense(network: MLP, trained: Parameters, seeds: Sequence[int], round: int) -> Scores:
    """Nothing is removed: with rewind `none`, the dense network trained as long as a fine-tuned one."""
    return [np.ones_like(w) for w in trained.weights]


CRITERIA: dict[str, Criterion] = {
    "magnitude": Criterion(magnitude),
    "random": Criterion(random),
    "dense": Criterion(dense, prunes=False),
}
