"""Feature-aware scores against what they say they are: changes of preactivations and divergences, written out."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from featprune.network import MLP
from featprune.pruning import feature_aware as scores
from featprune.pruning.lamp import lamp
from featprune.pruning.masks import keep_highest
from featprune.pruning.problem import Problem
from tests.unit.pruning.problems import (
    TINY,
    VARIANTS,
    close,
    draw_batch,
    forward,
    full,
    generator,
    make,
    parameters,
    some_masks,
)

NTK = replace(TINY, parametrization="ntk")


def problems():
    for name, options in VARIANTS.items():
        yield pytest.param(make(moved=True, **options), id=name)
    yield pytest.param(make(NTK), id="ntk")


def masked(problem, masks):
    return [w * m for w, m in zip(problem.weights, masks, strict=True)]


def outputs(problem, masks, batch, weights, biases):
    """f of the given parameters, with the reference's output as it is."""
    h = forward(problem, weights, biases, batch[0])
    if problem.center:
        kept = [w * m for w, m in zip(problem.reference_weights, masks, strict=True)]
        h = h - forward(problem, kept, problem.reference_biases, batch[0])
    return problem.alpha * h


def inputs_of(problem, masks, batch, layer):
    """a of a layer, (P, in): the network cut off before it."""
    if layer == 0:
        return batch[0]
    part = replace(problem, network=replace(problem.network, widths=problem.network.widths[: layer + 1]))
    z = forward(part, masked(problem, masks)[:layer], problem.biases[:layer], batch[0])
    return {"tanh": torch.tanh, "relu": torch.relu}[problem.network.activation](z)


def divergence(problem, f, other):
    """Mean over x of KL(p || q), for Gaussians of unit variance half the squared distance."""
    if problem.loss == "squared_error":
        return (f - other).square().sum(-1).mean() / 2
    p, q = f.log_softmax(-1), other.log_softmax(-1)
    return (p.exp() * (p - q)).sum(-1).mean()


def gradient_squares(problem, masks, batch, layer):
    """E_y g^2, (P, out), by finite differences: a unit's bias moves its preactivation on every input."""
    weights, eps, columns = masked(problem, masks), 1e-5, []
    f = outputs(problem, masks, batch, weights, problem.biases)
    for unit in range(len(problem.biases[layer])):
        sides = []
        for shift in (eps, -eps):
            biases = [b.clone() for b in problem.biases]
            biases[layer][unit] += shift
            sides.append(outputs(problem, masks, batch, weights, biases))
        up, down = sides
        if problem.loss == "squared_error":
            columns.append(((up - down) / (2 * eps)).square().sum(-1))
        else:
            g = (up.log_softmax(-1) - down.log_softmax(-1)) / (2 * eps)
            columns.append((f.softmax(-1) * g.square()).sum(-1))
    return torch.stack(columns, 1)


def effective(problem, masks):
    return [w.abs() * c for w, c in zip(masked(problem, masks), problem.network.multipliers, strict=True)]


@pytest.mark.parametrize("masks", [full(), some_masks()], ids=["dense", "pruned"])
@pytest.mark.parametrize("problem", list(problems()))
def test_preactivation_is_how_much_a_preactivation_varies_less(problem, masks):
    batch = draw_batch(loss=problem.loss)
    for layer, score in enumerate(scores.preactivation(problem, masks, batch, generator())):
        a = inputs_of(problem, masks, batch, layer)
        changes = torch.einsum("oi,pi->poi", effective(problem, masks)[layer], a)
        close([score], [changes.std(0, correction=0)])


@pytest.mark.parametrize("masks", [full(), some_masks()], ids=["dense", "pruned"])
@pytest.mark.parametrize("problem", list(problems()))
def test_fisher_diagonal_is_the_divergence_with_the_bias_refitted(problem, masks):
    batch, eps = draw_batch(loss=problem.loss), 1e-4
    f = outputs(problem, masks, batch, masked(problem, masks), problem.biases)
    found = scores.fisher_diagonal(problem, masks, batch, generator())
    for layer, score in enumerate(found):
        mean = inputs_of(problem, masks, batch, layer).mean(0)
        expected = torch.zeros_like(score)
        for i, j in np.ndindex(*score.shape):
            weights, biases = masked(problem, masks), [b.clone() for b in problem.biases]
            weights[layer][i, j] += eps
            biases[layer][i] -= eps * problem.network.multipliers[layer] * mean[j]
            kl = divergence(problem, f, outputs(problem, masks, batch, weights, biases))
            expected[i, j] = (2 * kl / eps**2).sqrt() * masked(problem, masks)[layer][i, j].abs()
        close([score], [expected], rtol=2e-3)


@pytest.mark.parametrize("masks", [full(), some_masks()], ids=["dense", "pruned"])
@pytest.mark.parametrize("problem", list(problems()))
def test_factors_written_out(problem, masks):
    batch = draw_batch(loss=problem.loss)
    sizes, deviations, rms = [], [], []
    for layer in range(len(problem.weights)):
        a = inputs_of(problem, masks, batch, layer)
        deviations.append((a - a.mean(0)).square().mean(0).sqrt())
        sizes.append(a.square().mean(0).sqrt())
        rms.append(gradient_squares(problem, masks, batch, layer).mean(0).sqrt()[:, None])
    size = effective(problem, masks)
    expected = {
        "activation": [w * a for w, a in zip(size, sizes, strict=True)],
        "gradient": [w * g for w, g in zip(size, rms, strict=True)],
        "fisher": [w * a * g for w, a, g in zip(size, deviations, rms, strict=True)],
        "fisher_uncentered": [w * a * g for w, a, g in zip(size, sizes, rms, strict=True)],
    }
    for name, value in expected.items():
        close(getattr(scores, name)(problem, masks, batch, generator()), value, rtol=1e-6)


def test_the_two_fishers_are_one_where_the_factors_are_independent():
    """A linear softmax layer with zero weights: p is uniform, so that g doesn't depend on x."""
    network = MLP((4, 3), "linear")
    problem, batch = make(network), draw_batch(network)
    weights = [torch.full_like(w, 1e-9) for w in problem.weights]
    problem = replace(problem, weights=weights, biases=[torch.zeros(3, dtype=torch.float64)])
    expected = 1e-9 * batch[0].std(0, correction=0) * (1 / 3 * 2 / 3) ** 0.5
    close(scores.fisher(problem, full(network), batch, generator()), [expected.expand(3, 4)], rtol=1e-6)
    close(scores.fisher_diagonal(problem, full(network), batch, generator()), [expected.expand(3, 4)], rtol=1e-6)


def test_an_input_that_never_varies_costs_nothing_to_lose():
    problem, (x, y) = make(), draw_batch()
    x[:, 2] = 5.0
    for name in ("preactivation", "fisher", "fisher_diagonal"):
        first = getattr(scores, name)(problem, full(), (x, y), generator())[0]
        assert (first[:, 2] < 1e-12).all() and (first[:, [0, 1, 3]] > 1e-6).all()
    assert (scores.activation(problem, full(), (x, y), generator())[0][:, 2] > 0.1).all()


def test_lamp_is_the_share_of_what_would_be_left_of_the_layer():
    problem = Problem.from_parameters(TINY, parameters(), gradients=False)
    masks = [m.numpy() for m in some_masks()]
    for w, m, score in zip(problem.weights, masks, lamp(problem, masks, None, generator()), strict=True):
        squares = (w * m) ** 2
        for place in np.ndindex(*w.shape):
            left = squares[squares >= squares[place]].sum()
            assert score[place] == pytest.approx(squares[place] / left if m[place] else 0.0)


def test_lamp_empties_no_layer_and_keeps_each_layers_order():
    problem = Problem.from_parameters(MLP((20, 30, 4)), parameters(MLP((20, 30, 4))), gradients=False)
    weights = [problem.weights[0] * 1e-6, problem.weights[1]]
    problem = replace(problem, weights=weights)
    ones = [np.ones((1, *w.shape), bool) for w in weights]
    values = [s[None] for s in lamp(problem, [m[0] for m in ones], None, generator())]
    for count in (2, 20, 300):
        kept = keep_highest(values, ones, [count])
        assert all(m.any() for m in kept)
        for w, m in zip(weights, kept, strict=True):
            assert np.abs(w[m[0]]).min() >= np.abs(w[~m[0]]).max()
