from importlib import import_module

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from featprune.errors import FeatpruneError
from featprune.figures import FIGURES
from featprune.theory.laws import COLUMNS, fit_law, listing, tell, written
from featprune.theory.registry import RESULTS

X = np.array([1.0, 2, 4, 8, 16])


def measured(slopes, noise=0.0):
    rng = np.random.default_rng(0)
    parts = [
        pd.DataFrame({"seed": seed, "x": X, "y": (1 + seed) * X**b * np.exp(noise * rng.standard_normal(len(X)))})
        for seed, b in enumerate(slopes)
    ]
    return pd.concat(parts)


def test_the_exponent_is_the_mean_of_the_seeds_with_students_interval():
    slopes = [-0.4, -0.5, -0.55, -0.62]
    (row,) = fit_law("a quantity", -0.5, measured(slopes), "x", "y").to_dict("records")
    assert row["exponent"] == pytest.approx(np.mean(slopes))
    test = stats.ttest_1samp(slopes, 0.0).confidence_interval(0.95)
    assert (row["low"], row["high"]) == pytest.approx((test.low, test.high))
    assert (row["quantity"], row["law"], row["seeds"]) == ("a quantity", -0.5, 4)


def test_the_interval_covers_the_true_exponent_as_often_as_it_says():
    rng, hits = np.random.default_rng(1), 0
    for _ in range(120):
        row = fit_law("", -0.5, measured(-0.5 + 0.1 * rng.standard_normal(5)), "x", "y").iloc[0]
        hits += row["low"] <= -0.5 <= row["high"]
    assert stats.binomtest(hits, 120, 0.95).pvalue > 1e-3


def test_seeds_that_agree_exactly_have_an_interval_without_width():
    row = fit_law("", -1.0, measured([-1.0, -1.0]), "x", "y").iloc[0]
    assert row["low"] == pytest.approx(-1.0, abs=1e-9) and row["high"] == pytest.approx(-1.0, abs=1e-9)


@pytest.mark.parametrize(
    ("table", "wrong"),
    [
        (measured([-1.0]), "two seeds"),
        (measured([-1.0, -1.0]).query("x == 1"), "two seeds"),
        (measured([-1.0, -1.0]).assign(y=0.0), "positive"),
    ],
)
def test_what_cannot_be_fitted_is_an_error(table, wrong):
    with pytest.raises(FeatpruneError, match=f"distance: .*{wrong}"):
        fit_law("distance", -1.0, table, "x", "y")


def test_a_law_outside_the_interval_is_told():
    rows = [("near", -0.5, -0.52, -0.6, -0.4, 4), ("far", -1.0, -0.52, -0.6, -0.4, 4)]
    near, far = tell(pd.DataFrame(rows, columns=COLUMNS))
    assert near.endswith("the law says -0.5.") and far.endswith("the law says -1, which lies outside.")
    assert near.startswith("near: exponent -0.52 [-0.60, -0.40] over 4 seeds")
    assert listing(pd.DataFrame(rows, columns=COLUMNS)).count("\n- ") == 2


@pytest.mark.parametrize(("low", "expected"), [(-0.6, "-0.50 [-0.60, -0.40]"), (-0.501, "-0.500 [-0.501, -0.499]")])
def test_as_many_digits_as_tell_the_ends_apart(low, expected):
    assert written(-0.5, low, -1.0 - low) == expected


def test_only_results_with_laws_have_a_table_of_them():
    told = {name: result.tables for name, result in RESULTS.items()}
    assert told["lazy_limit"] == ("lazy_limit", "lazy_limit_laws") and told["pruned_modes"] == ("pruned_modes",)
    for name, result in RESULTS.items():
        assert result.has_laws == hasattr(import_module(result.module), "laws")
        assert FIGURES[name].tables == told[name]
