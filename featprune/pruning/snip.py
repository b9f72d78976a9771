"""SNIP: connection sensitivity at the initialization (Lee, Ajanthan & Torr 2019)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from featprune.pruning.problem import Problem, leaves, mean_loss

if TYPE_CHECKING:
    from torch import Tensor

    from featprune.pruning.problem import Batch


def snip(problem: Problem, masks: Sequence[Tensor], batch: Batch, generator: np.random.Generator) -> list[Tensor]:
    """Connection sensitivity |dL/dm| = |dL/dw * w| at m = 1 (Lee et al. 2019), from one batch; (out, in) a layer.

    How much the loss moves, to first order, if the weight's connection is weakened, whether up or down. The same for
    every parametrization of the same effective weights. Of a centered f at the initialization it is proportional to
    alpha, so the masks of all alphas are the same; without centering they tend to those masks for small alpha.
    """
    import torch

    x, y = batch
    weights = leaves(problem.weights, masks)
    loss = mean_loss(problem, problem.f(weights, masks, x), y)
    gradients = torch.autograd.grad(loss, weights)
    return [(g * w).abs().detach() for g, w in zip(gradients, weights, strict=True)]
