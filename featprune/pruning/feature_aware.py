"""Feature-aware scores: how much the function feels that a weight is gone, through the preactivation that it feeds.

Without the weight w_ij, z_i loses w_ij a_j on each input. Its mean over the data is a constant, which a bias can take
over; what is left varies with deviation |w_ij| sd_x(a_j) (`preactivation`). The log-likelihood of the network's own
labels, y ~ p(y | x), changes by g_i = d log p(y | x) / d z_i for each unit of z_i, so with the bias refitted the
divergence between the two networks is, to second order,

    KL(p || p without w_ij) = 1/2 w_ij^2 E_x[(a_j - E a_j)^2 E_y g_i^2],

optimal brain damage (LeCun et al. 1990) with the Fisher information for the Hessian and the bias projected out. Its
root is the score `fisher_diagonal`. With the mean of the product replaced by the product of means, the diagonal of a
Kronecker-factored Fisher matrix (Martens & Grosse 2015), it is `fisher`: |w_ij| sd_x(a_j) rms_{x, y}(g_i).

Each of the other scores leaves something out, to tell what it brings: centering (`fisher_uncentered`; without gradients
`activation`, which is Wanda's, Sun et al. 2024), the gradients, the activations (`gradient`).

The expectation over y is exact, the sum over all classes (a Gaussian of unit variance for the squared error). Weights
are effective ones, so a score is the same for every parametrization. x are the batch's.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from math import prod
from typing import TYPE_CHECKING

import numpy as np

from featprune.activations import ACTIVATIONS
from featprune.pruning.problem import Problem, masked

if TYPE_CHECKING:
    from torch import Tensor

    from featprune.pruning.problem import Batch


def preactivation(
    problem: Problem, masks: Sequence[Tensor], batch: Batch, generator: np.random.Generator
) -> list[Tensor]:
    """|w_ij| sd_x(a_j); (out, in) a layer."""
    inputs, _ = signals(problem, masks, batch)
    return weighed(problem, masks, map(deviation, inputs))


def activation(problem: Problem, masks: Sequence[Tensor], batch: Batch, generator: np.random.Generator) -> list[Tensor]:
    """|w_ij| rms_x(a_j) (Wanda); (out, in) a layer."""
    inputs, _ = signals(problem, masks, batch)
    return weighed(problem, masks, map(size, inputs))


def gradient(problem: Problem, masks: Sequence[Tensor], batch: Batch, generator: np.random.Generator) -> list[Tensor]:
    """|w_ij| rms_{x, y}(g_i); (out, in) a layer."""
    _, squares = signals(problem, masks, batch, gradients=True)
    return weighed(problem, masks, map(felt, squares))


def fisher(problem: Problem, masks: Sequence[Tensor], batch: Batch, generator: np.random.Generator) -> list[Tensor]:
    """|w_ij| sd_x(a_j) rms_{x, y}(g_i); (out, in) a layer."""
    inputs, squares = signals(problem, masks, batch, gradients=True)
    return weighed(problem, masks, map(deviation, inputs), map(felt, squares))


def fisher_uncentered(
    problem: Problem, masks: Sequence[Tensor], batch: Batch, generator: np.random.Generator
) -> list[Tensor]:
    """|w_ij| rms_x(a_j) rms_{x, y}(g_i), for biases that aren't refitted; (out, in) a layer."""
    inputs, squares = signals(problem, masks, batch, gradients=True)
    return weighed(problem, masks, map(size, inputs), map(felt, squares))


def fisher_diagonal(
    problem: Problem, masks: Sequence[Tensor], batch: Batch, generator: np.random.Generator
) -> list[Tensor]:
    """|w_ij| E_x[(a_j - E a_j)^2 E_y g_i^2]^(1/2), without the Kronecker factors' approximation; (out, in) a layer."""
    inputs, squares = signals(problem, masks, batch, gradients=True)
    centered = [(a - a.mean(0)).square() for a in inputs]
    factors = [(g.T @ a / len(a)).sqrt() for a, g in zip(centered, squares, strict=True)]
    return weighed(problem, masks, factors)


def signals(
    problem: Problem, masks: Sequence[Tensor], batch: Batch, gradients: bool = False
) -> tuple[list[Tensor], list[Tensor]]:
    """Of each layer, of the masked network on the batch: its inputs a, (P, in), and E_y g^2, (P, out), if asked for."""
    import torch

    x = batch[0].to(problem.weights[0].dtype)
    # Of the graph only the preactivations are wanted, and a bias is where each begins.
    biases = [b.detach().clone().requires_grad_(gradients) for b in problem.biases]
    with torch.set_grad_enabled(gradients):
        z = problem.network.preactivations(masked(problem.weights, masks), biases, x)
    sigma = ACTIVATIONS[problem.network.activation].tensor
    inputs = [x, *(sigma(h.detach()) for h in z[:-1])]
    squares = [torch.zeros_like(h) for h in z] if gradients else []
    for direction in _likelihood_directions(problem, masks, x, z[-1].detach()) if gradients else []:
        each = torch.autograd.grad((z[-1] * direction).sum(), z, retain_graph=True)
        squares = [total + g.square() for total, g in zip(squares, each, strict=True)]
    return inputs, squares


def _likelihood_directions(problem: Problem, masks: Sequence[Tensor], x: Tensor, h: Tensor) -> list[Tensor]:
    """Vectors v_y(x), (P, outputs), so that the sum over y of (v_y . dh/dz)^2 is E_y (d log p(y | x) / dz)^2."""
    import torch

    one_hot = torch.eye(h.shape[1], dtype=h.dtype)
    if problem.loss == "squared_error":
        return [problem.alpha * row.expand_as(h) for row in one_hot]
    reference = problem.network.output(masked(problem.reference_weights, masks), problem.reference_biases, x)
    p = problem.objective.f(h, reference if problem.center else 0.0).softmax(-1)
    return [problem.alpha * p[:, y : y + 1].sqrt() * (one_hot[y] - p) for y in range(h.shape[1])]


def deviation(a: Tensor) -> Tensor:
    """The standard deviation over samples of a (P, units), (1, units)."""
    return a.std(0, correction=0)[None]


def size(a: Tensor) -> Tensor:
    """The root mean square over samples of a (P, units), (1, units)."""
    return a.square().mean(0).sqrt()[None]


def felt(squares: Tensor) -> Tensor:
    """The root mean over samples of E_y g^2 (P, units), how much the likelihood feels each unit, (units, 1)."""
    return squares.mean(0).sqrt()[:, None]


def weighed(problem: Problem, masks: Sequence[Tensor], *factors: Iterable[Tensor]) -> list[Tensor]:
    """|w| of the effective weights times the factors of each layer, each (out, in) or what broadcasts to it."""
    layers = zip(masked(problem.weights, masks), problem.network.multipliers, *factors, strict=True)
    return [prod(each, start=w.abs() * multiplier).detach() for w, multiplier, *each in layers]
