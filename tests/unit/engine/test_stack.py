"""Stacked training on autograd, which is what Replica is compared with elsewhere."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from featprune.engine.evaluation import Split, no_reference
from featprune.engine.stack import CHUNK, Stack
from featprune.engine.training import train
from tests.unit.engine.test_training import NETWORK, SETTINGS, distance, doubled, made_data, some_masks, started


@pytest.mark.parametrize("optimizer", ["sgd", "adam"])
@pytest.mark.parametrize("loss", ["cross_entropy", "squared_error"])
def test_stacked_replicas_equal_the_replicas_one_by_one(monkeypatch, optimizer, loss):
    """The batched computation that a GPU gets, here on a CPU in float64."""
    pruned = Stack.pruned

    def on_cpu(network, start, masks, settings, device):
        return pruned(network, start, masks, settings)

    monkeypatch.setattr(Stack, "pruned", on_cpu)
    data = made_data(np.float64, regression=loss == "squared_error")
    start, masks = started((0, 1, 2), np.float64), some_masks(3)
    settings = replace(SETTINGS, optimizer=optimizer, loss=loss, alpha=0.5, momentum=0.5, weight_decay=0.01, lr=0.01)
    alone = train(NETWORK, start, masks, data, (0, 1, 2), settings)
    stacked = train(NETWORK, start, masks, data, (0, 1, 2), settings, device="stack")
    assert distance(stacked.parameters, alone.parameters) < 1e-10
    assert (stacked.history["seed"] == alone.history["seed"]).all()
    assert (stacked.history["split"] == alone.history["split"]).all()
    np.testing.assert_allclose(stacked.history["loss"], alone.history["loss"], rtol=1e-9)
    assert all((w[~m] == 0).all() for w, m in zip(stacked.parameters.weights, masks, strict=True))


def test_output_is_the_networks_in_parts_of_any_size():
    masks = some_masks(2)
    start = doubled(NETWORK.initial([0, 1]))
    x = np.random.default_rng(0).standard_normal((CHUNK + 3, 6))
    found = Stack.pruned(NETWORK, start, masks, SETTINGS).output(torch.from_numpy(x))
    pruned = start.masked(masks)
    np.testing.assert_allclose(found, NETWORK.output(pruned.weights, pruned.biases, x), rtol=1e-12, atol=1e-12)


def test_weights_may_be_any_function_of_what_is_trained():
    """Of each layer one number is trained, which scales a fixed matrix: its gradient by finite differences."""
    fixed = doubled(NETWORK.initial([0]))
    directions = [torch.from_numpy(w) for w in fixed.weights]
    settings = replace(SETTINGS, batch_size=60, lr=0.1, alpha=0.5, weight_decay=0.2)
    x, y = torch.from_numpy(made_data(np.float64).train_x), torch.from_numpy(made_data().train_y)
    split = Split(x, y, no_reference(1, 3))

    def scaled(scales):
        return [s * d for s, d in zip(scales, directions, strict=True)]

    def loss(scales) -> float:
        weights = scaled(scales)
        h = NETWORK.output(weights, [torch.from_numpy(b) for b in fixed.biases], x)[0]
        decay = 0.1 * sum(float((w**2).sum()) for w in weights) / 0.25
        return float(torch.nn.functional.cross_entropy(0.5 * h, y)) / 0.25 + decay

    stack = Stack(NETWORK, [np.array(s) for s in (1.0, 1.2, 0.8)], fixed.biases, scaled, settings)
    stack.bind(split, torch.arange(60)[None, None])
    stack.step()
    for layer, scale in enumerate((1.0, 1.2, 0.8)):
        sides = []
        for shift in (1e-6, -1e-6):
            scales = [1.0, 1.2, 0.8]
            scales[layer] += shift
            sides.append(loss(scales))
        expected = scale - 0.1 * (sides[0] - sides[1]) / 2e-6
        assert float(stack.trained[layer].detach()) == pytest.approx(expected, rel=1e-6)
        np.testing.assert_allclose(
            stack.parameters().weights[layer], float(stack.trained[layer].detach()) * fixed.weights[layer], rtol=1e-12
        )
