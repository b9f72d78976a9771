"""The exact dynamics of deep linear networks, against the matrices' own flow, and training against them."""

import numpy as np
import pytest
from scipy.integrate import solve_ivp
from scipy.linalg import expm

from featprune.network import MLP
from featprune.theory import deep_linear
from featprune.theory.deep_linear import RANDOM, aligned, duration, half_times, mode, seeds_of_modes, sigmoid
from featprune.theory.modes import make_modes
from featprune.theory.runs import descent, doubled, follow, scaled

SINGULAR = [3.0, 1.5]
OPTIONS = {"seeds": 2, "singular": SINGULAR, "layers": [2, 3], "inputs": 4, "samples": 16}


@pytest.fixture
def modes():
    return make_modes(SINGULAR, 4, 16, np.random.default_rng(0))


def flow(modes, weights, times):
    """Gradient flow of the population loss |U S V^T - W|^2 / outputs, of the matrices; the strengths at the times."""
    shapes = [w.shape for w in weights]
    edges = np.cumsum([w.size for w in weights])[:-1]
    target = modes.left @ np.diag(modes.singular) @ modes.right.T

    def product(parts, size):
        total = np.eye(size)
        for w in parts:
            total = w @ total
        return total

    def velocity(_, flat):
        ws = [part.reshape(shape) for part, shape in zip(np.split(flat, edges), shapes, strict=True)]
        wrong = target - product(ws, 4)
        moves = [
            product(ws[i + 1 :], len(w)).T @ wrong @ product(ws[:i], 4).T * (2 / len(target)) for i, w in enumerate(ws)
        ]
        return np.concatenate([move.ravel() for move in moves])

    start = np.concatenate([w.ravel() for w in weights])
    flat = solve_ivp(velocity, (0, times[-1]), start, t_eval=times, rtol=1e-10, atol=1e-12).y.T
    products = [product([p.reshape(s) for p, s in zip(np.split(row, edges), shapes, strict=True)], 4) for row in flat]
    return np.array([np.diag(modes.left.T @ w @ modes.right) for w in products])


def test_inputs_are_white_and_centered_and_the_map_has_its_modes(modes):
    x, y = modes.data.train_x, modes.data.train_y
    np.testing.assert_allclose(x.T @ x / len(x), np.eye(4), atol=1e-12)
    np.testing.assert_allclose(x.mean(0), 0, atol=1e-12)
    np.testing.assert_allclose(np.linalg.svd(y.T @ x / len(x))[1], SINGULAR)
    axes = make_modes(SINGULAR, 4, 16, np.random.default_rng(0), "axes")
    np.testing.assert_allclose(axes.data.train_y, axes.data.train_x[:, :2] * SINGULAR)


def test_strengths_are_those_of_the_effective_weights(modes):
    network = MLP((4, 7, 2), "linear", "ntk", "ntk")
    parameters = doubled(network.initial([0, 1]))
    at_basis = network.output(parameters.weights, parameters.biases, np.eye(4))
    expected = [np.diag(modes.left.T @ h.T @ modes.right) for h in at_basis]
    np.testing.assert_allclose(modes.strengths(network, parameters), expected)


@pytest.mark.parametrize("layers", [2, 3, 4])
def test_a_mode_follows_the_flow_of_the_matrices(modes, layers):
    times = np.linspace(0, 8, 30)
    parameters = aligned(modes, (4, *[6] * (layers - 1), 2), 0.05, np.random.default_rng(1))
    exact = [mode(times, s, 0.05, modes.tau, layers) for s in SINGULAR]
    np.testing.assert_allclose(flow(modes, [w[0] for w in parameters.weights], times).T, exact, atol=1e-6)


@pytest.mark.parametrize("layers", [2, 3])
def test_the_duration_is_when_the_mode_is_there(layers):
    end = duration(2.0, 1e-3, 0.9, 1.5, layers)
    assert mode(np.array([0.0, end]), 2.0, 1e-3, 1.5, layers)[-1] == pytest.approx(0.9 * 2.0, rel=1e-5)
    if layers == 2:
        assert sigmoid(np.array([end]), 2.0, 1e-3, 1.5)[0] == pytest.approx(1.8)


def test_a_small_random_network_grows_as_the_linear_equations_say(modes):
    network = MLP((4, 30, 2), "linear", "ntk")
    parameters = scaled(doubled(network.initial([0])), 1e-6)
    first, second = (w[0] for w in parameters.weights)
    time = 3.0
    for i, (s, a0) in enumerate(zip(SINGULAR, seeds_of_modes(modes, parameters)[0], strict=True)):
        # d(W1 v) = s W2^T u, d(W2^T u) = s W1 v, over tau.
        grown = expm(s * time / modes.tau * np.array([[0, 1], [1, 0]]))
        p, q = grown @ np.stack([first @ modes.right[:, i], second.T @ modes.left[:, i]])
        assert p @ q == pytest.approx(a0 * np.exp(2 * s * time / modes.tau), rel=2e-2)


def test_biases_have_no_gradient(modes):
    network = MLP((4, 6, 2), "linear", "ntk")
    start = doubled(network.initial([0]))
    end = follow(network, start, modes.data, descent(0.05, 300, 16, center=False))[300]
    assert max(np.abs(b).max() for b in end.biases) < 1e-12
    np.testing.assert_allclose(modes.strengths(network, end)[0], SINGULAR, atol=1e-6)


def test_training_is_as_far_from_the_solution_as_its_steps_are_large():
    errors = []
    for lr in (0.01, 0.005):
        table = deep_linear.measure(**OPTIONS, widths=[8], initial=0.01, scale=0.01, lr=lr)
        table = table[table["start"] == deep_linear.ALIGNED]
        errors.append((table["value"] - table["exact"]).abs().groupby(table["layers"]).max())
    np.testing.assert_allclose(errors[0] / errors[1], 2, rtol=0.05)


def test_the_time_to_half_is_the_sigmoids_where_modes_do_not_meet():
    table = deep_linear.measure(**OPTIONS, widths=[200], initial=0.01, scale=1e-3, lr=0.005)
    times = half_times(table)
    np.testing.assert_allclose(times["time"], times["predicted"], rtol=0.01)
    exact = half_times(table.assign(value=table["exact"]))
    np.testing.assert_allclose(exact["time"], exact["predicted"], rtol=1e-9)
    assert set(times["singular"]) == set(SINGULAR) and set(table["start"]) == {RANDOM, deep_linear.ALIGNED}


def test_the_laws_are_fitted_of_each_width():
    table = deep_linear.measure(**OPTIONS, widths=[20, 40], initial=0.01, scale=1e-3, lr=0.02)
    laws = deep_linear.laws(table)
    assert len(laws) == 4 and (laws["law"] == -1).all()
    raw, corrected = laws["exponent"].to_numpy().reshape(2, 2).T
    assert (np.abs(corrected + 1) < 0.05).all() and (raw > -0.97).all()
