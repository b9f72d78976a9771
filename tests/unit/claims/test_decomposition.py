"""The decomposition of what alpha and density do, against statsmodels and by simulation."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from statsmodels.formula.api import ols
from statsmodels.stats.anova import anova_lm

from featprune.claims.decomposition import decompose, rank_consistency
from featprune.claims.inference import bootstrap_interval


def planted(alpha, density, interaction, noise, seeds=3, seed=0, blocks=1.0):
    """Values (4 alphas, 5 densities, seeds) with effects of these deviations and a level of its own for each seed."""
    rng = np.random.default_rng(seed)
    a, d = np.linspace(-1, 1, 4)[:, None], np.linspace(-1, 1, 5)
    product = a * d
    cells = alpha * a / a.std() + density * d / d.std() + interaction * product / product.std()
    return cells[..., None] + blocks * rng.standard_normal(seeds) + noise * rng.standard_normal((4, 5, seeds))


def test_sums_of_squares_are_those_of_an_analysis_of_variance():
    values = planted(1.0, 0.7, 0.8, noise=0.5)
    index = np.stack(np.indices(values.shape), -1).reshape(-1, 3)
    table = pd.DataFrame(index, columns=["alpha", "density", "seed"]).assign(y=values.ravel())
    anova = anova_lm(ols("y ~ C(alpha) * C(density) + C(seed)", table).fit())
    noise = anova.loc["Residual", "mean_sq"]
    found = decompose(values)
    for name, effect in (("C(alpha)", "alpha"), ("C(density)", "density"), ("C(alpha):C(density)", "interaction")):
        corrected = anova.loc[name, "sum_sq"] - anova.loc[name, "df"] * noise
        assert getattr(found, effect) == pytest.approx(corrected) and corrected > 0
    assert found.interaction_noise == pytest.approx(anova.loc["C(alpha):C(density)", "df"] * noise)
    assert found.alpha_noise == pytest.approx(anova.loc["C(alpha)", "df"] * noise)


def test_shares_without_noise_are_the_planted_ones():
    found = decompose(planted(1.0, 3.0, 0.5, noise=0.0))
    assert found.interaction_of_alpha == pytest.approx(0.25 / 1.25)
    assert found.interaction_total == pytest.approx(0.25 / 10.25)
    assert decompose(planted(1.0, 3.0, 0.0, noise=0.0)).interaction_of_alpha == pytest.approx(0, abs=1e-12)


def test_seeds_levels_do_not_matter():
    quiet, loud = (decompose(planted(1.0, 1.0, 0.5, noise=0.3, blocks=blocks)) for blocks in (0, 100))
    assert vars(quiet) == pytest.approx(vars(loud))


def test_one_seed_is_taken_as_it_is():
    values = planted(1.0, 1.0, 0.5, noise=0.3, seeds=1)
    found = decompose(values)
    cells = values[..., 0] - values.mean()
    assert found.alpha == pytest.approx(5 * (cells.mean(1) ** 2).sum()) and found.interaction_noise == 0


def test_noise_is_no_interaction_after_correction():
    found = [decompose(planted(1.0, 1.0, 0.0, noise=1.0, seed=seed)) for seed in range(300)]
    corrected = np.mean([f.interaction_of_alpha for f in found])
    raw = np.mean(
        [
            (f.interaction + f.interaction_noise) / (f.interaction + f.interaction_noise + f.alpha + f.alpha_noise)
            for f in found
        ]
    )
    # A sum of squares is clipped at zero, which leaves a little.
    assert corrected < 0.06 and raw > 0.15


def test_a_planted_interaction_is_found_on_average():
    found = [decompose(planted(1.0, 1.0, 0.8, noise=0.7, seed=seed)).interaction_of_alpha for seed in range(300)]
    assert np.mean(found) == pytest.approx(0.64 / 1.64, abs=0.02)


@pytest.mark.parametrize("n", [3, 8])
@pytest.mark.parametrize("interaction", [0.3, 0.8])
def test_the_bootstrap_of_an_interaction_covers(n, interaction):
    covered, truth = [], interaction**2 / (1 + interaction**2)
    for seed in range(50):
        values = planted(1.0, 1.0, interaction, noise=0.7, seeds=n, seed=seed)
        found = bootstrap_interval(
            lambda index, v=values: decompose(v[..., index.astype(int)]).interaction_of_alpha, n, 0.95, 100
        )
        covered.append(found.low <= truth <= found.high)
    assert np.mean(covered) >= 0.9


def test_where_alpha_does_nothing_noise_alone_looks_like_interaction():
    found = decompose(planted(0.0, 1.0, 0.0, noise=1.0))
    # Twelve degrees of freedom of fifteen, and no more than is there.
    assert 0.5 < found.noise_share <= 12 / (12 + 3)
    assert decompose(planted(1.0, 1.0, 0.0, noise=1e-3)).noise_share < 1e-3
    # There may be nothing left to take a share of.
    assert np.isnan(decompose(np.zeros((3, 3, 2))).interaction_of_alpha)


def kendalls_w(values):
    """12 S / (m^2 (k^3 - k)) of m rankings of k things (Kendall & Babington Smith 1939)."""
    k, m = values.shape
    sums = stats.rankdata(values, axis=0).sum(1)
    return 12 * ((sums - sums.mean()) ** 2).sum() / (m**2 * (k**3 - k))


def test_rank_consistency_is_kendalls_w():
    rng = np.random.default_rng(0)
    for alphas, densities in ((3, 3), (5, 4), (4, 8)):
        values = rng.standard_normal((alphas, densities))
        assert rank_consistency(values) == pytest.approx(kendalls_w(values))


def test_equal_rankings_are_consistent_and_random_ones_as_much_as_chance():
    rng = np.random.default_rng(0)
    steps = np.cumsum(rng.random((5, 4)), axis=0)
    assert rank_consistency(steps) == pytest.approx(1)
    chance = np.array([rank_consistency(rng.standard_normal((5, 4))) for _ in range(500)])
    assert chance.mean() == pytest.approx(1 / 4, abs=4 * chance.std() / np.sqrt(500))


def test_two_alphas_have_no_rank_consistency():
    assert np.isnan(rank_consistency(np.random.default_rng(0).random((2, 5))))
