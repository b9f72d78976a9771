"""The mean-field scaling against the equations of its particles, and against the parametrization of that name."""

from math import pi, sqrt

import numpy as np
import pytest
from scipy.integrate import solve_ivp
from scipy.special import erf
from scipy.stats import wasserstein_distance

from featprune.network import MLP
from featprune.theory import mean_field
from featprune.theory.mean_field import ALPHAS, MEAN_FIELD, NTK, marginals, movement, task
from featprune.theory.runs import descent, doubled, follow, functions

OPTIONS = {
    "seeds": 2, "widths": [8, 16, 32], "reference": 64, "references": 2, "activation": "erf", "inputs": 3, "units": 2,
    "samples": 12, "lr": 0.1, "steps": 20,
}  # fmt: skip
WIDTH = 6


@pytest.fixture(scope="module")
def data():
    return task(3, 2, 12)[0]


def started(parametrization="ntk"):
    network = MLP((3, WIDTH, 1), "erf", parametrization, parametrization)
    return network, doubled(network.initial([0]))


def particles(data, start, time):
    """f's gradient flow as equations of the particles (a, w, b) and the output's bias c, each moved by N dL/d(.)."""
    x, y = data.train_x, data.train_y[:, 0]
    first, second = start.weights
    shapes = [(WIDTH,), (WIDTH, 3), (WIDTH,), ()]
    edges = [WIDTH, 4 * WIDTH, 5 * WIDTH]

    def split(flat):
        return [part.reshape(shape) for part, shape in zip(np.split(flat, edges), shapes, strict=True)]

    def mean_over_units(a, w, b, c):
        return (a * erf(x @ w.T / sqrt(3) + b)).mean(1) + c

    origin = mean_over_units(second[0, 0], first[0], np.zeros(WIDTH), 0.0)

    def velocity(_, flat):
        a, w, b, c = split(flat)
        z = x @ w.T / sqrt(3) + b
        wrong = 2 * (mean_over_units(a, w, b, c) - origin - y) / len(y)
        slope = a * 2 / sqrt(pi) * np.exp(-(z**2))
        da, dw, db, dc = wrong @ erf(z), (wrong[:, None] * slope).T @ x / sqrt(3), wrong @ slope, wrong.sum()
        return -np.concatenate([da, dw.ravel(), db, [dc]])

    flat = np.concatenate([second[0, 0], first[0].ravel(), np.zeros(WIDTH + 1)])
    a, w, b, c = split(solve_ivp(velocity, (0, time), flat, rtol=1e-10, atol=1e-12).y[:, -1])
    return a, w, b, mean_over_units(a, w, b, c) - origin


def test_training_follows_the_particles_as_its_steps_shrink(data):
    network, start = started()
    a, w, b, f = particles(data, start, 2.0)
    errors = []
    for steps in (100, 200):
        settings = descent(2.0 / steps, steps, 12, alpha=ALPHAS[MEAN_FIELD](WIDTH))
        states = follow(network, start, data, settings)
        end, found = states[steps], functions(network, states, settings, data.train_x)[steps]
        pairs = ((end.weights[1][0, 0], a), (end.weights[0][0], w), (end.biases[0][0], b), (found[0, :, 0], f))
        errors.append([np.abs(mine - exact).max() for mine, exact in pairs])
    np.testing.assert_allclose(np.divide(*errors), 2, rtol=0.1)


def test_it_is_the_parametrization_of_that_name_but_for_the_bias_of_the_output(data):
    ntk, start = started()
    named, same = started("mean_field")
    for mine, theirs in zip(start.weights, same.weights, strict=True):
        np.testing.assert_allclose(mine, theirs, rtol=1e-6)
    ours = descent(0.1, 1, 12, alpha=ALPHAS[MEAN_FIELD](WIDTH), center=False)
    theirs = descent(0.1 * WIDTH, 1, 12, center=False)
    mine, other = follow(ntk, start, data, ours), follow(named, start, data, theirs)
    np.testing.assert_allclose(
        functions(ntk, mine, ours, data.test_x)[0], functions(named, other, theirs, data.test_x)[0]
    )
    for one, two in zip(mine[1].weights, other[1].weights, strict=True):
        np.testing.assert_allclose(one, two, rtol=1e-6)
    # In f the output's bias has moved N times as far where the rate is N times as large.
    bias = [states[1].biases[1].item() for states in (mine, other)]
    assert bias[1] == pytest.approx(WIDTH * bias[0] * ALPHAS[MEAN_FIELD](WIDTH), rel=1e-6)


def test_movement_and_marginals_are_of_units():
    network, start = started()
    moved = doubled(network.initial([1]))
    each = [
        [*(u.weights[0][0, i] - v.weights[0][0, i]), (u.weights[1] - v.weights[1])[0, 0, i]]
        for u, v in [(moved, start)]
        for i in range(WIDTH)
    ]
    assert movement(moved, start) == pytest.approx(sqrt(np.square(each).sum(1).mean()))
    a, along = marginals(start, np.array([0.0, 1.0, 0.0]))
    np.testing.assert_array_equal(a, start.weights[1][0, 0])
    np.testing.assert_array_equal(along, start.weights[0][0, :, 1])


def test_the_table_has_the_distances_from_the_pooled_reference():
    table = mean_field.measure(**OPTIONS)
    at_start = table[(table["step"] == 0) & table["quantity"].isin(["f", "moved"])]
    assert (at_start["value"] == 0).all()
    pooled = [started_of(64, seed).weights[1][0, 0] for seed in (2, 3)]
    expected = wasserstein_distance(started_of(8, 1).weights[1][0, 0], np.concatenate(pooled))
    here = table.query("step == 0 and width == 8 and seed == 1 and quantity == 'readout'")
    assert here["value"].item() == pytest.approx(expected)
    assert set(table.loc[table["scaling"] == NTK, "quantity"]) == {"moved"}


def started_of(width, seed):
    return doubled(MLP((3, width, 1), "erf", "ntk", "ntk").initial([seed], "mean_field", width))


def test_a_law_for_each_quantity():
    laws = mean_field.laws(mean_field.measure(**OPTIONS))
    assert laws["law"].tolist() == [-0.5, -0.5, -0.5, 0, -0.5]
    assert laws["exponent"].iloc[3] > laws["exponent"].iloc[4] + 0.2
