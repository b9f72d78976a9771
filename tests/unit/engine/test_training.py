from dataclasses import replace

import numpy as np
import pytest
import torch

from featprune.datasets.dataset import Dataset
from featprune.engine.evaluation import no_reference, split_data
from featprune.engine.settings import Settings, Start
from featprune.engine.training import data_order, fit, train
from featprune.errors import FeatpruneError
from featprune.network import MLP, Parameters
from featprune.pruning.masks import all_ones

NETWORK = MLP((6, 16, 12, 3), "tanh", "he_normal")
SETTINGS = Settings(
    loss="cross_entropy",
    optimizer="sgd",
    lr=0.05,
    momentum=0.0,
    weight_decay=0.0,
    batch_size=10,
    steps=20,
    alpha=1.0,
    center=True,
    evaluate_at=(0, 5, 20),
    snapshot_at=(0, 20),
)


def made_data(dtype=np.float32, samples=60, regression=False) -> Dataset:
    rng = np.random.default_rng(0)
    parts = {}
    for split in ("train", "validation", "test"):
        x = rng.standard_normal((samples, 6)).astype(dtype)
        parts[f"{split}_x"] = x
        parts[f"{split}_y"] = np.sin(x[:, :3]) if regression else np.argmax(x[:, :3] * x[:, 3:], 1)
    return Dataset(**parts)


def doubled(p: Parameters) -> Parameters:
    return Parameters(tuple(w.astype(float) for w in p.weights), tuple(b.astype(float) for b in p.biases))


def started(seeds=(0,), dtype=np.float32, network=NETWORK) -> Start:
    p = network.initial(seeds)
    p = doubled(p) if dtype == np.float64 else p
    return Start(p, p)


def some_masks(replicas=1, density=0.5, network=NETWORK):
    rng = np.random.default_rng(1)
    return [np.repeat(rng.random((1, *shape)) < density, replicas, 0) for shape in network.shapes]


def trained(settings, start=None, masks=None, data=None, seeds=(0,), network=NETWORK):
    start = start or started(seeds, network=network)
    masks = masks or all_ones(network.shapes, len(seeds))
    return train(network, start, masks, data or made_data(), seeds, settings)


def loss_at(outcome, step, split="validation"):
    h = outcome.history
    return float(h["loss"][(h["step"] == step) & (h["split"] == split)][0])


def outputs(p: Parameters, x: np.ndarray) -> np.ndarray:
    """h(x) of the first replica in float64."""
    weights, biases = ([a.astype(float) for a in group] for group in (p.weights, p.biases))
    return NETWORK.output(weights, biases, x.astype(float))[0]


def reference_run(settings, start, masks, data, seed, steps):
    """The same training by autograd and torch.optim, written as in the definitions, in float64."""
    x, y = torch.from_numpy(data.train_x.astype(float)), torch.from_numpy(data.train_y)
    y = y if data.classification else y.double()
    masks = [torch.from_numpy(m) for m in masks]
    weights = [torch.from_numpy(w.astype(float)).requires_grad_() for w in start.parameters.weights]
    biases = [torch.from_numpy(b.astype(float)).requires_grad_() for b in start.parameters.biases]
    reference = [
        [torch.from_numpy(a.astype(float)) for a in g] for g in (start.reference.weights, start.reference.biases)
    ]
    kinds = {
        "sgd": dict(lr=settings.lr, momentum=settings.momentum),
        "adam": dict(lr=settings.lr / settings.alpha, eps=1e-8 / settings.alpha),
    }
    optimizer = {"sgd": torch.optim.SGD, "adam": torch.optim.Adam}[settings.optimizer](
        weights + biases, weight_decay=settings.weight_decay / settings.alpha**2, **kinds[settings.optimizer]
    )

    def masked(ws):
        return [w * m for w, m in zip(ws, masks, strict=True)]

    for batch in data_order(seed, len(x), settings.batch_size, steps, settings.behind):
        h = NETWORK.output(masked(weights), biases, x[batch])[0]
        if settings.center:
            h = h - NETWORK.output(masked(reference[0]), reference[1], x[batch])[0]
        f = settings.alpha * h
        functional = torch.nn.functional
        loss = (
            functional.cross_entropy(f, y[batch])
            if settings.loss == "cross_entropy"
            else functional.mse_loss(f, y[batch])
        )
        optimizer.zero_grad()
        (loss / settings.alpha**2).backward()
        optimizer.step()
    as_numpy = [tuple(t.detach().numpy() for t in group) for group in (masked(weights), biases)]
    return Parameters(*as_numpy)


def distance(p: Parameters, q: Parameters) -> float:
    """Largest difference relative to the largest entry."""
    pairs = list(zip(p.weights + p.biases, q.weights + q.biases, strict=True))
    return max(np.abs(a - b).max() for a, b in pairs) / max(np.abs(b).max() for _, b in pairs)


@pytest.mark.parametrize("density", [1.0, 0.3, 0.03])
@pytest.mark.parametrize("loss", ["cross_entropy", "squared_error"])
@pytest.mark.parametrize(
    "options",
    [
        {"optimizer": "sgd"},
        {"optimizer": "sgd", "momentum": 0.9, "weight_decay": 0.01},
        {"optimizer": "adam", "lr": 0.01},
        {"optimizer": "adam", "lr": 0.01, "weight_decay": 0.01, "alpha": 0.3},
        {"optimizer": "adam", "lr": 0.01, "alpha": 3.0, "center": False},
    ],
    ids=lambda o: "-".join(map(str, o.values())),
)
def test_training_equals_the_float64_autograd_reference(density, loss, options):
    data = made_data(regression=loss == "squared_error")
    start, masks = started(), some_masks(density=density)
    for steps, tolerance in ((1, 2e-6), (200, 2e-3)):
        settings = replace(SETTINGS, loss=loss, steps=steps, evaluate_at=(0,), snapshot_at=(), **options)
        expected = reference_run(settings, start, masks, data, 0, steps)
        assert distance(trained(settings, start, masks, data).parameters, expected) < tolerance


@pytest.mark.parametrize("alpha", [0.1, 1.0, 100.0])
def test_centered_output_is_zero_at_the_start(alpha):
    outcome = trained(replace(SETTINGS, alpha=alpha), masks=some_masks())
    assert loss_at(outcome, 0) == pytest.approx(np.log(3), abs=1e-6)


def test_uncentered_output_is_alpha_times_h_at_the_start():
    data = made_data()
    start = started()
    f = torch.from_numpy(2.0 * outputs(start.parameters, data.validation_x))
    expected = torch.nn.functional.cross_entropy(f, torch.from_numpy(data.validation_y))
    outcome = trained(replace(SETTINGS, alpha=2.0, center=False), start, data=data)
    assert loss_at(outcome, 0) == pytest.approx(float(expected), rel=1e-5)


@pytest.mark.parametrize("alpha", [0.1, 10.0, 1000.0])
def test_sgd_speed_in_function_space_does_not_depend_on_alpha(alpha):
    """The first step moves f by -lr * K * dloss/df, with the kernel K of h: alpha cancels (Chizat et al. 2019)."""
    data = made_data(np.float64)
    start = started(dtype=np.float64)

    def speed(alpha):
        lr = 1e-6
        settings = replace(SETTINGS, alpha=alpha, lr=lr, steps=1, evaluate_at=(0,), snapshot_at=())
        after = trained(settings, start, data=data).parameters
        return alpha * (outputs(after, data.test_x) - outputs(start.parameters, data.test_x)) / lr

    np.testing.assert_allclose(speed(alpha), speed(1.0), rtol=1e-3, atol=1e-5)


def test_large_alpha_is_the_linearized_model():
    """For alpha -> infinity f follows the model linearized at its initialization; the gap falls like 1 / alpha."""
    data = made_data(np.float64)
    start = started(dtype=np.float64)
    settings = replace(SETTINGS, steps=30, evaluate_at=(0,), snapshot_at=(), lr=0.1)
    x, y = torch.from_numpy(data.train_x), torch.from_numpy(data.train_y)
    flat = tuple(torch.from_numpy(a) for a in start.parameters.weights + start.parameters.biases)
    layers = len(NETWORK.shapes)

    def h(*p):
        return NETWORK.output(p[:layers], p[layers:], x)[0]

    jacobian = torch.autograd.functional.jacobian(h, flat)
    features = torch.cat([j.reshape(*j.shape[:2], -1) for j in jacobian], -1)
    w = torch.zeros(features.shape[-1], dtype=torch.float64)
    for batch in data_order(0, len(x), settings.batch_size, settings.steps):
        f = (features[batch] @ w).requires_grad_()
        torch.nn.functional.cross_entropy(f, y[batch]).backward()
        w = w - settings.lr * torch.einsum("bk,bkp->p", f.grad, features[batch])
    linear = (features @ w).numpy()

    def gap(alpha):
        after = trained(replace(settings, alpha=alpha), start, data=data).parameters
        f = alpha * (outputs(after, data.train_x) - outputs(start.parameters, data.train_x))
        return np.abs(f - linear).max() / np.abs(linear).max()

    assert gap(1000.0) < 1e-3
    assert gap(10.0) / gap(100.0) == pytest.approx(10, rel=0.2)


@pytest.mark.parametrize("options", [{"optimizer": "adam", "weight_decay": 0.1}, {"optimizer": "sgd", "momentum": 0.9}])
def test_pruned_weights_stay_exactly_zero(options):
    masks = some_masks(density=0.4)
    outcome = trained(replace(SETTINGS, **options), masks=masks)
    for p in (outcome.parameters, *outcome.snapshots.values()):
        assert all((w[~m] == 0).all() for w, m in zip(p.weights, masks, strict=True))
    assert not np.array_equal(outcome.parameters.weights[0], outcome.snapshots[0].weights[0])


def test_a_seed_alone_equals_the_same_seed_in_a_block():
    settings = replace(SETTINGS, optimizer="adam", lr=0.01)
    block = trained(settings, seeds=(0, 1, 2), masks=some_masks(3))
    alone = trained(settings, seeds=(1,), masks=some_masks(1))
    for b, a in zip(block.parameters.replicas([1]).weights, alone.parameters.weights, strict=True):
        np.testing.assert_array_equal(b, a)
    mine = block.history["seed"] == 1
    np.testing.assert_array_equal(block.history["loss"][mine], alone.history["loss"])


def test_two_runs_are_the_same_bit_for_bit():
    a, b = trained(SETTINGS, masks=some_masks()), trained(SETTINGS, masks=some_masks())
    assert all(np.array_equal(x, y) for x, y in zip(a.parameters.weights, b.parameters.weights, strict=True))


def test_history_and_snapshots_are_on_their_grids():
    outcome = trained(replace(SETTINGS, evaluation_samples=7))
    assert sorted(set(outcome.history["step"])) == [0, 5, 20]
    assert list(outcome.snapshots) == [0, 20]
    np.testing.assert_array_equal(outcome.snapshots[20].weights[1], outcome.parameters.weights[1])
    at = (outcome.history["step"] == 20) & (outcome.history["split"] == "test")
    data = made_data()
    f = outputs(outcome.parameters, data.test_x) - outputs(started().parameters, data.test_x)
    # The last step is evaluated on the whole split, whatever evaluation_samples says.
    assert outcome.history["accuracy"][at] == pytest.approx((f.argmax(1) == data.test_y).mean())


def test_on_the_way_only_the_first_samples_are_evaluated():
    data, start = made_data(), started()
    outcome = trained(replace(SETTINGS, center=False, evaluation_samples=7), start, data=data)
    evaluated = set(zip(outcome.history["split"], outcome.history["step"].tolist(), strict=True))
    assert evaluated >= {("validation", 0), ("validation", 5), ("validation", 20), ("train", 20), ("test", 20)}
    assert len(evaluated - {("test", 0), ("test", 5)}) == 5, "the test split at the end and at the early stop only"
    for step, split, parameters in ((0, "validation", start.parameters), (20, "train", outcome.parameters)):
        x, y = getattr(data, f"{split}_x")[:7], getattr(data, f"{split}_y")[:7]
        expected = torch.nn.functional.cross_entropy(torch.from_numpy(outputs(parameters, x)), torch.from_numpy(y))
        assert loss_at(outcome, step, split) == pytest.approx(float(expected), rel=1e-5)


def test_regression_has_no_accuracy():
    outcome = trained(replace(SETTINGS, loss="squared_error"), data=made_data(regression=True))
    assert np.isnan(outcome.history["accuracy"]).all() and np.isfinite(outcome.history["loss"]).all()


def test_divergence_is_recorded_and_stops_that_replica():
    settings = replace(SETTINGS, lr=1e30, loss="squared_error", evaluate_at=(0, 5, 10, 20))
    outcome = trained(settings, data=made_data(regression=True), seeds=(0, 1))
    assert outcome.diverged.all()
    assert np.isnan(outcome.history["loss"][outcome.history["step"] == 20]).all()
    assert np.isfinite(outcome.history["loss"][outcome.history["step"] == 0]).all()


def test_values_that_are_not_finite_at_the_start_are_a_divergence():
    p = NETWORK.initial([0])
    saturated = p.biases[0].copy()
    saturated[0, 3] = np.inf  # of which tanh, and so the loss, are finite
    for biases in ([b * np.float32(np.nan) for b in p.biases], [saturated, *p.biases[1:]]):
        outcome = trained(SETTINGS, Start(Parameters(p.weights, tuple(biases)), p))
        assert outcome.diverged.all() and np.isnan(outcome.history["loss"]).all()


class Halving:
    """A trainee that halves a number at each step."""

    value = torch.tensor(2.0**-120)

    def bind(self, data, order):
        pass

    def step(self):
        self.value = self.value / 2

    def parameters(self):
        return NETWORK.initial([0])


def test_numbers_below_the_normal_range_are_zero_while_a_network_trains_and_only_then():
    splits, trainee = split_data(made_data(), no_reference(1, 3)), Halving()
    settings = replace(SETTINGS, evaluate_at=(), snapshot_at=())
    fit(trainee, splits, [0], replace(settings, steps=6))
    assert trainee.value == 2.0**-126, "the smallest normal number"
    fit(trainee, splits, [0], replace(settings, steps=1))
    assert trainee.value == 0
    assert torch.tensor(2.0**-126) / 2 > 0


def test_data_order_goes_on_where_it_was():
    whole = data_order(0, 23, 5, 30)
    assert whole.shape == (30, 5)
    np.testing.assert_array_equal(data_order(0, 23, 5, 13, behind=17), whole[17:])
    for epoch in range(7):
        assert len(set(whole[4 * epoch : 4 * epoch + 4].ravel())) == 20
    assert not np.array_equal(whole, data_order(1, 23, 5, 30))


def test_a_batch_larger_than_the_data_is_an_error():
    with pytest.raises(FeatpruneError, match=r"training\.batch_size: 61 is larger than the training split \(60"):
        trained(replace(SETTINGS, batch_size=61))
