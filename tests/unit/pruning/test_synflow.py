import itertools
from dataclasses import replace

import numpy as np
import pytest
import torch

from featprune.network import MLP, PARAMETRIZATIONS
from featprune.pruning.masks import all_ones, remaining
from featprune.pruning.problem import Problem
from featprune.pruning.synflow import synflow
from tests.unit.pruning.problems import (
    LARGE,
    TINY,
    close,
    collapsed,
    draw_batch,
    flat,
    forward,
    full,
    generator,
    make,
    prune,
    some_masks,
    split,
)


@pytest.mark.parametrize("parametrization", PARAMETRIZATIONS)
@pytest.mark.parametrize("activation", ["relu", "linear", "tanh", "erf"])
@pytest.mark.parametrize("masks", [full(), some_masks()], ids=["dense", "pruned"])
def test_synflow_closed_form(activation, parametrization, masks):
    network = replace(TINY, activation=activation, parametrization=parametrization)
    problem = make(network)
    matrices = [
        c * np.abs(w.numpy()) * m.numpy() for c, w, m in zip(network.multipliers, problem.weights, masks, strict=True)
    ]
    incoming = [np.ones(4)]
    for matrix, bias in zip(matrices, problem.biases, strict=True):
        incoming.append(matrix @ incoming[-1] + np.abs(bias.numpy()))
    outgoing = [np.ones(3)]
    for matrix in matrices[:0:-1]:
        outgoing.insert(0, matrix.T @ outgoing[0])
    expected = [torch.from_numpy(o[:, None] * m * i) for o, m, i in zip(outgoing, matrices, incoming, strict=False)]
    close(synflow(problem, masks, draw_batch(), generator()), expected)


@pytest.mark.parametrize("masks", [full(), some_masks()], ids=["dense", "pruned"])
def test_synflow_against_finite_differences_of_a_relu_network(masks):
    # |theta| explicitly, and the ReLU as it is.
    network, eps = replace(TINY, activation="relu"), 1e-5
    problem = make(network)
    start, biases, ones = flat(problem.weights).abs(), [b.abs() for b in problem.biases], torch.ones(1, 4).double()

    def flow(index, shift):
        shifted = start.clone()
        shifted[index] *= 1 + shift
        weights = [w * m for w, m in zip(split(shifted), masks, strict=True)]
        return forward(problem, weights, biases, ones).sum()

    expected = torch.stack([(flow(i, eps) - flow(i, -eps)) / (2 * eps) for i in range(len(start))])
    scores = flat(synflow(problem, masks, draw_batch(), generator()))
    torch.testing.assert_close(scores, expected, rtol=1e-8, atol=1e-9)


@pytest.mark.parametrize("activation", ["relu", "linear", "tanh", "erf"])
@pytest.mark.parametrize("parametrization", PARAMETRIZATIONS)
def test_synflow_is_conserved_from_layer_to_layer(activation, parametrization):
    network = MLP((40, 30, 20, 10), activation, parametrization=parametrization)
    problem = Problem.from_parameters(network, network.initial([0]))
    scores = synflow(problem, some_masks(network), draw_batch(network), generator())
    sums = [float(s.sum()) for s in scores]
    assert sums == pytest.approx([sums[0]] * 3, rel=1e-12)
    # Unit by unit: what comes in goes out.
    for below, above in itertools.pairwise(scores):
        torch.testing.assert_close(below.sum(1), above.sum(0), rtol=1e-12, atol=0)


def test_synflow_ignores_data_alpha_and_centering():
    plain = synflow(make(), full(), draw_batch(), generator())
    rich = make(moved=True, alpha=0.1, center=True, loss="squared_error")
    for a, b in zip(plain, synflow(rich, full(), draw_batch(loss="squared_error"), generator()), strict=True):
        assert torch.equal(a, b)


def test_synflow_neither_overflows_nor_vanishes_in_deep_wide_networks():
    for init in ("he_normal", "mean_field"):
        network = MLP((200,) * 60, init=init)
        problem = Problem.from_parameters(network, network.initial([0]), dtype=torch.float32)
        scores = flat(synflow(problem, full(network), draw_batch(), generator()))
        assert scores.dtype == torch.float64 and scores.isfinite().all() and (scores > 0).all()
    assert scores.max() > torch.finfo(torch.float32).max


def test_synflow_prunes_no_layer_away():
    problem = Problem.from_parameters(LARGE, LARGE.initial([0]))
    masks = prune(synflow, problem, all_ones(LARGE.shapes, 1), 2_662, draw_batch(), generator(), 100)
    assert remaining(masks).tolist() == [2_662]
    assert collapsed(masks) == []
    # Hardly a weight is left without a path from an input to an output (only the last iteration's removals cut any).
    scores = synflow(problem, [torch.from_numpy(m[0]) for m in masks], draw_batch(), generator())
    assert int((flat(scores) > 0).sum()) > 0.99 * 2_662


def test_synflow_reaches_the_critical_compression_without_collapse():
    # One weight a layer is the least that keeps the network connected (Tanaka et al. 2020).
    network = MLP((30, 20, 10, 5))
    problem = Problem.from_parameters(network, network.initial([0]))
    masks = prune(synflow, problem, all_ones(network.shapes, 1), 3, draw_batch(), generator(), 100)
    assert [int(m.sum()) for m in masks] == [1, 1, 1]
