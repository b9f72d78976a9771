"""SynFlow: synaptic flow at the initialization, without data (Tanaka et al. 2020)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from featprune.pruning.problem import Problem, masked

if TYPE_CHECKING:
    from torch import Tensor

    from featprune.pruning.problem import Batch


def synflow(problem: Problem, masks: Sequence[Tensor], batch: Batch, generator: np.random.Generator) -> list[Tensor]:
    """Synaptic flow |dR/dw * w| of R = 1^T |W_L| ... |W_1| 1 (Tanaka et al. 2020); (out, in) a layer, float64.

    R is the summed output for an input of ones after all weights and biases are replaced by their absolute values
    (|b| joins the flow where a bias isn't zero). No data, no loss: the batch is ignored, and so are alpha and the
    reference, which would be a constant factor and a constant. Meant for 100 iterations (`prune_at_init`).

    The activation is left out, as in the equation above. For ReLU that changes nothing, as no preactivation is
    negative. tanh and erf would be saturated by these preactivations, which grow with the widths: their slope
    underflows to zero, the scores of all layers but the last vanish with it, and the conservation law (all layers
    have the same sum of scores if biases are zero), which is what avoids layer collapse, holds for homogeneous
    activations only. So they are linearized, with slope 1.

    The parametrization's multipliers belong to R, and since w * d/dw has no scale, the scores are those of the
    effective weights, the same in every parametrization. R is a product over layers, with a factor of order
    sqrt(width) for each: float64 has room for hundreds of layers.
    """
    import torch

    weights = [w.double().abs().detach().requires_grad_() for w in masked(problem.weights, masks)]
    biases = [b.double().abs() for b in problem.biases]
    ones = torch.ones(1, problem.network.widths[0], dtype=torch.float64)
    flow = replace(problem.network, activation="linear").output(weights, biases, ones).sum()
    return [(g * w).detach() for g, w in zip(torch.autograd.grad(flow, weights), weights, strict=True)]
