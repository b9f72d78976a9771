import pytest
import torch

from featprune.network import MLP
from featprune.pruning.grasp import grasp
from featprune.pruning.masks import all_ones
from tests.unit.pruning.problems import (
    TEMPERATURE,
    VARIANTS,
    close,
    draw_batch,
    flat,
    forward,
    full,
    generator,
    make,
    plain_loss,
    prune,
    some_masks,
    split,
)


def explicit_grasp(problem, masks, batch):
    """w * H g with the full Hessian of the surviving weights, element by element."""
    temperature = TEMPERATURE if problem.loss == "cross_entropy" else 1.0
    kept, start = flat(masks), flat(problem.weights)

    def loss(survivors):
        weights = torch.zeros_like(start).masked_scatter(kept, survivors)
        return plain_loss(problem, split(weights), [m.double() for m in masks], batch, temperature)

    survivors = start[kept]
    hessian = torch.autograd.functional.hessian(loss, survivors)
    gradient = torch.autograd.functional.jacobian(loss, survivors)
    return split(torch.zeros_like(start).masked_scatter(kept, survivors * (hessian @ gradient)))


@pytest.mark.parametrize("moved", [False, True])
@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.parametrize("masks", [full(), some_masks()], ids=["dense", "pruned"])
def test_grasp_against_the_full_hessian(variant, moved, masks):
    problem = make(moved=moved, **VARIANTS[variant])
    batch = draw_batch(loss=problem.loss)
    scores = grasp(problem, masks, batch, generator())
    close(scores, explicit_grasp(problem, masks, batch))
    assert (flat(scores) < 0).any() and (flat(scores) > 0).any()


@pytest.mark.parametrize("variant", VARIANTS)
def test_grasp_is_half_the_relative_slope_of_the_squared_gradient_norm(variant):
    problem, masks = make(moved=True, **VARIANTS[variant]), some_masks()
    batch, eps = draw_batch(loss=problem.loss), 1e-5
    temperature = TEMPERATURE if problem.loss == "cross_entropy" else 1.0
    gates, kept, start = [m.double() for m in masks], flat(masks), flat(problem.weights)

    def squared_norm(index, shift):
        shifted = start.clone()
        shifted[index] *= 1 + shift
        weights = [w.requires_grad_() for w in split(shifted)]
        loss = plain_loss(problem, weights, gates, batch, temperature)
        return (flat(torch.autograd.grad(loss, weights))[kept] ** 2).sum()

    expected = [(squared_norm(i, eps) - squared_norm(i, -eps)) / (4 * eps) for i in range(len(start))]
    scores = flat(grasp(problem, masks, batch, generator()))
    torch.testing.assert_close(scores, torch.stack(expected), rtol=1e-6, atol=1e-8 * float(scores.abs().max()))


def test_grasp_keeps_what_the_gradient_norm_needs():
    # Keeping the high scores must leave a larger gradient than keeping the low ones.
    network = MLP((20, 30, 20, 5), init="he_normal")
    problem, batch = make(network), draw_batch(network, 50)
    norms = []
    for sign in (1, -1):

        def score(*arguments, sign=sign):
            return [sign * s for s in grasp(*arguments)]

        masks = prune(score, problem, all_ones(network.shapes, 1), 600, batch, generator())
        weights = [w.clone().requires_grad_() for w in problem.weights]
        loss = plain_loss(problem, weights, [torch.from_numpy(m[0]).double() for m in masks], batch, TEMPERATURE)
        norms.append(float((flat(torch.autograd.grad(loss, weights)) ** 2).sum()))
    assert norms[0] > 10 * norms[1]


@pytest.mark.parametrize("loss", ["cross_entropy", "squared_error"])
def test_centered_grasp_has_a_second_and_a_third_power_of_alpha(loss):
    batch = draw_batch(loss=loss)

    def scaled(alpha):
        """Score / alpha^2, which is curvature + alpha * kernel."""
        return flat(grasp(make(alpha=alpha, center=True, loss=loss), full(), batch, generator())) / alpha**2

    at_one, at_two = scaled(1.0), scaled(2.0)
    kernel, curvature = at_two - at_one, 2 * at_one - at_two
    for alpha in (1e-3, 0.3, 50.0, 1e3):
        expected = curvature + alpha * kernel
        torch.testing.assert_close(scaled(alpha), expected, rtol=1e-8, atol=1e-9 * float(expected.abs().max()))
    # The kernel term, written out: w * J^T S J g, of which J and S are those of h at f = 0.
    problem, (x, y) = make(), batch
    outputs = torch.autograd.functional.jacobian(
        lambda w: forward(problem, split(w), problem.biases, x), flat(problem.weights)
    )
    samples, classes, _ = outputs.shape
    temperature = TEMPERATURE if loss == "cross_entropy" else 1.0
    if loss == "cross_entropy":
        residual = (1 / classes - torch.nn.functional.one_hot(y, classes).double()) / samples
        middle = (torch.eye(classes) / classes - 1 / classes**2).double() / samples
    else:
        residual, middle = -2 * y / (samples * classes), 2 * torch.eye(classes).double() / (samples * classes)
    gradient = torch.einsum("pck,pc->k", outputs, residual)
    curved = torch.einsum("pck,cd,pdj,j->k", outputs, middle, outputs, gradient)
    expected = flat(problem.weights) * curved / temperature**3
    torch.testing.assert_close(kernel, expected, rtol=1e-6, atol=1e-7 * float(expected.abs().max()))
