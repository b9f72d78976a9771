"""Movement against the sum that it stands for, along gradient descent in small steps."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from featprune.network import MLP
from featprune.pruning.movement import movement
from featprune.pruning.problem import Problem

from .problems import draw_batch, flat, generator, parameters, plain_loss, some_masks


@pytest.mark.parametrize("parametrization", ["standard", "ntk"])
def test_movement_is_what_movement_pruning_sums_along_gradient_descent(parametrization):
    network = MLP((4, 5, 3), "tanh", parametrization=parametrization)
    start = Problem.from_parameters(network, parameters(network))
    masks, batch, rate = some_masks(network), draw_batch(), 1e-4
    weights = [w.clone().requires_grad_() for w in start.weights]
    summed = [torch.zeros_like(w) for w in weights]
    for _ in range(2000):
        gradients = torch.autograd.grad(plain_loss(start, weights, masks, batch), weights)
        for w, g, s, c in zip(weights, gradients, summed, network.multipliers, strict=True):
            s -= rate * c**2 * (w * g).detach()
            w.data -= rate * g
    moved = [w.detach() for w in weights]
    scores = movement(replace(start, weights=moved), masks, None, generator())
    assert flat(scores).abs().max() > 1e-3
    assert torch.allclose(flat(scores), flat(summed), rtol=2e-2, atol=1e-6)
    assert (flat(scores)[~flat(masks)] == 0).all()


def test_what_shrinks_scores_below_what_grows_whatever_its_size():
    problem = Problem.from_parameters(MLP((2, 2, 1)), parameters(MLP((2, 2, 1))))
    first = torch.tensor([[2.0, -0.1], [0.5, -3.0]], dtype=torch.float64)
    trained = torch.tensor([[1.9, -0.2], [0.4, -3.1]], dtype=torch.float64)
    problem = replace(problem, weights=[trained, *problem.weights[1:]], reference_weights=[first, *problem.weights[1:]])
    ones = [torch.ones_like(w, dtype=torch.bool) for w in problem.weights]
    score = movement(problem, ones, None, generator())[0].numpy()
    np.testing.assert_array_equal(np.sign(score), [[-1, 1], [-1, 1]])
