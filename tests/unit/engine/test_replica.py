"""Of a network wide enough to have dense layers; `test_training` has one of sparse layers only."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from featprune.activations import ACTIVATIONS
from featprune.engine.evaluation import Split
from featprune.engine.layers import DenseLayer, SparseLayer
from featprune.engine.replica import CHUNK, SPARSE_CHUNK, Replica, make_rule
from featprune.engine.stack import Stack
from featprune.engine.training import Trainee, data_order
from featprune.network import MLP, Parameters
from tests.unit.engine.test_training import SETTINGS as SMALL
from tests.unit.engine.test_training import distance, doubled, some_masks

NETWORK = MLP((50, 90, 60, 4), "tanh", "he_normal", "ntk")
BATCH, STEPS = 13, 12  # three columns of padding
SETTINGS = replace(SMALL, batch_size=BATCH, steps=STEPS, alpha=0.5, lr=0.02)
SAMPLES = 70


def bound(model, kind="classification", steps=STEPS):
    """The model with training data, reference outputs that aren't zero, and an order of batches."""
    rng = np.random.default_rng(0)
    x = torch.from_numpy(rng.standard_normal((SAMPLES, 50)))
    y = torch.from_numpy(rng.integers(0, 4, SAMPLES) if kind == "classification" else rng.standard_normal((SAMPLES, 4)))
    reference = torch.from_numpy(rng.standard_normal((1, SAMPLES, 4)))
    model.bind(Split(x, y, lambda _: reference), torch.from_numpy(data_order(0, SAMPLES, BATCH, steps)[None]))
    return model


def pair(density, network=NETWORK, settings=SETTINGS):
    """The same start under the same mask, computed by hand and by autograd."""
    masks = some_masks(density=density, network=network)
    start = doubled(network.initial([0]))
    return (Replica(network, start, masks, settings), Stack.pruned(network, start, masks, settings)), masks


@pytest.mark.parametrize("density", [1.0, 0.8, 0.1])
@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_every_step_is_that_of_autograd(activation, density):
    models, _ = pair(density, replace(NETWORK, activation=activation))
    dense = DenseLayer if density > 0.5 else SparseLayer
    assert [type(layer) for layer in models[0].layers] == [dense, dense, SparseLayer]
    by_hand, by_autograd = (bound(model) for model in models)
    before = by_hand.parameters()
    for _ in range(STEPS):
        by_hand.step()
        by_autograd.step()
        assert distance(by_hand.parameters(), by_autograd.parameters()) < 1e-12
    assert distance(before, by_hand.parameters()) > 1e-3


@pytest.mark.parametrize("density", [1.0, 0.8, 0.1])
def test_so_are_rates_by_density(density):
    settings = replace(SETTINGS, optimizer="adam", density_rates=True)
    (by_hand, by_autograd), masks = pair(density, settings=settings)
    start = by_hand.parameters()
    for model in (by_hand, by_autograd):
        bound(model).step()
    # Adam's first step is its rate: of weights over their layer's density, of biases as it is.
    moved, rate = by_hand.parameters(), settings.step_size(0)
    for new, old, mask in zip(moved.weights, start.weights, masks, strict=True):
        assert np.abs(new - old).max() == pytest.approx(rate / mask.mean(), rel=1e-4)
    for new, old in zip(moved.biases, start.biases, strict=True):
        assert np.abs(new - old).max() == pytest.approx(rate, rel=1e-4)
    for _ in range(STEPS - 1):
        by_hand.step()
        by_autograd.step()
        assert distance(by_hand.parameters(), by_autograd.parameters()) < 1e-11


@pytest.mark.parametrize("kind", ["classification", "regression"])
@pytest.mark.parametrize("optimizer", ["sgd", "adam"])
def test_so_are_momentum_decay_and_a_schedule_of_rates(optimizer, kind):
    loss = {"classification": "cross_entropy", "regression": "squared_error"}[kind]
    settings = replace(
        SETTINGS, optimizer=optimizer, loss=loss, momentum=0.9, weight_decay=0.05, milestones=(STEPS // 3, STEPS // 2)
    )
    models, masks = pair(0.8, settings=settings)
    by_hand, by_autograd = (bound(model, kind) for model in models)
    for _ in range(STEPS):
        by_hand.step()
        by_autograd.step()
        for p in (by_hand.parameters(), by_autograd.parameters()):
            assert all((w[~m] == 0).all() for w, m in zip(p.weights, masks, strict=True))
    assert distance(by_hand.parameters(), by_autograd.parameters()) < 1e-11


@pytest.mark.parametrize("samples", [1, SPARSE_CHUNK - 1, CHUNK, 2 * CHUNK + 5])
@pytest.mark.parametrize("density", [1.0, 0.1])
def test_the_output_is_the_networks(density, samples):
    models, _ = pair(density)
    x = np.random.default_rng(1).standard_normal((samples, 50))
    for model in models:
        p = model.parameters()
        expected = NETWORK.output(p.weights, p.biases, x)
        np.testing.assert_allclose(model.output(torch.from_numpy(x)), expected, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("density", [0.8, 0.1])
def test_pruned_values_do_not_matter_whatever_they_are(density):
    models, masks = pair(density)
    start = doubled(NETWORK.initial([0]))
    broken = Parameters(tuple(np.where(m, w, np.nan) for w, m in zip(start.weights, masks, strict=True)), start.biases)
    others: list[Trainee] = [kind(NETWORK, broken, masks, SETTINGS) for kind in (Replica, Stack.pruned)]
    for model, same in zip(models, others, strict=True):
        bound(model), bound(same)
        for _ in range(2):
            model.step()
            same.step()
        assert distance(model.parameters(), same.parameters()) == 0


@pytest.mark.parametrize("density", [1.0, 0.1])
def test_padding_takes_no_part(density):
    (replica, _), _ = pair(density)
    bound(replica)
    for _ in range(3):
        replica.step()
    assert not replica.rows[BATCH:].any()
    for units in [*(z.delta for z, _ in replica.hidden), torch.from_numpy(replica.delta)]:
        assert units.shape[1] == 16 and not units[:, BATCH:].any() and units[:, :BATCH].any()


def test_evaluation_disturbs_no_step():
    (watched, _), (alone, _) = pair(0.8)[0], pair(0.8)[0]
    bound(watched), bound(alone)
    for _ in range(3):
        watched.output(torch.ones(200, 50, dtype=torch.float64))
        watched.parameters()
        watched.step()
        alone.step()
    assert distance(watched.parameters(), alone.parameters()) == 0


def updated(settings, steps, dtype):
    """Parameters in two arrays after updates by random gradients: ours, and torch.optim's in float64."""
    rng = np.random.default_rng(0)
    values = [rng.standard_normal(n) for n in (1000, 7)]
    gradients = [[rng.standard_normal(p.size) for p in values] for _ in range(steps)]
    ours = [p.astype(dtype) for p in values]
    theirs = [torch.from_numpy(p.copy()).requires_grad_() for p in values]
    rate = settings.lr / (settings.alpha if settings.optimizer == "adam" else 1)
    decay = settings.weight_decay / settings.alpha**2
    optimizer: torch.optim.Optimizer
    if settings.optimizer == "adam":
        optimizer = torch.optim.Adam(theirs, rate, eps=1e-8 / settings.alpha, weight_decay=decay)
    else:
        optimizer = torch.optim.SGD(theirs, rate, settings.momentum, weight_decay=decay)
    schedule = torch.optim.lr_scheduler.MultiStepLR(optimizer, list(settings.milestones), 0.1)
    rule, moments = make_rule(settings), [np.zeros((2, p.size), dtype) for p in ours]
    for step, each in enumerate(gradients):
        for own, g, (m, v) in zip(ours, each, moments, strict=True):
            rule(step, 1)(own, g.astype(dtype), m, v)
        for p, g in zip(theirs, each, strict=True):
            p.grad = torch.from_numpy(g)
        optimizer.step()
        schedule.step()
    return ours, [p.detach().numpy() for p in theirs], values


@pytest.mark.parametrize(("dtype", "tolerance"), [(np.float64, 1e-12), (np.float32, 1e-5)])
@pytest.mark.parametrize("milestones", [(), (5, 20)])
@pytest.mark.parametrize(
    "options",
    [
        {"optimizer": "sgd"},
        {"optimizer": "sgd", "momentum": 0.9, "weight_decay": 0.1},
        {"optimizer": "adam"},
        {"optimizer": "adam", "weight_decay": 0.1},
    ],
    ids=lambda o: "-".join(map(str, o.values())),
)
def test_updates_are_torch_optims(options, milestones, dtype, tolerance):
    settings = replace(SETTINGS, lr=0.05, alpha=0.3, milestones=milestones, **options)
    ours, theirs, start = updated(settings, 30, dtype)
    for mine, expected, before in zip(ours, theirs, start, strict=True):
        np.testing.assert_allclose(mine, expected, rtol=0, atol=tolerance * np.abs(expected).max())
        assert np.abs(expected - before).min() > 1e-6
