"""Exponents of made data, and masks of a density."""

import numpy as np
import pandas as pd
import pytest

from benchmarks.growth import POINTS, WHY, exponent, fitted, network, random_masks

SIZES = np.array([1.0, 2, 4, 8, 16])


@pytest.mark.parametrize("power", [0.5, 1.0, 1.7])
def test_a_power_law_has_its_exponent_and_no_error(power):
    slope, error = exponent(SIZES, 0.3 * SIZES**power)
    assert slope == pytest.approx(power)
    assert error == pytest.approx(0, abs=1e-6)


def test_the_standard_error_is_that_of_the_slope_by_its_formula():
    noise = np.array([0.02, -0.03, 0.01, 0.02, -0.01])
    x, y = np.log(SIZES), 1.2 * np.log(SIZES) + noise
    slope, error = exponent(SIZES, np.exp(y))
    centered = x - x.mean()
    assert slope == pytest.approx((centered * y).sum() / (centered**2).sum())
    residuals = y - y.mean() - slope * centered
    assert error == pytest.approx(np.sqrt((residuals**2).sum() / (len(x) - 2) / (centered**2).sum()))


def test_a_cost_with_a_fixed_part_grows_more_slowly_than_linearly():
    slope, error = exponent(SIZES, 1 + SIZES)
    assert 0 < slope < 1 and error > 0


def test_each_thing_that_grows_is_fitted_by_its_own_points():
    rows = [(name, size, size**power) for name, power in (("seeds", 1.0), ("width", 2.0)) for size in SIZES]
    table = fitted(pd.DataFrame(rows, columns=["grows", "size", "seconds"]))
    assert table.groupby("grows")["exponent"].first().to_dict() == pytest.approx({"seeds": 1, "width": 2})
    assert len(table) == 10


def test_masks_have_the_density_in_every_layer_and_seed():
    shape = network(30)
    for mask, (out, fan_in) in zip(random_masks(shape, 0.1, seeds=2), shape.shapes, strict=True):
        assert mask.sum((1, 2)).tolist() == [round(0.1 * out * fan_in)] * 2


def test_every_exponent_is_explained():
    assert WHY.keys() == POINTS.keys()
