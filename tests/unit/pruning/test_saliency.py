import itertools
import math
from dataclasses import replace

import numpy as np
import pytest
import torch

from featprune.errors import FeatpruneError
from featprune.network import MLP, PARAMETRIZATIONS, Parameters
from featprune.pruning.masks import all_ones, remaining
from featprune.pruning.saliency import (
    Problem,
    collapsed,
    grasp,
    iteration_counts,
    magnitude,
    prune_at_init,
    random,
    snip,
    synflow,
)
from featprune.randomness import numpy_generator

TEMPERATURE = 200.0  # of GraSP, in the paper
TINY = MLP((4, 5, 4, 3), "tanh", "he_normal")
LARGE = MLP((784, 300, 100, 10))
SCORES = (snip, grasp, synflow, magnitude, random)
DETERMINISTIC = SCORES[:-1]
WITH_LOSS = (snip, grasp)
VARIANTS = {
    "plain": {},
    "centered": {"alpha": 0.7, "center": True},
    "rich": {"alpha": 0.1},
    "regression": {"alpha": 3.0, "center": True, "loss": "squared_error"},
}


def parameters(network=TINY, seed=0, bias=0.3):
    """Initial values, with random biases of the given deviation: nothing may depend on their being zero."""
    p = network.initial([seed])
    rng = np.random.default_rng(seed)
    biases = tuple((bias * rng.standard_normal(b.shape)).astype(np.float32) for b in p.biases)
    return Parameters(p.weights, biases)


def make(network=TINY, moved=False, **options):
    """A problem; `moved` takes another reference, so that a centered f isn't zero."""
    reference = parameters(network, 1) if moved else None
    return Problem.from_parameters(network, parameters(network), reference, **options)


def draw_batch(network=TINY, samples=12, loss="cross_entropy"):
    rng = np.random.default_rng(7)
    x = torch.from_numpy(rng.standard_normal((samples, network.widths[0])))
    if loss == "cross_entropy":
        return x, torch.from_numpy(rng.integers(0, network.widths[-1], samples))
    return x, torch.from_numpy(rng.standard_normal((samples, network.widths[-1])))


def some_masks(network=TINY, share=0.7):
    rng = np.random.default_rng(3)
    return [torch.from_numpy(rng.random(shape) < share) for shape in network.shapes]


def full(network=TINY):
    return [torch.ones(shape, dtype=torch.bool) for shape in network.shapes]


def generator():
    return numpy_generator(0, "test")


def flat(tensors):
    return torch.cat([t.flatten() for t in tensors])


def split(vector, network=TINY):
    sizes = [a * b for a, b in network.shapes]
    return [v.reshape(s) for v, s in zip(vector.split(sizes), network.shapes, strict=True)]


def forward(problem, weights, biases, x):
    """h written out, without featprune.network."""
    sigma = {"tanh": torch.tanh, "relu": lambda h: h.clamp(min=0), "erf": torch.erf, "linear": lambda h: h}
    a = x
    for layer, (w, b, c) in enumerate(zip(weights, biases, problem.network.multipliers, strict=True)):
        h = c * torch.einsum("pi,oi->po", a, w) + b
        a = sigma[problem.network.activation](h) if layer < len(weights) - 1 else h
    return a


def plain_loss(problem, weights, masks, batch, temperature=1.0):
    """The loss written out, of explicitly multiplied masks; the reference's output is a constant."""
    x, y = batch
    h = forward(problem, [w * m for w, m in zip(weights, masks, strict=True)], problem.biases, x)
    if problem.center:
        kept = [w * m.detach() for w, m in zip(problem.reference_weights, masks, strict=True)]
        h = h - forward(problem, kept, problem.reference_biases, x)
    f = problem.alpha * h / temperature
    if problem.loss == "squared_error":
        return ((f - y) ** 2).mean()
    return (f.exp().sum(1).log() - f[torch.arange(len(y)), y]).mean()


def close(actual, expected, rtol=1e-9):
    for a, e in zip(actual, expected, strict=True):
        assert a.shape == e.shape
        torch.testing.assert_close(a, e, rtol=rtol, atol=rtol * float(flat(expected).abs().max()))


# f


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


# SNIP


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


# GraSP


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

        masks = prune_at_init(score, problem, all_ones(network.shapes, 1), 600, batch, generator())
        weights = [w.clone().requires_grad_() for w in problem.weights]
        loss = plain_loss(problem, weights, [torch.from_numpy(m[0]).double() for m in masks], batch, TEMPERATURE)
        norms.append(float((flat(torch.autograd.grad(loss, weights)) ** 2).sum()))
    assert norms[0] > 10 * norms[1]


# SynFlow


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
    masks = prune_at_init(synflow, problem, all_ones(LARGE.shapes, 1), 2_662, draw_batch(), generator(), 100)
    assert remaining(masks).tolist() == [2_662]
    assert collapsed(masks) == []
    # Hardly a weight is left without a path from an input to an output (only the last iteration's removals cut any).
    scores = synflow(problem, [torch.from_numpy(m[0]) for m in masks], draw_batch(), generator())
    assert int((flat(scores) > 0).sum()) > 0.99 * 2_662


def test_synflow_reaches_the_critical_compression_without_collapse():
    # One weight a layer is the least that keeps the network connected (Tanaka et al. 2020).
    network = MLP((30, 20, 10, 5))
    problem = Problem.from_parameters(network, network.initial([0]))
    masks = prune_at_init(synflow, problem, all_ones(network.shapes, 1), 3, draw_batch(), generator(), 100)
    assert [int(m.sum()) for m in masks] == [1, 1, 1]


# magnitude, random


def test_magnitude_is_that_of_effective_weights():
    network = replace(TINY, parametrization="mean_field")
    problem = make(network)
    scores = magnitude(problem, full(), draw_batch(), generator())
    close(scores, [problem.weights[0].abs() / 2, problem.weights[1].abs() / math.sqrt(5), problem.weights[2].abs() / 4])


# what all share


@pytest.mark.parametrize("score", SCORES)
@pytest.mark.parametrize("center", [False, True])
def test_pruned_weights_score_zero_and_cannot_be_felt(score, center):
    problem, masks, batch = make(center=center), some_masks(), draw_batch()
    before = [w.clone() for w in problem.weights]
    scores = score(problem, masks, batch, generator())
    assert all((s[~m] == 0).all() and not s.requires_grad for s, m in zip(scores, masks, strict=True))
    spoiled = [torch.where(m, w, torch.nan) for w, m in zip(problem.weights, masks, strict=True)]
    other = replace(problem, weights=spoiled, reference_weights=spoiled)
    assert all(torch.equal(a, b) for a, b in zip(scores, score(other, masks, batch, generator()), strict=True))
    assert all(torch.equal(a, b) and not a.requires_grad for a, b in zip(problem.weights, before, strict=True))


@pytest.mark.parametrize("score", DETERMINISTIC)
@pytest.mark.parametrize("center", [False, True])
def test_hidden_units_have_no_order(score, center):
    problem, batch, masks = make(center=center, alpha=0.5), draw_batch(), some_masks()
    first, second = torch.tensor([3, 0, 4, 1, 2]), torch.tensor([2, 3, 1, 0])

    def permute(tensors):
        a, b, c = tensors
        return [a[first], b[second][:, first], c[:, second]]

    def permute_units(tensors):
        a, b, c = tensors
        return [a[first], b[second], c]

    permuted = replace(
        problem,
        weights=permute(problem.weights),
        biases=permute_units(problem.biases),
        reference_weights=permute(problem.reference_weights),
        reference_biases=permute_units(problem.reference_biases),
    )
    expected = permute(score(problem, masks, batch, generator()))
    close(score(permuted, permute(masks), batch, generator()), expected)


@pytest.mark.parametrize("score", [snip, synflow, magnitude])
@pytest.mark.parametrize("parametrization", ["ntk", "mean_field"])
def test_parametrization_of_the_same_effective_weights_does_not_matter(score, parametrization):
    network = replace(TINY, parametrization=parametrization)
    problem, batch = make(center=True), draw_batch()
    stored = [w / c for w, c in zip(problem.weights, network.multipliers, strict=True)]
    other = replace(problem, network=network, weights=stored, reference_weights=stored)
    close(score(other, full(), batch, generator()), score(problem, full(), batch, generator()))


# alpha


def test_alpha_scales_centered_snip_and_leaves_its_masks():
    batch, ones, masks = draw_batch(), all_ones(TINY.shapes, 1), {}
    unit = snip(make(center=True), full(), batch, generator())
    for alpha in (0.01, 0.3, 1.0, 100.0):
        problem = make(alpha=alpha, center=True)
        close(snip(problem, full(), batch, generator()), [alpha * s for s in unit], rtol=1e-12)
        masks[alpha] = prune_at_init(snip, problem, ones, 20, batch, generator(), 5)
        assert all(np.array_equal(a, b) for a, b in zip(masks[alpha], masks[0.01], strict=True))


def test_alpha_matters_without_centering_but_small_ones_are_as_centered():
    batch = draw_batch()
    centered = snip(make(center=True), full(), batch, generator())
    small = [s / 1e-6 for s in snip(make(alpha=1e-6), full(), batch, generator())]
    close(small, centered, rtol=1e-5)
    ratio = flat(snip(make(alpha=5.0), full(), batch, generator())) / flat(centered)
    assert ratio.max() / ratio.min() > 1.5


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


# masks


def test_iteration_counts():
    assert iteration_counts(1000, 10, 1) == [10]
    assert iteration_counts(1000, 10, 2) == [100, 10]
    assert iteration_counts(10_000, 1, 4) == [1000, 100, 10, 1]
    counts = iteration_counts(266_200, 2_662, 100)
    assert len(counts) == 100 and counts[-1] == 2_662
    assert all(c == round(266_200 * 0.01 ** (k / 100)) for k, c in enumerate(counts, 1))
    assert iteration_counts(10, 8, 100) == [9, 8]
    assert iteration_counts(10, 10, 3) == [10]
    assert iteration_counts(10, 0, 3) == [0]
    assert iteration_counts(0, 0, 3) == [0]


@pytest.mark.parametrize("score", SCORES)
@pytest.mark.parametrize("iterations", [1, 7])
def test_masks_have_exact_counts_are_nested_and_repeat(score, iterations):
    network = MLP((20, 15, 10, 5))
    problem, batch = make(network), draw_batch(network)
    previous, seen = all_ones(network.shapes, 1), []

    def watched(problem, masks, *rest):
        seen.append([m.clone() for m in masks])
        return score(problem, masks, *rest)

    for count in (300, 77, 20):
        masks = prune_at_init(watched, problem, previous, count, batch, generator(), iterations)
        again = prune_at_init(score, problem, previous, count, batch, generator(), iterations)
        assert remaining(masks).tolist() == [count]
        for mask, repeated, before, shape in zip(masks, again, previous, network.shapes, strict=True):
            assert mask.dtype == bool and mask.shape == (1, *shape)
            assert (mask <= before).all() and np.array_equal(mask, repeated)
        previous = masks
    # Each iteration is scored under the masks of the one before, from the first ones on.
    assert len(seen) == 3 * iterations
    sizes = [int(flat(masks).sum()) for masks in seen]
    starts = [500, 300, 77]
    expected = [
        c
        for start, count in zip(starts, (300, 77, 20), strict=True)
        for c in [start, *iteration_counts(start, count, iterations)[:-1]]
    ]
    assert sizes == expected
    assert all((flat(later) <= flat(earlier)).all() for earlier, later in itertools.pairwise(seen))


def test_highest_scores_of_all_layers_are_kept():
    problem, batch = make(), draw_batch()
    scores = flat(grasp(problem, full(), batch, generator()))
    masks = prune_at_init(grasp, problem, all_ones(TINY.shapes, 1), 13, batch, generator())
    kept = flat([torch.from_numpy(m) for m in masks])
    assert scores[kept].min() > scores[~kept].max()


def test_too_many_weights_and_scores_that_are_not_finite():
    problem, batch, ones = make(), draw_batch(), all_ones(TINY.shapes, 1)
    with pytest.raises(ValueError, match="only 52 survive"):
        prune_at_init(snip, problem, ones, 53, batch, generator(), 3)
    broken = replace(problem, weights=[w * torch.inf for w in problem.weights])
    with pytest.raises(FeatpruneError, match="snip scores are not finite"):
        prune_at_init(snip, broken, ones, 5, batch, generator())


def test_float32_problems_give_nearly_the_same_scores():
    batch = draw_batch()
    for score in WITH_LOSS:
        single = score(make(center=True, dtype=torch.float32), full(), batch, generator())
        close([s.double() for s in single], score(make(center=True), full(), batch, generator()), rtol=1e-4)


def test_collapsed_names_the_layers_that_are_empty():
    masks = all_ones([(3, 4), (2, 3), (1, 2)], 1)
    assert collapsed(masks) == []
    masks[0][:], masks[2][:] = False, False
    assert collapsed(masks) == [1, 3]


def test_a_global_ranking_may_empty_a_layer():
    # Why collapse is looked for: a last layer with a much smaller scale (mean field) goes first by magnitude.
    network = MLP((20, 200, 5), init="mean_field")
    problem = Problem.from_parameters(network, network.initial([0]))
    masks = prune_at_init(magnitude, problem, all_ones(network.shapes, 1), 500, draw_batch(), generator())
    assert collapsed(masks) == [2]
