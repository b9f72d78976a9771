from dataclasses import replace

import numpy as np
import pytest
import torch

from featprune.errors import FeatpruneError
from featprune.network import MLP, PARAMETRIZATIONS
from featprune.pruning.problem import Problem
from featprune.pruning.snip import snip
from tests.unit.pruning.problems import TINY, draw_batch, forward, full, generator, make, parameters, some_masks


@pytest.mark.parametrize("parametrization", PARAMETRIZATIONS)
@pytest.mark.parametrize("moved", [False, True])
def test_f_is_the_scaled_difference_from_the_reference(parametrization, moved):
    problem = make(replace(TINY, parametrization=parametrization), moved, alpha=0.3, center=True)
    x, masks = draw_batch()[0], some_masks()
    kept = [[w * m for w, m in zip(ws, masks, strict=True)] for ws in (problem.weights, problem.reference_weights)]
    outputs = forward(problem, kept[0], problem.biases, x), forward(problem, kept[1], problem.reference_biases, x)
    f = problem.f(problem.weights, masks, x)
    torch.testing.assert_close(f, 0.3 * (outputs[0] - outputs[1]), rtol=1e-12, atol=1e-12)
    assert bool((f == 0).all()) is not moved
    plain = replace(problem, center=False).f(problem.weights, masks, x)
    torch.testing.assert_close(plain, 0.3 * outputs[0], rtol=1e-12, atol=1e-12)


def test_from_parameters_has_the_wanted_precision_and_no_replica_axis():
    p = parameters()
    problem = Problem.from_parameters(TINY, p)
    assert all(w.dtype == b.dtype == torch.float64 for w, b in zip(problem.weights, problem.biases, strict=True))
    assert [tuple(w.shape) for w in problem.weights] == TINY.shapes
    np.testing.assert_array_equal(problem.weights[1], p.weights[1][0])
    np.testing.assert_array_equal(problem.reference_biases[1], p.biases[1][0])
    single = Problem.from_parameters(TINY, p, dtype=torch.float32)
    assert single.f(single.weights, full(), draw_batch()[0]).dtype == torch.float32
    one_unit = MLP((1, 1, 1))
    assert make(one_unit).weights[0].shape == (1, 1)


def test_unknown_loss_lists_the_choices():
    with pytest.raises(FeatpruneError, match=r"unknown loss 'hinge'.*cross_entropy"):
        snip(make(loss="hinge"), full(), draw_batch(), generator())
