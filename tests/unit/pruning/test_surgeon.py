"""Repairs and the surgeon's scores against least squares written out, in float64."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from featprune.network import MLP
from featprune.pruning import feature_aware, surgeon
from featprune.pruning.fold import fold, layer_inputs
from featprune.pruning.problem import masked
from featprune.pruning.repair import repaired
from tests.unit.engine.test_training import NETWORK, made_data
from tests.unit.engine.test_training import some_masks as replicas_masks
from tests.unit.pruning.problems import TINY, close, draw_batch, full, generator, make, some_masks

NETWORKS = [TINY, replace(TINY, parametrization="ntk"), replace(TINY, activation="relu"), MLP((6, 3), "linear")]
REPAIRS = [fold, surgeon.surgeon]
SAMPLES = 40


def pruned_before(problem, share=0.8):
    """A problem some of whose weights are zero already, and masks that remove more."""
    old = some_masks(problem.network, share)
    masks = [m & w for m, w in zip(old, reversed_masks(problem.network), strict=True)]
    return replace(problem, weights=masked(problem.weights, old)), masks


def reversed_masks(network):
    return [m.flip(0, 1) for m in some_masks(network, 0.7)]


def layers(problem, batch):
    """(a, c, w, b) of each layer: the inputs, in numpy, that the network before pruning gives it."""
    inputs = [a.numpy() for a in layer_inputs(problem, batch)]
    stored = ([t.numpy() for t in group] for group in (problem.weights, problem.biases))
    return list(zip(inputs, problem.network.multipliers, *stored, strict=True))


def ridge_of(a):
    return surgeon.RIDGE * a.var(0).mean()


@pytest.mark.parametrize("network", NETWORKS)
@pytest.mark.parametrize("repair", REPAIRS)
def test_repairs_leave_every_mean_preactivation_as_it_was(network, repair):
    (problem, masks), batch = pruned_before(make(network)), draw_batch(network, SAMPLES)
    weights, biases = repair(problem, masks, batch)
    for (a, c, w, b), new, bias, m in zip(layers(problem, batch), weights, biases, masks, strict=True):
        z, after = c * a @ w.T + b, c * a @ new.numpy().T + bias.numpy()
        np.testing.assert_allclose(after.mean(0), z.mean(0), atol=1e-12)
        assert (new[~m] == 0).all() and not np.allclose(after, z)


@pytest.mark.parametrize("network", NETWORKS)
def test_folded_biases_gain_the_means_of_what_goes(network):
    (problem, masks), batch = pruned_before(make(network)), draw_batch(network, SAMPLES)
    weights, biases = fold(problem, masks, batch)
    close(weights, masked(problem.weights, masks))
    for (a, c, w, b), bias, m in zip(layers(problem, batch), biases, masks, strict=True):
        for i in range(len(b)):
            gain = sum(c * w[i, j] * a[:, j].mean() for j in range(a.shape[1]) if not m[i, j])
            assert bias[i].item() == pytest.approx(b[i] + gain)


@pytest.mark.parametrize("ridge", [0.0, surgeon.RIDGE])
@pytest.mark.parametrize("network", NETWORKS)
def test_surgeon_is_the_least_squares_fit_of_preactivations(network, ridge, monkeypatch):
    monkeypatch.setattr(surgeon, "RIDGE", ridge)
    (problem, masks), batch = pruned_before(make(network)), draw_batch(network, SAMPLES)
    weights, biases = surgeon.surgeon(problem, masks, batch)
    for (a, c, w, b), new, bias, m in zip(layers(problem, batch), weights, biases, masks, strict=True):
        z, size = c * a @ w.T + b, np.sqrt(len(a) * ridge_of(a))
        for i in range(len(b)):
            kept = np.flatnonzero(m[i])
            # The last unknown is the bias. The rows below say how little the survivors are to change.
            data = np.c_[c * a[:, kept], np.ones(len(a))]
            penalty = c * size * np.eye(len(kept), len(kept) + 1)
            target = np.r_[z[:, i], c * size * w[i, kept]]
            expected = np.linalg.lstsq(np.r_[data, penalty], target, rcond=None)[0]
            np.testing.assert_allclose(np.r_[new[i, kept].numpy(), bias[i].item()], expected, rtol=1e-8, atol=1e-10)


@pytest.mark.parametrize("repair", REPAIRS)
def test_where_nothing_goes_nothing_changes(repair):
    problem, _ = pruned_before(make())
    once = [w != 0 for w in problem.weights]
    # One unit loses a weight, and only it changes.
    once[1][2, once[1][2].nonzero()[0]] = False
    weights, biases = repair(problem, once, draw_batch(samples=SAMPLES))
    for layer, (new, bias) in enumerate(zip(weights, biases, strict=True)):
        others = torch.arange(len(bias)) != (2 if layer == 1 else -1)
        assert torch.equal(new[others], problem.weights[layer][others])
        assert torch.equal(bias[others], problem.biases[layer][others])
    assert biases[1][2] != problem.biases[1][2]


def test_a_redundant_input_of_a_linear_network_is_replaced_exactly(monkeypatch):
    network = MLP((5, 4, 3), "linear")
    problem, (x, y) = make(network), draw_batch(network, SAMPLES)
    x[:, 3] = 2 * x[:, 0] - x[:, 1] + 7
    masks = full(network)
    masks[0][:, 3] = False
    h = network.output(problem.weights, problem.biases, x)

    def error(values):
        return (network.output(*values, x) - h).abs().max()

    # As far as the ridge lets it; without one, to rounding.
    assert error(surgeon.surgeon(problem, masks, (x, y))) < 0.05 * error(fold(problem, masks, (x, y)))
    monkeypatch.setattr(surgeon, "RIDGE", 0.0)
    weights, biases = surgeon.surgeon(problem, masks, (x, y))
    assert error((weights, biases)) < 1e-12
    gone = problem.weights[0][:, 3]
    close([weights[0][:, 0]], [problem.weights[0][:, 0] + 2 * gone])
    close([biases[0]], [problem.biases[0] + 7 * gone])


@pytest.mark.parametrize("network", NETWORKS)
def test_obs_is_the_least_error_that_losing_a_weight_costs(network):
    batch, masks = draw_batch(network, SAMPLES), some_masks(network, 0.8)
    problem = make(network)
    problem = replace(problem, weights=masked(problem.weights, masks))
    scores = surgeon.obs(problem, masks, batch, generator())
    for layer, (a, c, w, _) in enumerate(layers(problem, batch)):
        centered, expected = a - a.mean(0), torch.zeros_like(scores[layer])
        for i, j in masks[layer].nonzero().tolist():
            without = [m.clone() for m in masks]
            without[layer][i, j] = False
            new = surgeon.surgeon(problem, without, batch)[0][layer].numpy()
            change = c * (new - w)[i]
            error = np.square(centered @ change).mean()
            change[j] = 0
            expected[i, j] = np.sqrt(error + ridge_of(a) * np.square(change).sum())
        close([scores[layer]], [expected], rtol=1e-7)


def test_fisher_obs_is_obs_times_the_size_of_the_gradient():
    problem, masks, batch = make(), some_masks(), draw_batch(samples=SAMPLES)
    obs, both, gradient = (
        score(problem, masks, batch, generator()) for score in (surgeon.obs, surgeon.fisher_obs, feature_aware.gradient)
    )
    sizes = [w.abs() for w in masked(problem.weights, masks)]
    close([f * w for f, w in zip(both, sizes, strict=True)], [o * g for o, g in zip(obs, gradient, strict=True)])


def test_of_independent_inputs_obs_is_preactivation_and_the_surgeon_folds(monkeypatch):
    monkeypatch.setattr(surgeon, "RIDGE", 0.0)
    network = MLP((3, 2), "linear")
    problem, masks = make(network), some_masks(network)
    x = torch.cartesian_prod(*[torch.tensor([0.0, 1.0, 5.0], dtype=torch.float64)] * 3)
    batch = x, torch.zeros(len(x), dtype=torch.int64)
    names = (surgeon.obs, feature_aware.preactivation)
    close(*(score(problem, full(network), batch, generator()) for score in names))
    for ours, theirs in zip(surgeon.surgeon(problem, masks, batch), fold(problem, masks, batch), strict=True):
        close(ours, theirs)


@pytest.mark.parametrize("dead", [[2], [0, 1, 2, 3]])
def test_inputs_that_never_vary_break_nothing(dead):
    problem, masks, (x, y) = make(), some_masks(), draw_batch(samples=SAMPLES)
    x[:, dead] = torch.tensor([0.1, 5.0, 0.3, 0.0], dtype=torch.float64)[dead]
    for score in (surgeon.obs, surgeon.fisher_obs):
        found = score(problem, full(), (x, y), generator())
        assert all(s.isfinite().all() for s in found)
        assert (found[0][:, dead] == 0).all()
    weights, _ = surgeon.surgeon(problem, masks, (x, y))
    assert all(w.isfinite().all() for w in weights)
    assert torch.equal(weights[0][:, dead], masked(problem.weights, masks)[0][:, dead])


def test_inputs_that_never_vary_change_nothing_for_the_others():
    problem, masks, (x, y) = make(MLP((6, 3), "linear")), some_masks(MLP((6, 3))), draw_batch(samples=SAMPLES)
    shorter = replace(problem, network=MLP((4, 3), "linear"), weights=[problem.weights[0][:, :4]])
    longer = torch.cat([x, torch.tensor([[3.0, 0.0]], dtype=x.dtype).expand(len(x), 2)], 1)
    found, expected = (
        (surgeon.obs(p, m, batch, generator())[0], surgeon.surgeon(p, m, batch)[0][0])
        for p, m, batch in ((problem, masks, (longer, y)), (shorter, [masks[0][:, :4]], (x, y)))
    )
    close([ours[:, :4] for ours in found], expected)


@pytest.mark.parametrize("repair", REPAIRS)
def test_repairs_are_the_same_for_every_parametrization(repair):
    network, (problem, masks) = replace(TINY, parametrization="mean_field"), pruned_before(make())
    stored = [w / c for w, c in zip(problem.weights, network.multipliers, strict=True)]
    batch = draw_batch(samples=SAMPLES)
    weights, biases = repair(replace(problem, network=network, weights=stored), masks, batch)
    effective = [w * c for w, c in zip(weights, network.multipliers, strict=True)]
    for ours, theirs in zip((effective, biases), repair(problem, masks, batch), strict=True):
        close(ours, theirs)


@pytest.mark.parametrize("repair", REPAIRS)
def test_replicas_are_repaired_one_by_one_and_diverged_ones_left_alone(repair):
    data, trained, masks = made_data(), NETWORK.initial([5, 6, 7]), replicas_masks(3)
    trained.weights[0][1, 0, 0] = np.nan
    block = repaired(repair, NETWORK, data, [0, 1, 2], 40, trained, masks)
    alone = repaired(repair, NETWORK, data, [2], 40, trained.replicas([2]), [m[2:] for m in masks])
    pairs = zip(block.weights + block.biases, alone.weights + alone.biases, strict=True)
    assert all(ours.dtype == np.float32 and np.array_equal(ours[2:], theirs) for ours, theirs in pairs)
    for ours, theirs in zip(block.weights + block.biases, trained.weights + trained.biases, strict=True):
        assert np.array_equal(ours[1], theirs[1], equal_nan=True)
    assert not np.array_equal(block.biases[0][0], trained.biases[0][0])
