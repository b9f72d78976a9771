import math

import numpy as np
import pytest
import torch
from scipy.special import erf

from featprune.errors import FeatpruneError
from featprune.network import INITIALIZATIONS, MLP, PARAMETRIZATIONS, Parameters

ACTIVATION = {"relu": lambda h: np.maximum(h, 0), "tanh": np.tanh, "erf": erf, "linear": lambda h: h}


@pytest.mark.parametrize("activation", ACTIVATION)
@pytest.mark.parametrize("parametrization", PARAMETRIZATIONS)
def test_forward_pass_against_numpy(activation, parametrization):
    network = MLP((5, 7, 6, 3), activation, "he_normal", parametrization)
    p = network.initial([0, 1])
    p = Parameters(p.weights, tuple(b + 0.1 for b in p.biases))
    x = np.random.default_rng(0).standard_normal((4, 5))
    tensors = [[torch.from_numpy(a.astype(float)) for a in group] for group in (p.weights, p.biases)]
    layers = network.preactivations(*tensors, torch.from_numpy(x))
    for replica in range(2):
        a = x
        for layer, factor in enumerate(network.multipliers):
            h = factor * a @ p.weights[layer][replica].T.astype(float) + p.biases[layer][replica]
            np.testing.assert_allclose(layers[layer][replica], h, rtol=1e-12, atol=1e-12)
            a = ACTIVATION[activation](h)


@pytest.mark.parametrize(
    ("init", "deviations"),
    [
        ("glorot_normal_truncated", [math.sqrt(2 / 700), math.sqrt(2 / 310)]),
        ("he_normal", [math.sqrt(2 / 400), math.sqrt(2 / 300)]),
        ("ntk", [1 / 20, 1 / math.sqrt(300)]),
        ("mean_field", [1 / 20, 1 / 300]),
    ],
)
@pytest.mark.parametrize("parametrization", PARAMETRIZATIONS)
def test_effective_deviation_does_not_depend_on_the_parametrization(init, deviations, parametrization):
    network = MLP((400, 300, 10), init=init, parametrization=parametrization)
    for weight, factor, expected in zip(network.initial([3]).weights, network.multipliers, deviations, strict=True):
        effective = factor * weight
        # The deviation of n draws has a relative error of about 1 / sqrt(2 n).
        assert effective.std() == pytest.approx(expected, rel=5 / math.sqrt(2 * weight.size))
        assert abs(effective.mean()) < 5 * expected / math.sqrt(weight.size)


def test_ntk_parametrization_stores_unit_normals():
    weight = MLP((400, 300, 10), init="ntk", parametrization="ntk").initial([0]).weights[0]
    assert weight.std() == pytest.approx(1, rel=0.02)


def test_truncated_draw_is_truncated():
    weight = MLP((400, 300, 10)).initial([0]).weights[0]
    deviation = math.sqrt(2 / 700) / 0.8796256610342398
    assert np.abs(weight).max() <= 2 * deviation * (1 + 1e-6)
    assert np.abs(weight).max() > 1.99 * deviation


def test_every_initialization_has_zero_biases_and_float32():
    for init in INITIALIZATIONS:
        p = MLP((4, 3, 2), init=init).initial([0])
        assert all((b == 0).all() and b.dtype == np.float32 for b in p.biases)
        assert all(w.dtype == np.float32 for w in p.weights)


def test_a_seed_draws_the_same_alone_and_in_a_block():
    network = MLP((6, 5, 2))
    block, alone = network.initial([0, 1, 2]), network.initial([1])
    for b, a in zip(block.replicas([1]).weights, alone.weights, strict=True):
        np.testing.assert_array_equal(b, a)
    assert not np.array_equal(block.weights[0][0], block.weights[0][1])


def test_purposes_are_independent_draws():
    network = MLP((6, 5, 2))
    assert not np.array_equal(network.initial([0]).weights[0], network.initial([0], "redraw", 1).weights[0])


def test_masked_weights_are_exactly_zero_even_where_nan():
    p = Parameters((np.full((1, 2, 2), np.nan, np.float32),), (np.zeros((1, 2), np.float32),))
    mask = np.array([[[True, False], [False, False]]])
    assert p.masked([mask]).weights[0][~mask].tolist() == [0, 0, 0]
    assert not p.masked([mask]).finite().any()


@pytest.mark.parametrize("field", ["init", "parametrization", "activation"])
def test_unknown_names_list_the_choices(field):
    with pytest.raises(FeatpruneError, match="known: "):
        network = MLP((2, 2, 1), **{field: "nothing"})
        p = network.initial([0])
        network.output(
            [torch.from_numpy(w) for w in p.weights], [torch.from_numpy(b) for b in p.biases], torch.ones(1, 2)
        )


@pytest.mark.parametrize("hidden", [(7,), (7, 6)])
@pytest.mark.parametrize("factor", [0.05, 28.0])
def test_without_biases_alpha_is_a_scale_of_weights_and_of_inputs(hidden, factor):
    """alpha h(x; theta) = h(x; alpha^(1/L) theta) and h(s x) = s h(x) for ReLU, not for tanh."""
    x = np.random.default_rng(0).standard_normal((4, 5))

    def sides(activation):
        network = MLP((5, *hidden, 3), activation)
        p = network.initial([0, 1])
        weights, biases = ([a.astype(float) for a in group] for group in (p.weights, p.biases))
        scaled = [factor ** (1 / len(weights)) * w for w in weights]
        of = network.output
        return factor * of(weights, biases, x), of(scaled, biases, x), of(weights, biases, factor * x)

    times_alpha, by_weights, by_inputs = sides("relu")
    np.testing.assert_allclose(by_weights, times_alpha, rtol=1e-12)
    np.testing.assert_allclose(by_inputs, times_alpha, rtol=1e-12)
    assert not np.allclose(*sides("tanh")[::2])
