"""Barriers between two networks: closed forms, none between equal ones, a high one between permuted ones."""

import numpy as np
import pandas as pd
import pytest
import torch

from featprune.data import prepare_dataset
from featprune.datasets.dataset import Dataset
from featprune.engine.objective import Objective
from featprune.features import connectivity
from featprune.features.connectivity import BETAS, barrier, measure_barriers, outputs_between
from featprune.features.richness import one_network
from featprune.network import MLP, PARAMETRIZATIONS, Parameters

SEEDS = [3, 4]
DEEP = MLP((6, 20, 10, 3), "tanh", "he_normal")
SQUARED, ENTROPY = Objective("squared_error", 1.0), Objective("cross_entropy", 1.0)


def inputs(n, width=6):
    return np.random.default_rng(n).standard_normal((n, width)).astype(np.float32)


def dataset(label, x=None, test=None):
    """Inputs of two splits, and what `label` makes of them."""
    train, test = inputs(40) if x is None else x, inputs(30) if test is None else test
    return Dataset(train, label(train), train, label(train), test, label(test))


def between(network, first, second, data, objective=SQUARED, reference=None):
    return measure_barriers(network, first, second, SEEDS, data, objective, reference)


def taught_by(network, parameters):
    """Labels are the outputs of the first of the networks, so that it has no loss."""
    return dataset(lambda x: network.output(parameters.weights, parameters.biases, x)[0])


def classes(x):
    return (x[:, 0] > 0).astype(np.int64) + (x[:, 1] > 0)


@pytest.mark.parametrize("centered", [False, True])
def test_between_equal_networks_there_is_no_barrier_at_all(centered):
    p, start = DEEP.initial(SEEDS), DEEP.initial(SEEDS, "start")
    found = between(DEEP, p, p, dataset(classes), Objective("cross_entropy", 0.3), start if centered else None)
    assert found[["seed", "split"]].to_numpy().tolist() == [[s, split] for split in ("train", "test") for s in SEEDS]
    for value in ("loss", "error"):
        assert (found[f"{value}_barrier"] == 0).all()
        assert (found[f"{value}_first"] == found[f"{value}_second"]).all() and (found[f"{value}_first"] > 0).all()


def test_between_a_network_and_itself_with_its_units_permuted_there_is_one():
    p = DEEP.initial(SEEDS)
    order = np.random.default_rng(0).permutation(20)
    first, second, last = p.weights
    permuted = Parameters((first[:, order], second[:, :, order], last), p.biases)
    found = between(DEEP, p, permuted, taught_by(DEEP, p)).set_index("seed").loc[SEEDS[0]]
    np.testing.assert_allclose(found[["loss_first", "loss_second"]], 0, atol=1e-10)
    assert (found["loss_barrier"] > 0.1).all()
    assert found["error_barrier"].isna().all(), "a regression"


def test_on_the_way_between_two_signs_the_signal_dies():
    """h = w2 w1 x with w1 = w2 = 1.5 at one end and -1.5 at the other: h = (1.5 (1 - 2 beta))^2 x."""
    network = MLP((1, 1, 1), "linear")
    one = Parameters((np.full((2, 1, 1), 1.5, np.float32),) * 2, (np.zeros((2, 1), np.float32),) * 2)
    other = Parameters(tuple(-w for w in one.weights), one.biases)
    data = dataset(lambda x: 1.5**2 * x, inputs(40, 1), inputs(30, 1))
    found = between(network, one, other, data).set_index("split")
    for split, x in (("train", data.train_x), ("test", data.test_x)):
        np.testing.assert_allclose(found.loc[split, "loss_barrier"], 1.5**4 * (x**2).mean(), rtol=1e-5)


def test_a_convex_loss_has_no_barrier():
    """Of one layer the loss is quadratic in beta: L(0) (1 - beta)^2 + L(1) beta^2 + a mixed term, below the chord."""
    network = MLP((6, 2), "linear")
    one, other = network.initial(SEEDS), network.initial(SEEDS, "other")
    data = dataset(lambda x: x[:, :2] ** 2)
    assert (between(network, one, other, data)["loss_barrier"] <= 1e-7).all()
    x, y = (torch.from_numpy(a) for a in (data.test_x, data.test_y))
    r0, r1 = (network.output(p.weights, p.biases, data.test_x)[0] - data.test_y for p in (one, other))
    expected = [(((1 - b) * r0 + b * r1) ** 2).mean() for b in BETAS]
    h = outputs_between(network, one_network(one, 0), one_network(other, 0), x)
    np.testing.assert_allclose(SQUARED.losses(h, y), expected, rtol=1e-5)
    assert barrier(np.array(expected)) == 0 and min(expected) < min(expected[0], expected[-1])


@pytest.mark.parametrize("parametrization", PARAMETRIZATIONS)
def test_outputs_are_those_of_the_interpolated_parameters(parametrization, monkeypatch):
    monkeypatch.setattr(connectivity, "CHUNK", 7)
    network = MLP((6, 20, 10, 3), "relu", "he_normal", parametrization)
    rng, x = np.random.default_rng(0), inputs(30).astype(np.float64)
    draws = [network.initial([0], name) for name in ("a", "b")]
    one, other = (
        Parameters(tuple(w.astype(float) for w in p.weights), tuple(rng.standard_normal(b.shape) for b in p.biases))
        for p in draws
    )
    found = outputs_between(network, one_network(one, 0), one_network(other, 0), torch.from_numpy(x))
    assert len(found) == len(BETAS) == 11 and BETAS[0] == 0 and BETAS[-1] == 1
    for beta, h in zip(BETAS, found, strict=True):
        weights, biases = (
            [(1 - beta) * a + beta * b for a, b in zip(*pair, strict=True)]
            for pair in ((one.weights, other.weights), (one.biases, other.biases))
        )
        np.testing.assert_allclose(h, network.output(weights, biases, x)[0], rtol=1e-10, atol=1e-12)


def test_a_barrier_is_the_most_above_the_chord():
    along = 2 + BETAS
    assert barrier(along) == 0 and barrier(along - 0.3 * BETAS * (1 - BETAS)) == 0
    along[3] += 0.25
    along[7] -= 1
    assert barrier(along) == pytest.approx(0.25)
    assert np.isnan(barrier(np.full(11, np.nan)))


def test_a_centered_f_is_alpha_times_what_has_been_learned():
    one, other, start = (DEEP.initial(SEEDS, name) for name in ("one", "other", "start"))
    objective = Objective("squared_error", 0.3)
    data = dataset(lambda x: x[:, :3])
    found = between(DEEP, one, other, data, objective, start).set_index(["split", "seed"])
    for replica, seed in enumerate(SEEDS):
        h, ref = (DEEP.output(p.weights, p.biases, data.test_x)[replica] for p in (one, start))
        loss = ((0.3 * (h - ref) - data.test_y) ** 2).mean()
        assert found.loc[("test", seed), "loss_first"] == pytest.approx(loss, rel=1e-5)
    assert np.isfinite(found["loss_barrier"]).all()


@pytest.mark.parametrize("end", [0, 1])
def test_a_network_that_has_diverged_has_no_value(end):
    ends = [DEEP.initial(SEEDS, name) for name in ("one", "other")]
    ends[end].biases[1][0] = np.nan
    found = between(DEEP, *ends, dataset(classes), ENTROPY).set_index("seed")
    assert found.loc[SEEDS[0]].drop(columns="split").isna().all(axis=None)
    assert found.loc[SEEDS[1]].drop(columns="split").notna().all(axis=None)


def test_only_the_first_samples_are_looked_at(monkeypatch):
    ends = [DEEP.initial(SEEDS, name) for name in ("one", "other")]
    data = dataset(classes)
    monkeypatch.setattr(connectivity, "SAMPLES", 20)
    few = between(DEEP, *ends, data, ENTROPY)
    short = between(DEEP, *ends, dataset(classes, data.train_x[:20], data.test_x[:20]), ENTROPY)
    assert few.equals(short)


def test_each_seed_is_measured_on_labels_of_its_own():
    data = prepare_dataset(
        "teacher", {"inputs": 5, "units": 2, "train": 20, "validation": 10, "test": 30, "teachers": 2}
    )
    network = MLP((5, 4, 1))
    first, second = (network.initial([0, 1], draw) for draw in ("a", "b"))
    objective = Objective("squared_error", 1.0)
    together = measure_barriers(network, first, second, [0, 1], data, objective)
    alone = [
        measure_barriers(network, first.replicas([i]), second.replicas([i]), [i], data.of(i), objective) for i in (0, 1)
    ]
    keys = ["seed", "split"]
    pd.testing.assert_frame_equal(
        together.sort_values(keys, ignore_index=True), pd.concat(alone).sort_values(keys, ignore_index=True)
    )
