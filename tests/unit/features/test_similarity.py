import itertools
import warnings

import numpy as np
import pytest

from featprune.features.similarity import (
    QUANTILES,
    alive,
    assigned_correlations,
    compare,
    frobenius,
    kernel_alignment,
    unbiased_cka,
    unbiased_hsic,
    unit_correlations,
)

P, N = 60, 8


def draw(seed=0, samples=P, units=N):
    return np.random.default_rng(seed).standard_normal((samples, units))


def related(seed=0):
    """Two matrices whose units are alike to different degrees, with means that aren't zero."""
    a = draw(seed)
    return a + 0.3, a + np.linspace(0.1, 3, N) * draw(seed + 100) - 1


def rotation(seed=0, units=N):
    return np.linalg.qr(draw(seed, units, units))[0]


def biased_cka(a, b):
    """Linear CKA as Kornblith et al. (2019) write it: from traces of the centered kernels."""
    a, b = a - a.mean(0), b - b.mean(0)
    return np.linalg.norm(a.T @ b) ** 2 / (np.linalg.norm(a.T @ a) * np.linalg.norm(b.T @ b))


def test_equal_features_are_alike_by_every_measure():
    h = draw() + 2
    same = compare(h, h)
    assert (same.units, same.dead, same.dead_dense, same.shared) == (N, 0, 0, N)
    assert same.frobenius == 0
    for value in (same.correlation, same.assigned_correlation, same.cka, same.kernel_alignment):
        assert value == pytest.approx(1, abs=1e-12)
    assert list(same.quantiles.values()) == pytest.approx([1] * 5)


def test_permuted_units_are_found_by_assignment_and_not_by_index():
    h = draw()
    moved = compare(np.roll(h, 1, axis=1), h)
    # A correlation of unrelated units has deviation 1 / sqrt(P - 1).
    assert abs(moved.correlation) < 4 / np.sqrt((P - 1) * N)
    for value in (moved.assigned_correlation, moved.cka, moved.kernel_alignment):
        assert value == pytest.approx(1, abs=1e-12)


def test_rotated_features_have_the_same_kernel_but_other_units():
    h = draw()
    turned = compare(h @ rotation(), h)
    assert turned.cka == pytest.approx(1, abs=1e-12) and turned.kernel_alignment == pytest.approx(1, abs=1e-12)
    assert turned.correlation < 0.5 and turned.assigned_correlation < 0.9


def test_cka_does_not_depend_on_rotation_scale_or_shift_of_either_side():
    a, b = related()
    again = unbiased_cka(3 * a @ rotation(1) + draw(5)[0], 0.01 * b @ rotation(2) - draw(6)[0])
    assert again == pytest.approx(unbiased_cka(a, b), rel=1e-9)
    assert 0.2 < unbiased_cka(a, b) < 0.95


def test_unbiased_cka_of_unrelated_features_is_zero_on_average_and_the_biased_one_is_not():
    pairs = [(draw(2 * i, 20, 30), draw(2 * i + 1, 20, 30)) for i in range(300)]
    unbiased, biased = (np.array([measure(*pair) for pair in pairs]) for measure in (unbiased_cka, biased_cka))
    assert abs(unbiased.mean()) < 3 * unbiased.std(ddof=1) / np.sqrt(len(pairs))
    assert biased.mean() > 0.5


def test_unbiased_cka_averages_to_zero_over_all_pairings_of_the_inputs():
    a, b = draw(0, 5, 9), draw(1, 5, 9)
    values = [unbiased_cka(a, b[list(order)]) for order in itertools.permutations(range(5))]
    assert np.mean(values) == pytest.approx(0, abs=1e-12) and np.std(values) > 0.1


@pytest.mark.parametrize("n", [4, 5, 7])
def test_unbiased_hsic_is_the_u_statistic_over_quadruples(n):
    rng = np.random.default_rng(n)
    k, l = (m + m.T for m in rng.standard_normal((2, n, n)))  # noqa: E741
    # Song et al. 2012: the mean over distinct i, j, q, r of k_ij l_ij + k_ij l_qr - 2 k_ij l_iq.
    terms = [k[i, j] * (l[i, j] + l[q, r] - 2 * l[i, q]) for i, j, q, r in itertools.permutations(range(n), 4)]
    assert unbiased_hsic(k, l) == pytest.approx(np.mean(terms), rel=1e-9)


def test_correlations_are_numpys():
    a, b = related()
    expected = [np.corrcoef(a[:, i], b[:, i])[0, 1] for i in range(N)]
    np.testing.assert_allclose(unit_correlations(a, b), expected, rtol=1e-12)
    both = compare(a, b)
    assert both.correlation == pytest.approx(np.mean(expected))
    assert both.quantiles == pytest.approx({name: np.quantile(expected, q) for name, q in QUANTILES.items()})


@pytest.mark.parametrize(("here", "there"), [(5, 5), (3, 5), (5, 3)])
def test_assignment_is_the_best_of_all(here, there):
    a = draw(0, 12, here)
    b = draw(1, 12, there)
    table = np.corrcoef(a.T, b.T)[:here, here:]
    table = table if here <= there else table.T
    best = max(
        sum(table[i, j] for i, j in enumerate(order))
        for order in itertools.permutations(range(len(table[0])), len(table))
    )
    chosen = assigned_correlations(a, b)
    assert len(chosen) == min(here, there) and chosen.sum() == pytest.approx(best)


def test_positive_scale_and_shift_of_each_unit_leave_correlations_at_one():
    h, rng = draw(), np.random.default_rng(3)
    moved = compare(h * rng.uniform(0.1, 10, N) + rng.standard_normal(N), h)
    assert moved.correlation == pytest.approx(1) and moved.assigned_correlation == pytest.approx(1)
    assert moved.cka < 0.99


@pytest.mark.parametrize("scale", [0.25, 3.0])
def test_a_common_scale_shows_in_the_frobenius_distance_alone(scale):
    h = draw() + 1
    scaled = compare(scale * h, h)
    assert scaled.frobenius == pytest.approx(abs(scale - 1))
    for value in (scaled.correlation, scaled.cka, scaled.kernel_alignment):
        assert value == pytest.approx(1, abs=1e-12)


def test_a_negated_unit_counts_as_minus_one():
    h = draw()
    signs = np.where(np.arange(N) == 2, -1, 1)
    turned = compare(h * signs, h)
    assert turned.correlation == pytest.approx((N - 2) / N)
    assert turned.quantiles["q05"] < 0.5 and turned.quantiles["q25"] == pytest.approx(1)
    assert turned.cka == pytest.approx(1, abs=1e-12)
    assert compare(-h, h).frobenius == pytest.approx(2)


def test_frobenius_and_kernel_alignment_are_their_definitions():
    a, b = related()
    assert frobenius(a, b) == pytest.approx(np.sqrt(((a - b) ** 2).sum() / (b**2).sum()))
    k, l = a @ a.T, b @ b.T  # noqa: E741
    assert kernel_alignment(a, b) == pytest.approx((k * l).sum() / np.sqrt((k**2).sum() * (l**2).sum()))


def test_dead_units_are_counted_and_left_out_of_the_means():
    a, b = related()
    expected = unit_correlations(a, b)[3:]
    a[:, :2], b[:, 2] = (0.0, 5.0), -1.0
    mixed = compare(a, b)
    assert (mixed.units, mixed.dead, mixed.dead_dense, mixed.shared) == (N, 2, 1, N - 3)
    assert mixed.correlation == pytest.approx(expected.mean())
    assert mixed.quantiles["q50"] == pytest.approx(np.median(expected))
    assert np.isfinite(list(mixed.row().values())).all()


def test_a_unit_is_alive_only_if_float32_can_tell():
    steady = np.full((P, 3), 100.0) + draw(0, P, 3) * [0, 1e-6, 1e-2]
    assert alive(steady).tolist() == [False, False, True]
    # A small response around zero is one.
    assert alive(1e-20 * draw()).all()


def test_without_a_unit_alive_in_both_there_are_no_correlations():
    h, still = draw(), np.tile(draw()[:1], (P, 1))
    for nothing in (compare(still, h), compare(h, still)):
        assert (nothing.shared, nothing.dead + nothing.dead_dense) == (0, N)
        assert np.isnan([nothing.correlation, nothing.assigned_correlation, *nothing.quantiles.values()]).all()
        assert np.isnan(nothing.cka) and np.isfinite([nothing.frobenius, nothing.kernel_alignment]).all()
    silent = compare(h, np.zeros_like(h))
    assert np.isnan([silent.frobenius, silent.kernel_alignment, silent.cka]).all()


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_a_unit_with_a_value_that_is_not_finite_is_dead(value):
    a, b = related()
    expected = unit_correlations(a, b)[1:].mean()
    a[7, 0] = value
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        broken = compare(a, b)
    assert (broken.dead, broken.dead_dense, broken.shared) == (1, 0, N - 1)
    assert broken.correlation == pytest.approx(expected)
    assert np.isnan([broken.cka, broken.frobenius, broken.kernel_alignment]).all()


def test_float32_features_are_compared_in_float64():
    a, b = (h.astype(np.float32) for h in related())
    assert compare(a, b) == compare(a.astype(float), b.astype(float))


def test_a_row_has_a_column_for_every_measure_and_quantile():
    assert list(compare(*related()).row()) == [
        *("units", "dead", "dead_dense", "shared", "correlation", "assigned_correlation"),
        *("cka", "frobenius", "kernel_alignment"),
        *(f"correlation_{name}" for name in QUANTILES),
    ]


def test_a_constant_unit_is_dead_in_single_precision_too():
    # A mean that is accumulated in float32 is off by more than the threshold.
    h = np.random.default_rng(0).standard_normal((200, 300)).astype(np.float32)
    h[:, ::2] = np.linspace(0.05, 0.5, 150, dtype=np.float32)
    assert np.array_equal(alive(h), np.arange(300) % 2 == 1)
