"""What pruned weights are worth: how fast the loss would fall if they came back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from featprune.pruning.problem import Problem, leaves, masked, mean_loss

if TYPE_CHECKING:
    from torch import Tensor

    from featprune.pruning.problem import Batch


def loss_gradient(
    problem: Problem, masks: Sequence[Tensor], batch: Batch, generator: np.random.Generator
) -> list[Tensor]:
    """|dL/dw| of the masked network, of pruned weights at their value zero (RigL, Evci et al. 2020); (out, in) a layer.

    Not zero where a weight is pruned, unlike all other scores.
    """
    import torch

    x, y = batch
    weights, whole = leaves(problem.weights, masks), [torch.ones_like(mask) for mask in masks]
    # What came back would do so in f, and not in its reference, which has the mask.
    pruned = replace(problem, reference_weights=masked(problem.reference_weights, masks))
    loss = mean_loss(pruned, pruned.f(weights, whole, x), y)
    return [g.abs() for g in torch.autograd.grad(loss, weights)]
