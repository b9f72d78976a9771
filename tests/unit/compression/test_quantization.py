from dataclasses import replace

import numpy as np
import pytest
import torch
from sklearn.cluster import KMeans

from featprune.compression.quantization import (
    Quantized,
    evaluate,
    fine_tune,
    linear_centroids,
    quantize,
    shared_weights,
)
from featprune.datasets.dataset import Dataset
from featprune.engine.settings import Settings
from featprune.errors import FeatpruneError
from featprune.network import MLP, Parameters

NETWORK = MLP((6, 16, 12, 3), "tanh", "he_normal")
SETTINGS = Settings(
    loss="cross_entropy",
    optimizer="adam",
    lr=0.01,
    momentum=0.0,
    weight_decay=0.0,
    batch_size=20,
    steps=100,
    alpha=1.0,
    center=False,
    evaluate_at=(),
)


def made_data(regression=False) -> Dataset:
    rng = np.random.default_rng(0)
    parts = {}
    for split in ("train", "validation", "test"):
        x = rng.standard_normal((200, 6)).astype(np.float32)
        parts[f"{split}_x"] = x
        parts[f"{split}_y"] = np.sin(x[:, :3]) if regression else np.argmax(x[:, :3] * x[:, 3:], 1)
    return Dataset(**parts)


def some_masks(density=0.6, network=NETWORK):
    rng = np.random.default_rng(1)
    return [rng.random((1, *shape)) < density for shape in network.shapes]


def small(bits=(3, 3, 3), density=0.6) -> Quantized:
    return quantize(NETWORK.initial([0]), some_masks(density), bits)


def layer_of(values, mask=None) -> tuple[Parameters, list[np.ndarray]]:
    weight = np.asarray(values, np.float32).reshape(1, 1, -1)
    masks = [np.ones(weight.shape, bool) if mask is None else np.asarray(mask).reshape(weight.shape)]
    return Parameters((weight,), (np.zeros((1, 1), np.float32),)), masks


def test_centroids_start_equally_spaced_between_the_extremes(monkeypatch):
    np.testing.assert_allclose(linear_centroids(np.array([0.5, -1.0, 2.0]), 4), [-1, 0, 1, 2])
    starts = []
    fit = KMeans.fit
    monkeypatch.setattr(KMeans, "fit", lambda self, x: starts.append(self.init[:, 0]) or fit(self, x))
    values = np.random.default_rng(0).standard_normal(300)
    quantize(*layer_of(values), [4])
    spacing = np.diff(starts[0])
    np.testing.assert_allclose(spacing, spacing[0])
    np.testing.assert_allclose(starts[0][[0, -1]], np.float32([values.min(), values.max()]))


def test_a_weight_has_its_nearest_centroid_and_a_centroid_is_the_mean_of_its_weights():
    values = np.random.default_rng(0).standard_normal(500)
    parameters, masks = layer_of(values)
    q = quantize(parameters, masks, [4])
    codebook, weights = q.codebooks[0], parameters.weights[0].ravel()
    assert (len(codebook), codebook.dtype, q.codes[0].dtype) == (16, np.float32, np.uint8)
    np.testing.assert_array_equal(q.codes[0], np.abs(weights[:, None] - codebook).argmin(1))
    means = [weights[q.codes[0] == c].mean() for c in range(16)]
    np.testing.assert_allclose(codebook, means, atol=1e-6)


def test_clusters_of_a_made_case_are_found():
    parameters, masks = layer_of(
        [-1.1, 9, -0.9, 3.0, 9, 3.2, -1.0, 2.8], [True, False, True, True, False, True, True, True]
    )
    q = quantize(parameters, masks, [1])
    np.testing.assert_array_equal(q.codes[0], [0, 0, 1, 1, 0, 1])
    np.testing.assert_allclose(q.codebooks[0], [-1, 3], rtol=1e-6)
    np.testing.assert_allclose(q.parameters().weights[0].ravel(), [-1, 0, -1, 3, 0, 3, -1, 3], rtol=1e-6)


def test_few_distinct_weights_are_kept_exactly():
    parameters, masks = layer_of([0.1, -0.3, 0.1, 0.7, 0.1])
    q = quantize(parameters, masks, [2])
    assert len(q.codebooks[0]) == 3
    np.testing.assert_array_equal(q.parameters().weights[0], parameters.weights[0])


def test_an_empty_layer_has_neither_codes_nor_centroids():
    q = quantize(*layer_of([1.0, 2.0], [False, False]), [6])
    assert len(q.codes[0]) == len(q.codebooks[0]) == 0
    assert not q.parameters().weights[0].any()


@pytest.mark.parametrize("bits", [1, 5, 8])
def test_pruned_weights_are_exactly_zero_and_more_bits_come_closer(bits):
    start, masks = NETWORK.initial([0]), some_masks()
    q = quantize(start, masks, [bits] * 3)
    error = [np.abs(w - v)[m].max() for w, v, m in zip(start.weights, q.parameters().weights, masks, strict=True)]
    span = [np.ptp(w[m]) for w, m in zip(start.weights, masks, strict=True)]
    assert all(e <= s / 2**bits for e, s in zip(error, span, strict=True))
    for w, m in zip(q.parameters().weights, masks, strict=True):
        assert (w[~m] == 0).all()


def test_quantizing_twice_gives_the_same():
    for one, other in zip(small().codebooks, small().codebooks, strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("bits", [(0, 3, 3), (9, 3, 3), (3, 3)])
def test_bits_out_of_range_are_an_error(bits):
    with pytest.raises(FeatpruneError, match="1 to 8"):
        small(bits)


def test_a_diverged_network_is_an_error():
    with pytest.raises(FeatpruneError, match=r"layer 1.*finite"):
        quantize(*layer_of([1.0, np.nan]), [1])
    quantize(*layer_of([1.0, np.nan], [True, False]), [1])  # a pruned weight doesn't matter


def test_several_networks_are_an_error():
    with pytest.raises(ValueError, match="one network"):
        quantize(NETWORK.initial([0, 1]), [np.repeat(m, 2, 0) for m in some_masks()], [3] * 3)


def test_a_centroids_gradient_is_the_sum_of_its_weights_gradients():
    q, data = small(), made_data()
    x, y = torch.from_numpy(data.train_x).double(), torch.from_numpy(data.train_y)
    biases = [torch.from_numpy(b).double() for b in q.biases]

    def loss(weights):
        return torch.nn.functional.cross_entropy(NETWORK.output(weights, biases, x)[0], y)

    weights = [torch.from_numpy(w).double().requires_grad_() for w in q.parameters().weights]
    codebooks = [torch.from_numpy(c).double().requires_grad_() for c in q.codebooks]
    places = [(torch.from_numpy(m), torch.from_numpy(c)) for m, c in zip(q.masks, q.codes, strict=True)]

    def shared(books):
        return [shared_weights(book, *place) for book, place in zip(books, places, strict=True)]

    loss(weights).backward()
    loss(shared(codebooks)).backward()
    for layer, (w, book) in enumerate(zip(weights, codebooks, strict=True)):
        gradient = w.grad.numpy()[q.masks[layer]]
        sums = np.bincount(q.codes[layer], weights=gradient, minlength=len(book))
        np.testing.assert_allclose(book.grad.numpy(), sums, rtol=1e-9, atol=1e-12)
        step = torch.zeros_like(book)
        step[0] = 1e-6
        with torch.no_grad():
            up, down = (loss(shared([*codebooks[:layer], book + s, *codebooks[layer + 1 :]])) for s in (step, -step))
        np.testing.assert_allclose(book.grad[0].item(), (up - down).item() / 2e-6, rtol=1e-5, atol=1e-9)


def test_one_sgd_step_moves_a_centroid_by_the_summed_gradient():
    q, data = small(), made_data()
    settings = replace(SETTINGS, optimizer="sgd", lr=0.5, batch_size=200, steps=1, weight_decay=0.1)
    tuned = fine_tune(q, NETWORK, data, settings)
    weights, biases = ([torch.tensor(a, requires_grad=True) for a in g] for g in (q.parameters().weights, q.biases))
    f = NETWORK.output(weights, biases, torch.from_numpy(data.train_x))[0]
    torch.nn.functional.cross_entropy(f, torch.from_numpy(data.train_y)).backward()
    for layer, w in enumerate(weights):
        gradient = (w.grad + 0.1 * w.detach()).numpy()[q.masks[layer]]
        sums = np.bincount(q.codes[layer], weights=gradient, minlength=len(q.codebooks[layer]))
        np.testing.assert_allclose(tuned.codebooks[layer], q.codebooks[layer] - 0.5 * sums, atol=1e-5)
        np.testing.assert_allclose(tuned.biases[layer], -0.5 * biases[layer].grad.numpy(), atol=1e-5)


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"optimizer": "sgd", "momentum": 0.9},
        {"alpha": 0.3, "center": True},
        {"loss": "squared_error", "alpha": 3.0, "optimizer": "sgd", "center": True},
    ],
)
def test_fine_tuning_lowers_the_training_loss_and_keeps_codes_and_masks(changes):
    q, settings = small(), replace(SETTINGS, **changes)
    data, reference = made_data(settings.loss == "squared_error"), NETWORK.initial([1])
    tuned = fine_tune(q, NETWORK, data, settings, reference=reference)
    before, after = (
        evaluate(p.parameters(), q.masks, NETWORK, data, settings, reference)["train"][0] for p in (q, tuned)
    )
    assert after < 0.9 * before
    for name in ("codes", "masks"):
        for one, other in zip(getattr(q, name), getattr(tuned, name), strict=True):
            np.testing.assert_array_equal(one, other)
    for w, m, c in zip(tuned.parameters().weights, q.masks, tuned.codebooks, strict=True):
        assert (w[~m] == 0).all()
        assert set(w[m]) <= set(c)
        assert c.dtype == w.dtype == np.float32


def test_fine_tuning_leaves_what_it_was_given_and_repeats_exactly():
    q = small()
    before = [a.copy() for a in (*q.codebooks, *q.biases)]
    one, other = (fine_tune(q, NETWORK, made_data(), SETTINGS, seed=3) for _ in range(2))
    for kept, a in zip(before, (*q.codebooks, *q.biases), strict=True):
        np.testing.assert_array_equal(kept, a)
    for a, b in zip((*one.codebooks, *one.biases), (*other.codebooks, *other.biases), strict=True):
        np.testing.assert_array_equal(a, b)


def test_an_empty_layer_is_fine_tuned_too():
    masks = some_masks()
    masks[0][:] = False
    q = quantize(NETWORK.initial([0]), masks, [3] * 3)
    tuned = fine_tune(q, NETWORK, made_data(), replace(SETTINGS, steps=5))
    assert not tuned.parameters().weights[0].any()
    assert tuned.biases[2].any()


def test_no_steps_change_nothing():
    q = small()
    assert fine_tune(q, NETWORK, made_data(), replace(SETTINGS, steps=0)) is q


def test_divergence_is_an_error_with_the_way_out():
    with pytest.raises(FeatpruneError, match="lower it"):
        fine_tune(
            small(),
            NETWORK,
            made_data(regression=True),
            replace(SETTINGS, loss="squared_error", optimizer="sgd", lr=1e6),
        )


def test_a_centered_network_needs_its_reference():
    with pytest.raises(ValueError, match="reference"):
        fine_tune(small(), NETWORK, made_data(), replace(SETTINGS, center=True))


def test_evaluation_is_the_losses_and_accuracies_of_f():
    q, data, reference = small(), made_data(), NETWORK.initial([1])
    settings = replace(SETTINGS, alpha=0.5, center=True)
    result = evaluate(q.parameters(), q.masks, NETWORK, data, settings, reference)
    x = torch.from_numpy(data.test_x)

    def h(p):
        return NETWORK.output([torch.from_numpy(w) for w in p.weights], [torch.from_numpy(b) for b in p.biases], x)[0]

    f = 0.5 * (h(q.parameters()) - h(reference.masked(q.masks)))
    assert result["test"][0] == pytest.approx(
        torch.nn.functional.cross_entropy(f, torch.from_numpy(data.test_y)).item()
    )
    assert result["test"][1] == np.mean(f.argmax(1).numpy() == data.test_y)
    assert set(result) == {"train", "validation", "test"}
