"""Fold: biases take over the mean of what is pruned; and what repairs have in common."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from featprune.pruning.feature_aware import signals
from featprune.pruning.problem import Problem, masked

if TYPE_CHECKING:
    from torch import Tensor

    from featprune.pruning.problem import Batch
    from featprune.pruning.repair import Values


def fold(problem: Problem, masks: Sequence[Tensor], batch: Batch) -> Values:
    """Each bias takes over the mean of what its unit loses, w_ij E[a_j]; the survivors keep their weights."""
    return with_means_kept(problem, masked(problem.weights, masks), layer_inputs(problem, batch))


def layer_inputs(problem: Problem, batch: Batch) -> list[Tensor]:
    """The inputs of each layer of the network as it is, (P, in)."""
    import torch

    return signals(problem, [torch.ones_like(w, dtype=torch.bool) for w in problem.weights], batch)[0]


def with_means_kept(problem: Problem, weights: list[Tensor], inputs: Sequence[Tensor]) -> Values:
    """The new weights with the biases that leave the mean of every preactivation as it was."""
    layers = zip(problem.biases, problem.network.multipliers, problem.weights, weights, inputs, strict=True)
    return weights, [b + multiplier * ((old - new) @ a.mean(0)) for b, multiplier, old, new, a in layers]
