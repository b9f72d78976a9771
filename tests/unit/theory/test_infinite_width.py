import numpy as np
import pytest

from featprune.theory.infinite_width import INPUTS, arc_cosine, laws, limit, measure


@pytest.mark.parametrize(
    ("angle", "value", "slope"),
    [(0.0, 0.5, 0.5), (np.pi / 2, 1 / (2 * np.pi), 0.25), (np.pi, 0.0, 0.0)],
)
def test_known_angles(angle, value, slope):
    scale = np.array([2.0, 3.0])
    sigma = np.outer(scale, scale) * np.array([[1, np.cos(angle)], [np.cos(angle), 1]])
    values, slopes = arc_cosine(sigma)
    assert values[0, 1] == pytest.approx(6 * value, abs=1e-7) and slopes[0, 1] == pytest.approx(slope, abs=1e-7)
    assert values[0, 0] == pytest.approx(2.0) and slopes[0, 0] == pytest.approx(0.5)


def test_expectations_by_sampling():
    rng = np.random.default_rng(0)
    factor = rng.standard_normal((3, 3))
    sigma = factor @ factor.T
    u = rng.multivariate_normal(np.zeros(3), sigma, size=400_000)
    relu, step = np.maximum(u, 0), (u > 0).astype(float)
    values, slopes = arc_cosine(sigma)
    np.testing.assert_allclose(relu.T @ relu / len(u), values, rtol=0.02, atol=0.01)
    np.testing.assert_allclose(step.T @ step / len(u), slopes, atol=0.005)


def test_without_hidden_layers_it_is_the_linear_kernel():
    x = np.random.default_rng(0).standard_normal((4, 6))
    (kernel,) = limit(x, 1)
    np.testing.assert_allclose(kernel, x @ x.T / 6 + 1)


def test_a_wide_network_is_near_in_every_layer_and_a_wider_one_nearer():
    table = measure(seeds=4, widths=[64, 2048], hidden_layers=2, samples=5)
    means = table.groupby(["layer", "width"])["value"].mean().unstack()
    assert (means[2048] < 0.12).all() and (means[2048] < means[64] / 2.5).all()
    assert sorted(means.index) == [0, 1, 2, 3] and INPUTS == 10
    assert laws(table)["exponent"].between(-0.75, -0.25).all()
