"""Networks that tend to their linearized model: with alpha, and with width."""

import numpy as np
import pytest

from featprune.theory import lazy_limit, wide_networks
from featprune.theory.curves import largest


def test_two_linear_layers_differ_from_their_expansion_by_one_over_alpha():
    """f - f_lin is bilinear in the changes of both layers, which are of order 1 / alpha each, times alpha."""
    table = lazy_limit.measure(
        seeds=2, alphas=[30, 300, 3000], activations=["linear"], width=10, samples=8, lr=0.05, steps=60
    )
    values = largest(table, *lazy_limit.RUN).set_index(["seed", "alpha"])["value"].unstack()
    np.testing.assert_allclose(values[30] / values[300], 10, rtol=0.15)
    np.testing.assert_allclose(values[300] / values[3000], 10, rtol=0.02)


def test_the_law_of_alpha_is_found():
    table = lazy_limit.measure(
        seeds=2, alphas=[10, 100, 1000], activations=["erf"], width=20, samples=8, lr=0.1, steps=60
    )
    assert lazy_limit.laws(table)["exponent"].item() == pytest.approx(-1, abs=0.05)


def test_readouts_of_one_sign_meet_the_bound_and_random_ones_do_better():
    table = wide_networks.measure(seeds=4, widths=[64, 256, 1024], samples=10, lr=0.1, steps=60)
    found = wide_networks.laws(table).set_index("quantity")["exponent"]
    distance = [name for name in found.index if name.startswith("largest")]
    assert found[distance[0]] == pytest.approx(-0.5, abs=0.25)
    assert found[distance[1]] == pytest.approx(-1.0, abs=0.35)
    moved = found.drop(distance)
    np.testing.assert_allclose(moved, -0.5, atol=0.05)
