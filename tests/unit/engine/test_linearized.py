from dataclasses import replace

import numpy as np
import pytest
import torch

from featprune.activations import ACTIVATIONS
from featprune.engine.linearized import Linearized, LinearizedReplica
from featprune.engine.settings import Start
from featprune.engine.stack import Stack
from featprune.engine.training import train
from featprune.network import MLP, Parameters
from tests.unit.engine.test_replica import NETWORK, SETTINGS, STEPS, bound
from tests.unit.engine.test_training import NETWORK as SMALL
from tests.unit.engine.test_training import SETTINGS as SMALL_SETTINGS
from tests.unit.engine.test_training import distance, doubled, loss_at, made_data, some_masks, started


def moved(start: Parameters, by: float, seed: int = 0) -> Parameters:
    """Values at this distance in a random direction."""
    rng = np.random.default_rng(seed)
    groups = ([a + by * rng.standard_normal(a.shape) for a in group] for group in (start.weights, start.biases))
    return Parameters(*map(tuple, groups))


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_every_layer_is_the_tangent_at_the_anchor(activation):
    network = MLP((6, 7, 5, 3), activation, "ntk", "ntk")
    anchor = moved(doubled(network.initial([0, 1])), 0.1)
    linear = Linearized.around(network, anchor)
    x = np.random.default_rng(1).standard_normal((9, 6))
    here = network.preactivations(anchor.weights, anchor.biases, x)
    for z, expected in zip(linear.preactivations(anchor.weights, anchor.biases, x), here, strict=True):
        np.testing.assert_allclose(z, expected, rtol=1e-12, atol=1e-12)
    # By central differences along a direction; no unit of a relu is that near its kink.
    step = 1e-6
    ahead, behind = (moved(anchor, sign * step) for sign in (1, -1))
    far = moved(anchor, 1.0)
    sides = (network.preactivations(p.weights, p.biases, x) for p in (ahead, behind))
    slopes = [(b - a) / (2 * step) for b, a in zip(*sides, strict=True)]
    for z, before, slope in zip(linear.preactivations(far.weights, far.biases, x), here, slopes, strict=True):
        np.testing.assert_allclose(z, before + slope, rtol=1e-7, atol=1e-7)


def test_arrays_and_tensors_give_the_same():
    network = MLP((6, 7, 3), "tanh")
    anchor = doubled(network.initial([0]))
    linear, there = Linearized.around(network, anchor), moved(anchor, 0.3)
    x = np.random.default_rng(1).standard_normal((9, 6))
    groups = ([torch.from_numpy(a) for a in group] for group in (there.weights, there.biases))
    torch.testing.assert_close(
        torch.from_numpy(linear.output(there.weights, there.biases, x)),
        linear.output(*groups, torch.from_numpy(x)),
        rtol=0,
        atol=0,
    )


@pytest.mark.parametrize("optimizer", ["sgd", "adam"])
@pytest.mark.parametrize("density", [1.0, 0.8, 0.1])
@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_every_step_is_that_of_autograd_through_torchs_jvp(activation, density, optimizer):
    network = replace(NETWORK, activation=activation)
    masks = some_masks(density=density, network=network)
    anchor = moved(doubled(network.initial([0])), 0.1, 1).masked(masks)  # with biases that are not zero
    linear, start = Linearized.around(network, anchor), moved(anchor, 0.2).masked(masks)
    settings = replace(SETTINGS, optimizer=optimizer, momentum=0.5, weight_decay=0.0, linearize=True)
    by_hand = bound(LinearizedReplica(linear, start, masks, settings))
    by_autograd = bound(Stack.pruned(linear, start, masks, settings))
    x = torch.from_numpy(np.random.default_rng(2).standard_normal((30, 50)))
    for _ in range(STEPS):
        by_hand.step()
        by_autograd.step()
        assert distance(by_hand.parameters(), by_autograd.parameters()) < 1e-11
    assert distance(start, by_hand.parameters()) > 1e-3
    torch.testing.assert_close(by_hand.output(x), by_autograd.output(x), rtol=1e-9, atol=1e-9)


def test_alpha_scales_out_of_its_training():
    """By steps of gradient descent f depends on alpha not at all, and the way of the weights is one over it."""
    data, masks = made_data(np.float64, regression=True), some_masks(2)
    start = started((0, 1), np.float64)
    settings = replace(SMALL_SETTINGS, optimizer="sgd", loss="squared_error", linearize=True, momentum=0.0)
    runs = {a: train(SMALL, start, masks, data, (0, 1), replace(settings, alpha=a)) for a in (1.0, 8.0)}
    np.testing.assert_allclose(runs[1.0].history["loss"], runs[8.0].history["loss"], rtol=1e-9)
    before = start.parameters.masked(masks)
    ways = {a: [w - b for w, b in zip(run.parameters.weights, before.weights, strict=True)] for a, run in runs.items()}
    for whole, eighth in zip(ways[1.0], ways[8.0], strict=True):
        np.testing.assert_allclose(eighth, whole / 8, rtol=1e-8, atol=1e-12)


def test_a_run_is_linearized_around_its_reference_not_where_it_starts():
    data, masks = made_data(np.float64), some_masks(1)
    reference = doubled(SMALL.initial([0]))
    start = Start(moved(reference, 0.3), reference)
    settings = replace(SMALL_SETTINGS, steps=1, evaluate_at=(0,), snapshot_at=(), linearize=True)
    loss = train(SMALL, start, masks, data, (0,), settings).history["loss"]
    linear = Linearized.around(SMALL, reference.masked(masks))
    there, origin = start.parameters.masked(masks), reference.masked(masks)
    h, before = (linear.output(p.weights, p.biases, data.validation_x) for p in (there, origin))
    f = settings.objective.f(torch.from_numpy(h), torch.from_numpy(before))
    expected = settings.objective.losses(f, torch.from_numpy(data.validation_y))
    assert loss[0] == pytest.approx(float(expected[0]), rel=1e-12)


def test_steps_below_the_rounding_of_the_weights_are_not_lost():
    """In single precision weights of 0.3 are 3e-8 apart, and steps here are of 3e-9."""
    masks, settings = some_masks(1), replace(SMALL_SETTINGS, optimizer="adam", steps=300, evaluate_at=(0, 300))
    settings = replace(settings, alpha=1e5, lr=3e-4, snapshot_at=(), linearize=True)

    def loss(dtype):
        outcome = train(SMALL, started((0,), dtype), masks, made_data(dtype), (0,), settings)
        return loss_at(outcome, 300, "train")

    learned = np.log(3) - loss(np.float64)  # f is 0 at first
    assert learned > 0.02 and np.log(3) - loss(np.float32) == pytest.approx(learned, rel=0.05)


def test_weight_decay_is_refused():
    anchor = SMALL.initial([0])
    with pytest.raises(ValueError, match="no weight decay"):
        LinearizedReplica(
            Linearized.around(SMALL, anchor), anchor, some_masks(1), replace(SMALL_SETTINGS, weight_decay=0.1)
        )
