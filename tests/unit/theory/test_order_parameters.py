"""Gaussian averages against quadrature, the equations against the exact loss, and training against both."""

import numpy as np
import pytest
from numpy.polynomial.hermite_e import hermegauss
from scipy.special import erf

from featprune.network import MLP
from featprune.theory import order_parameters
from featprune.theory.order_parameters import AVERAGES, State, apart, generalization, sample, solve, state_of, velocity
from featprune.theory.runs import doubled

SIGMA = {
    "erf": (erf, lambda z: 2 / np.sqrt(np.pi) * np.exp(-(z**2))),
    "linear": (lambda z: z, np.ones_like),
}
OPTIONS = {"inputs": 3, "units": 2, "width": 2, "lr": 0.01, "steps": 200}


def directions(inputs=3, count=4):
    return np.random.default_rng(0).standard_normal((count, inputs)) * np.array([0.5, 1, 1.5, 0.8])[:count, None]


def quadrature(inputs=3, points=60):
    """Nodes (n, inputs) and weights of a standard normal."""
    nodes, weights = hermegauss(points)
    grid = np.stack([axis.ravel() for axis in np.meshgrid(*[nodes] * inputs)], 1)
    return grid, np.prod(np.meshgrid(*[weights] * inputs), axis=0).ravel() / (2 * np.pi) ** (inputs / 2)


@pytest.mark.parametrize("activation", AVERAGES)
def test_averages_are_the_integrals(activation):
    units = directions()
    x, weights = quadrature()
    sigma, slope = SIGMA[activation]
    fields = x @ units.T
    averages, covariance = AVERAGES[activation], units @ units.T
    second = np.einsum("n,ni,nj->ij", weights, sigma(fields), sigma(fields))
    third = np.einsum("n,ni,nk,nj->ikj", weights, slope(fields), fields, sigma(fields))
    np.testing.assert_allclose(averages.second(covariance), second, atol=1e-6)
    np.testing.assert_allclose(averages.third(covariance), third, atol=1e-6)


def loss(readouts, weights, teacher, outputs, averages):
    units = np.concatenate([weights, teacher])
    return generalization(State(readouts, units @ units.T), outputs, averages)


@pytest.mark.parametrize("activation", AVERAGES)
def test_the_equations_are_the_gradient_of_the_exact_loss(activation):
    units, averages = directions(5), AVERAGES[activation]
    weights, teacher = units[:2], units[2:]
    readouts, outputs = np.array([0.7, -1.2]), np.array([0.4, 1.1])
    moved = velocity(State(readouts, units @ units.T), outputs, averages)
    step = 1e-5

    def slope(a, w):
        ends = [loss(readouts + s * a, weights + s * w, teacher, outputs, averages) for s in (step, -step)]
        return (ends[0] - ends[1]) / (2 * step)

    none = np.zeros_like(weights)
    da = -np.array([slope(a, none) for a in np.eye(2)])
    dw = -np.array([slope(np.zeros(2), e.reshape(2, 5)) for e in np.eye(10)]).reshape(2, 5)
    moves = np.concatenate([dw, np.zeros_like(teacher)])
    np.testing.assert_allclose(moved.readouts, da, rtol=1e-6)
    np.testing.assert_allclose(moved.covariance, moves @ units.T + units @ moves.T, rtol=1e-5, atol=1e-9)


def test_the_error_of_the_population_is_that_of_many_samples():
    units = directions(5)
    readouts, outputs = np.array([0.7, -1.2]), np.array([0.4, 1.1])
    x = np.random.default_rng(1).standard_normal((200_000, 5))
    wrong = np.square(erf(x @ units[:2].T) @ readouts - erf(x @ units[2:].T) @ outputs)
    exact = loss(readouts, units[:2], units[2:], outputs, AVERAGES["erf"])
    assert abs(wrong.mean() - exact) < 4 * wrong.std() / np.sqrt(len(x))


def test_the_solution_goes_downhill_and_keeps_the_teacher():
    network = MLP((3, 2, 1), "erf", "ntk")
    data, teacher = sample("erf", 3, 2, 50, 0)
    first = state_of(doubled(network.initial([0])), teacher)
    states = solve(first, np.array([0.5, 0.5]), AVERAGES["erf"], np.linspace(0, 5, 20))
    errors = [generalization(state, np.array([0.5, 0.5]), AVERAGES["erf"]) for state in states]
    assert (np.diff(errors) < 0).all() and apart(states[0], first) < 1e-12
    np.testing.assert_allclose(states[-1].covariance[2:, 2:], teacher @ teacher.T, atol=1e-12)
    assert data.train_x.shape == (50, 3) and data.train_x.dtype == np.float64


@pytest.mark.parametrize("activation", AVERAGES)
def test_training_is_near_the_solution_the_nearer_the_more_samples(activation):
    table = order_parameters.measure(seeds=3, activations=[activation], samples=[50, 5000], **OPTIONS)
    distances = order_parameters.farthest(table).groupby("samples")["value"].mean()
    assert distances[5000] < 0.3 * distances[50] and distances[5000] < 0.03
    errors = table[(table["quantity"] == "error") & (table["samples"] == 5000)]
    np.testing.assert_allclose(errors["value"], errors["exact"], rtol=0.05, atol=0.03)
    at_start = table[table["time"] == 0]
    np.testing.assert_allclose(at_start["value"], at_start["exact"], atol=1e-12)
    laws = order_parameters.laws(table)
    assert laws["law"].tolist() == [-0.5] and -0.9 < laws["exponent"].item() < -0.2
