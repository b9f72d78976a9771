"""GraSP: gradient signal preservation at the initialization (Wang, Zhang & Grosse 2020)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from featprune.pruning.problem import Problem, leaves, mean_loss

if TYPE_CHECKING:
    from torch import Tensor

    from featprune.pruning.problem import Batch


# GraSP divides logits by this, which brings a softmax that isn't centered close to uniform (Wang et al. 2020).
TEMPERATURE = 200.0


def grasp(problem: Problem, masks: Sequence[Tensor], batch: Batch, generator: np.random.Generator) -> list[Tensor]:
    """Gradient signal preservation w * (H g), signed, the largest kept (Wang et al. 2020); (out, in) a layer.

    g and H are the gradient and Hessian of the loss with respect to the surviving weights (biases are constants, and
    so are pruned weights), both from the whole batch. To first order, pruning a weight lowers the squared norm of g
    by twice its score: a weight with a large one is kept. (The paper writes -w * (H g), and removes the largest.)

    Under cross-entropy the logits f are divided by TEMPERATURE, as in the paper. Under the squared error, where that
    would be another regression problem, they aren't. g is the gradient in the stored weights, which are what is
    trained, so masks do depend on the parametrization.

    Of a centered f at the initialization, with t = alpha / temperature, J the Jacobian of h and r its loss gradient
    at h = 0, the score is t^2 w * [(r . Hessian of h) J^T r + t J^T S J J^T r]. The first bracket is all that small
    alphas see, and the lazy limit is the second: the (frozen) neural tangent kernel's.
    """
    import torch

    x, y = batch
    weights = leaves(problem.weights, masks)
    temperature = TEMPERATURE if problem.loss == "cross_entropy" else 1.0
    loss = mean_loss(problem, problem.f(weights, masks, x) / temperature, y)
    gradients = torch.autograd.grad(loss, weights, create_graph=True)
    # H g is the gradient of g . c, where the constant c has g's value.
    dot = torch.stack([(g * g.detach()).sum() for g in gradients]).sum()
    products = torch.autograd.grad(dot, weights)
    return [(w * product).detach() for w, product in zip(weights, products, strict=True)]
