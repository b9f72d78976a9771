import numpy as np
import pandas as pd
import pytest

from featprune.network import MLP
from featprune.theory.runs import dataset, descent, doubled, follow, functions
from featprune.theory.width_consistency import LAST, at, compare, excess, laws, measure
from featprune.theory.widths import ALPHAS, Seen, kernel_distance

RNG = np.random.default_rng(0)


@pytest.mark.parametrize("width", [5, 40])
def test_ntk_at_a_falling_alpha_is_mean_field_parametrization(width):
    # erf and data that are odd: no bias has a gradient, of which the output's alone has another rate.
    x, y = RNG.standard_normal((6, 3)), RNG.standard_normal((6, 2))
    data = dataset(np.concatenate([x, -x]), np.concatenate([y, -y]), x, y)
    found = []
    for name, alpha, lr in (("mean_field", 0.7, 0.05 * width), ("ntk", 0.7 * ALPHAS["mean_field"](width), 0.05)):
        network = MLP((3, width, width, 2), "erf", name, name)
        settings = descent(lr, 30, len(data.train_x), alpha=alpha)
        states = follow(network, doubled(network.initial([0, 1])), data, settings)
        found.append((functions(network, states, settings, x)[30], states[30].weights[1]))
    (f, weights), (same_f, same_weights) = found
    assert np.abs(f).max() > 0.1
    np.testing.assert_allclose(f, same_f, rtol=1e-6, atol=1e-9)
    np.testing.assert_allclose(weights, same_weights, rtol=1e-6, atol=1e-9)


def test_a_step_moves_preactivations_alike_in_mean_field_and_as_the_root_of_the_width_in_ntk():
    x, y = RNG.standard_normal((8, 10)), RNG.standard_normal((8, 1))
    data = dataset(x, y, x, y)
    moved: dict = {name: [] for name in ALPHAS}
    for name, alpha in ALPHAS.items():
        for width in (50, 800):
            network = MLP((10, width, width, 1), "relu", "ntk", "ntk")
            start = doubled(network.initial(range(8)))
            states = follow(network, start, data, descent(0.05, 1, 8, alpha=0.1 * alpha(width / 50)))
            h = [network.preactivations(s.weights, s.biases, x)[:-1] for s in (states[0], states[1])]
            moved[name].append([np.sqrt(np.square(after - before).mean()) for before, after in zip(*h, strict=True)])
    np.testing.assert_allclose(*moved["mean_field"], rtol=0.15)
    np.testing.assert_allclose(np.divide(*moved["ntk"]), 4, rtol=0.15)


def test_kernels_of_different_widths_are_compared_as_means_over_units():
    a, b = RNG.standard_normal((7, 4)), RNG.standard_normal((7, 6))
    assert kernel_distance(np.concatenate([a, a], 1), a) == pytest.approx(0, abs=1e-12)
    brute = [[np.mean([u[i] * u[j] for u in h.T]) for i in range(7) for j in range(7)] for h in (a, b)]
    assert kernel_distance(a, b) == pytest.approx(np.linalg.norm(np.subtract(*brute)) / np.linalg.norm(brute[1]))


def test_a_seed_is_compared_with_another_draw_of_the_widest_and_with_its_own_start():
    f = {0: np.zeros((2, 3, 1)), 5: np.array([[[1.0], [2], [2]], [[0], [0], [4.0]]])}
    h = {step: [RNG.standard_normal((2, 6, 3))] for step in f}
    found = Seen(f, h)
    rows = pd.DataFrame(compare(found, found, 9, np.ones((3, 1))), columns=["seed", "width", "step", "layer", "m", "v"])
    value = rows.set_index(["m", "seed", "step"])["v"]
    assert value["test_loss", 1, 5] == pytest.approx((1 + 1 + 9) / 3)
    assert value["distance", 1, 5] == pytest.approx(np.sqrt(1 + 4 + 4) / 3)
    assert value["distance", 0, 5] == pytest.approx(3 / 4)
    moved = np.linalg.norm(h[5][0][1] - h[0][0][1]) / np.linalg.norm(h[0][0][1])
    assert value["preactivation_movement", 1, 5] == pytest.approx(moved)
    assert value["kernel_movement", 1, 5] == pytest.approx(kernel_distance(h[5][0][1], h[0][0][1]))
    assert value["kernel_distance", 0, 5] == pytest.approx(kernel_distance(h[5][0][0], h[5][0][1]))
    assert ("distance", 0, 0) not in value.index


def exact():
    """A table in which every law holds exactly."""
    exponents = {"preactivation_movement": -0.5, "kernel_movement": -1.0}
    rows = []
    for name in ALPHAS:
        for width in (8, 16, 32, 64, 128):
            for seed, step in ((0, 1), (0, 100), (1, 1), (1, 100)):
                noise = (1 + seed) * np.sqrt(1 / width + 1 / 128)
                rows += [(name, seed, width, step, layer, "kernel_distance", noise) for layer in (1, 2)]
                rows += [(name, seed, width, step, 0, "distance", noise)]
                for kind, exponent in exponents.items():
                    value = step * width ** (exponent if name == "ntk" else 0.0)
                    rows += [(name, seed, width, step, layer, kind, value) for layer in (1, 2)]
    return pd.DataFrame(rows, columns=["parametrization", "seed", "width", "step", "layer", "measure", "value"])


def test_laws_that_hold_are_found():
    found = laws(exact())
    np.testing.assert_allclose(found["exponent"], found["law"], atol=1e-9)
    assert len(found) == len(set(found["quantity"])) == 2 + 4 + 8 + 2 + 4


def test_distances_that_draws_explain_have_no_excess():
    table = exact().query("seed == 0 and measure == 'distance' and parametrization == 'ntk'")
    rows = at(table, LAST)
    np.testing.assert_allclose(excess(rows), 1)
    doubled_there = rows.assign(value=rows["value"].where(rows["width"] != 16, 2 * rows["value"]))
    assert excess(doubled_there).max() == pytest.approx(2)


def test_both_parametrizations_are_one_network_at_the_narrowest_width():
    table = measure(seeds=2, widths=[4, 8, 16], widest=32, alpha=0.2, lr=0.5, batch=20, steps=5)
    own = table[table["measure"].isin(["test_loss", "kernel_movement"])]
    values = own.set_index(["width", "measure", "seed", "step", "layer"])
    mean_field, ntk = (values[values["parametrization"] == name]["value"] for name in ALPHAS)
    pd.testing.assert_series_equal(mean_field[4], ntk[4])
    assert (mean_field[8] - ntk[8]).abs().max() > 1e-4
    assert np.isfinite(table["value"]).all() and len(laws(table))
