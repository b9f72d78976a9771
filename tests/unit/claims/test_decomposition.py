"""The decomposition of what alpha and density do, against statsmodels, closed forms, and by simulation."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from statsmodels.stats.anova import AnovaRM

from featprune.claims.decomposition import LARGE, Effect, decompose


def planted(alpha, density, interaction, noise, seeds=3, seed=0, blocks=1.0):
    """Values (4 alphas, 5 densities, seeds) with effects of these deviations and a level of its own for each seed."""
    rng = np.random.default_rng(seed)
    a, d = np.linspace(-1, 1, 4)[:, None], np.linspace(-1, 1, 5)
    product = a * d
    cells = alpha * a / a.std() + density * d / d.std() + interaction * product / product.std()
    return cells[..., None] + blocks * rng.standard_normal(seeds) + noise * rng.standard_normal((4, 5, seeds))


@pytest.mark.parametrize("seeds", [2, 3, 8])
def test_tests_are_those_of_an_analysis_of_variance_with_repeated_measures(seeds):
    values = planted(0.5, 0.7, 0.4, noise=0.5, seeds=seeds)
    index = np.stack(np.indices(values.shape), -1).reshape(-1, 3)
    table = pd.DataFrame(index, columns=["alpha", "density", "seed"]).assign(y=values.ravel())
    anova = AnovaRM(table, "y", "seed", within=["alpha", "density"]).fit().anova_table
    found = decompose(values)
    for name, effect in (("alpha", found.alpha), ("alpha:density", found.interaction)):
        expected = anova.loc[name]
        assert (effect.freedom, effect.error_freedom) == (expected["Num DF"], expected["Den DF"])
        assert effect.square / effect.error == pytest.approx(expected["F Value"])
        assert effect.p == pytest.approx(expected["Pr > F"])


def test_effects_without_noise_are_the_planted_ones():
    found = decompose(planted(1.0, 3.0, 0.5, noise=1e-9))
    assert (found.alpha.root.value, found.interaction.root.value) == pytest.approx((1.0, 0.5))
    for estimate, truth in ((found.alpha.root, 1.0), (found.interaction.root, 0.5), (found.share, 0.25 / 1.25)):
        assert estimate.value == pytest.approx(truth)
        assert (estimate.low(0.05), estimate.high(0.05)) == pytest.approx((truth, truth), rel=1e-5)


def test_seeds_levels_do_not_matter():
    quiet, loud = (decompose(planted(1.0, 1.0, 0.5, noise=0.3, blocks=blocks)) for blocks in (0, 100))
    for name in ("alpha", "interaction"):
        assert vars(getattr(quiet, name)) == pytest.approx(vars(getattr(loud, name)))


def test_what_a_chain_keeps_is_no_error_of_the_interaction():
    values = planted(1.0, 1.0, 0.5, noise=0.3)
    kept = np.random.default_rng(1).standard_normal((4, 1, 3))
    before, after = decompose(values), decompose(values + kept)
    assert after.interaction.error == pytest.approx(before.interaction.error)
    assert after.alpha.error > 2 * before.alpha.error


def test_mean_squares_have_no_bias_but_that_of_ending_at_0():
    found = [decompose(planted(1.0, 1.0, 0.8, noise=0.7, seed=seed)) for seed in range(300)]
    assert np.mean([f.alpha.mean_square for f in found]) == pytest.approx(1, abs=0.03)
    assert np.mean([f.interaction.mean_square for f in found]) == pytest.approx(0.64, abs=0.03)


def made_effect(ratio, freedom=4, error_freedom=28, values=320):
    return Effect(ratio * 0.3, freedom, 0.3, error_freedom, values)


@pytest.mark.parametrize("ratio", [0.3, 1.0, 2.7, 8.0])
@pytest.mark.parametrize("freedom", [(4, 28), (3, 3), (28, 196)])
def test_without_an_effect_the_chance_is_that_of_the_f_test(ratio, freedom):
    effect = made_effect(ratio, *freedom)
    assert effect.chance(0.0, more=True) == pytest.approx(effect.p, rel=1e-3)
    assert effect.chance(0.0, more=False) == pytest.approx(1 - effect.p, rel=1e-3)
    assert (effect.bound(0.05, lower=True) > 0) == (effect.p < 0.05)


@pytest.mark.parametrize("level", [0.01, 0.05])
def test_of_one_degree_of_freedom_the_bounds_are_students(level):
    """Two alphas: the effect is a mean over seeds, and its root-mean-square half of a difference."""
    values = 1 + 0.2 * np.random.default_rng(0).standard_normal(6)
    cubes = np.stack([values, -values])[:, None]
    root = decompose(np.concatenate([cubes, cubes], axis=1)).alpha.root
    expected = stats.ttest_1samp(values, 0).confidence_interval(1 - 2 * level)
    assert (root.low(level), root.high(level)) == pytest.approx((expected.low, expected.high), rel=1e-4)


def test_large_effects_have_the_bounds_that_smaller_ones_tend_to():
    just, beyond = (made_effect(ratio * LARGE / 4) for ratio in (0.3, 3.0))
    distances = []
    for effect in (just, beyond):
        scale = np.sqrt(effect.error / 320)
        ends = [np.sqrt(effect.bound(0.05, lower)) for lower in (True, False)]
        distances.append((np.array(ends) - effect.root.value) / scale)
    np.testing.assert_allclose(*distances, rtol=0.02)


def test_bounds_of_a_share_are_as_wide_as_can_be_where_nothing_is_seen():
    share = decompose(np.random.default_rng(0).standard_normal((4, 3, 8))).share
    assert (share.low(0.05), share.high(0.05)) == (0.0, 1.0)


def test_what_to_expect_of_more_seeds():
    found = decompose(planted(0.5, 1.0, 0.4, noise=0.7, seeds=4))
    more = found.at(3)
    assert (more.alpha.error_freedom, more.interaction.error_freedom) == (3 * 11, 12 * 11)
    assert more.alpha.mean_square == pytest.approx(found.alpha.mean_square) and found.at(1) == replace(found)
