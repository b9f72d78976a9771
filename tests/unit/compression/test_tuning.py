"""Training shared values: gradients by their definitions, and the same loop and loss as any training."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from featprune.compression.quantization import quantize
from featprune.compression.tuning import fine_tune, fine_tuning, shared_weights
from featprune.datasets.dataset import Dataset
from featprune.engine.evaluation import Split, evaluate, no_reference, split_data
from featprune.engine.settings import Settings
from featprune.engine.training import data_order
from featprune.errors import FeatpruneError
from featprune.network import Parameters
from tests.unit.compression.test_quantization import NETWORK, small, some_masks

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


def output(p: Parameters):
    """h of these parameters."""
    return lambda x: torch.from_numpy(NETWORK.output(p.weights, p.biases, x.numpy()))


def splits(regression=False, reference=None) -> dict[str, Split]:
    return split_data(made_data(regression), output(reference) if reference else no_reference(1, 3))


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

    dense = torch.autograd.grad(loss(weights), weights)
    summed = torch.autograd.grad(loss(shared(codebooks)), codebooks)
    for layer, book in enumerate(codebooks):
        sums = np.bincount(q.codes[layer], weights=dense[layer].numpy()[q.masks[layer]], minlength=len(book))
        np.testing.assert_allclose(summed[layer].numpy(), sums, rtol=1e-9, atol=1e-12)
        step = torch.zeros_like(book)
        step[0] = 1e-6
        with torch.no_grad():
            up, down = (loss(shared([*codebooks[:layer], book + s, *codebooks[layer + 1 :]])) for s in (step, -step))
        np.testing.assert_allclose(summed[layer][0].item(), (up - down).item() / 2e-6, rtol=1e-5, atol=1e-9)


def test_one_sgd_step_moves_a_centroid_by_the_summed_gradient():
    q, data = small(), made_data()
    settings = replace(SETTINGS, optimizer="sgd", lr=0.5, batch_size=200, steps=1, weight_decay=0.1)
    tuned = fine_tune(q, NETWORK, splits(), settings)
    weights, biases = ([torch.tensor(a, requires_grad=True) for a in g] for g in (q.parameters().weights, q.biases))
    f = NETWORK.output(weights, biases, torch.from_numpy(data.train_x))[0]
    loss = torch.nn.functional.cross_entropy(f, torch.from_numpy(data.train_y))
    gradients = torch.autograd.grad(loss, [*weights, *biases])
    for layer, w in enumerate(weights):
        gradient = (gradients[layer] + 0.1 * w.detach()).numpy()[q.masks[layer]]
        sums = np.bincount(q.codes[layer], weights=gradient, minlength=len(q.codebooks[layer]))
        np.testing.assert_allclose(tuned.codebooks[layer], q.codebooks[layer] - 0.5 * sums, atol=1e-5)
        np.testing.assert_allclose(tuned.biases[layer], -0.5 * gradients[3 + layer].numpy(), atol=1e-5)


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
    reference = NETWORK.initial([1]).masked(q.masks) if settings.center else None
    data = splits(settings.loss == "squared_error", reference)
    tuned = fine_tune(q, NETWORK, data, settings)
    before, after = (evaluate(output(p.parameters()), data["train"], settings.objective)[0] for p in (q, tuned))
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
    one, other = (fine_tune(q, NETWORK, splits(), SETTINGS, seed=3) for _ in range(2))
    for kept, a in zip(before, (*q.codebooks, *q.biases), strict=True):
        np.testing.assert_array_equal(kept, a)
    for a, b in zip((*one.codebooks, *one.biases), (*other.codebooks, *other.biases), strict=True):
        np.testing.assert_array_equal(a, b)


def test_an_empty_layer_is_fine_tuned_too():
    masks = some_masks()
    masks[0][:] = False
    q = quantize(NETWORK.initial([0]), masks, [3] * 3)
    tuned = fine_tune(q, NETWORK, splits(), replace(SETTINGS, steps=5))
    assert not tuned.parameters().weights[0].any()
    assert tuned.biases[2].any()


def test_no_steps_change_nothing():
    q = small()
    assert fine_tune(q, NETWORK, splits(), replace(SETTINGS, steps=0)) is q


def test_divergence_is_an_error_with_the_way_out():
    with pytest.raises(FeatpruneError, match="lower it"):
        fine_tune(
            small(), NETWORK, splits(regression=True), replace(SETTINGS, loss="squared_error", optimizer="sgd", lr=1e6)
        )


def test_batches_go_on_where_the_seeds_training_ended():
    """Two steps are two times one step, each on its own batch of the seed's order."""
    q, settings = small(), replace(SETTINGS, optimizer="sgd", lr=0.5, steps=2, behind=7)
    at_once = fine_tune(q, NETWORK, splits(), settings, seed=4)
    first = fine_tune(q, NETWORK, splits(), replace(settings, steps=1), seed=4)
    second = fine_tune(first, NETWORK, splits(), replace(settings, steps=1, behind=8), seed=4)
    for a, b in zip((*at_once.codebooks, *at_once.biases), (*second.codebooks, *second.biases), strict=True):
        np.testing.assert_array_equal(a, b)
    # The batch decides: trained on that batch alone, as all the data there is, the first step is the same.
    data = splits()["train"]
    batch = data_order(4, 200, 20, 1, 7)[0]
    alone = {"train": Split(data.x[batch], data.y[batch], lambda _: data.reference[:, batch])}
    again = fine_tune(q, NETWORK, alone, replace(settings, steps=1))
    for a, b in zip(first.codebooks, again.codebooks, strict=True):
        np.testing.assert_allclose(a, b, atol=1e-6)


def test_a_runs_settings_are_kept_but_for_what_fine_tuning_does_not_share():
    run = replace(SETTINGS, milestones=(5,), evaluate_at=(0, 100), snapshot_at=(100,), behind=3)
    assert fine_tuning(run, 50, 60) == replace(SETTINGS, steps=50, behind=60)
