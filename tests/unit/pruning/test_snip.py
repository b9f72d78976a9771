import numpy as np
import pytest
import torch

from featprune.network import MLP
from featprune.pruning.masks import all_ones
from featprune.pruning.snip import snip
from tests.unit.pruning.problems import (
    TINY,
    VARIANTS,
    close,
    draw_batch,
    flat,
    full,
    generator,
    make,
    plain_loss,
    prune,
    some_masks,
    split,
)


@pytest.mark.parametrize("moved", [False, True])
@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.parametrize("masks", [full(), some_masks()], ids=["dense", "pruned"])
def test_snip_is_the_gradient_of_explicit_mask_variables(variant, moved, masks):
    problem = make(moved=moved, **VARIANTS[variant])
    batch = draw_batch(loss=problem.loss)
    gates = [m.double().requires_grad_() for m in masks]
    plain_loss(problem, problem.weights, gates, batch).backward()
    expected = [g.grad.abs() * m for g, m in zip(gates, masks, strict=True)]
    close(snip(problem, masks, batch, generator()), expected)


@pytest.mark.parametrize("variant", VARIANTS)
def test_snip_against_finite_differences_of_the_loss(variant):
    problem, masks, eps = make(moved=True, **VARIANTS[variant]), some_masks(), 1e-5
    batch, start = draw_batch(loss=problem.loss), flat(problem.weights)
    gates = [m.double() for m in masks]

    def loss(index, shift):
        """With one connection strengthened, in the moving network alone."""
        shifted = start.clone()
        shifted[index] *= 1 + shift
        return plain_loss(problem, split(shifted), gates, batch)

    expected = torch.stack([abs(loss(i, eps) - loss(i, -eps)) / (2 * eps) for i in range(len(start))])
    scores = flat(snip(problem, masks, batch, generator()))
    torch.testing.assert_close(scores, expected, rtol=1e-6, atol=1e-9)


def test_snip_closed_form_of_one_centered_linear_layer():
    # f = 0, so dL/dW = alpha * mean over samples of (1/C - onehot(y)) x^T.
    network = MLP((4, 3), "linear")
    problem, (x, y) = make(network, alpha=2.0, center=True), draw_batch(network)
    residual = 1 / 3 - torch.nn.functional.one_hot(y, 3).double()
    expected = (2 * residual.T @ x / len(x) * problem.weights[0]).abs()
    close(snip(problem, full(network), (x, y), generator()), [expected])


def test_alpha_scales_centered_snip_and_leaves_its_masks():
    batch, ones, masks = draw_batch(), all_ones(TINY.shapes, 1), {}
    unit = snip(make(center=True), full(), batch, generator())
    for alpha in (0.01, 0.3, 1.0, 100.0):
        problem = make(alpha=alpha, center=True)
        close(snip(problem, full(), batch, generator()), [alpha * s for s in unit], rtol=1e-12)
        masks[alpha] = prune(snip, problem, ones, 20, batch, generator(), 5)
        assert all(np.array_equal(a, b) for a, b in zip(masks[alpha], masks[0.01], strict=True))


def test_alpha_matters_without_centering_but_small_ones_are_as_centered():
    batch = draw_batch()
    centered = snip(make(center=True), full(), batch, generator())
    small = [s / 1e-6 for s in snip(make(alpha=1e-6), full(), batch, generator())]
    close(small, centered, rtol=1e-5)
    ratio = flat(snip(make(alpha=5.0), full(), batch, generator())) / flat(centered)
    assert ratio.max() / ratio.min() > 1.5
