"""The kernels against products of whole matrices in float64."""

import numpy as np
import pytest

from featprune.engine import kernels
from featprune.engine.layers import PANEL, Segments
from featprune.engine.vectors import LANES

OUT, FAN_IN, FACTOR = 9, 47, 0.25
SHAPES = [(OUT, FAN_IN), (4, 150), (40, 5)]
EPS = {np.float32: 2.0**-24, np.float64: 2.0**-53}


def sparse(density, dtype, shape=(OUT, FAN_IN), panels=3):
    """A weight matrix in float64, its mask, its segments and values; row 2 is empty, row 3 full.

    At density 0 all are empty.
    """
    rng = np.random.default_rng(0)
    mask = rng.random(shape) < density
    mask[2], mask[3] = False, density > 0
    weight = np.where(mask, rng.standard_normal(mask.shape), 0).astype(dtype)
    segments = Segments.of(mask, panels * PANEL // shape[1])
    count = mask.sum()
    return weight.astype(float), mask, segments, weight[segments.rows[:count], segments.columns[:count]]


def signal(units, batch, dtype, seed) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal((units, batch)).astype(dtype)


def unset(*shape, dtype) -> np.ndarray:
    """A buffer of which every entry has to be written."""
    return np.full(shape, np.nan, dtype)


def close(found, left, right, plus=0.0):
    """left right + plus within the rounding of sums in any order (Higham 2002, section 3.1), in units of FACTOR."""
    left, right, plus = (np.asarray(a, float) for a in (left, right, plus))
    bound = (left.shape[1] + 3) * EPS[found.dtype.type] * (abs(left) @ abs(right) + abs(plus))
    assert (abs(found - (left @ right + plus)) <= bound).all()


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("batch", [16, 48, 64, 80, 192])
@pytest.mark.parametrize("density", [0.0, 0.1, 0.4, 1.0])
@pytest.mark.parametrize(("out", "fan_in"), SHAPES)
def test_sparse_kernels_are_the_products_of_the_dense_matrix(out, fan_in, density, batch, dtype):
    weight, mask, s, val = sparse(density, dtype, (out, fan_in))
    bias, x, delta = signal(out, 1, dtype, 1)[:, 0], signal(fan_in, batch, dtype, 2), signal(out, batch, dtype, 3)

    z = unset(out, batch, dtype=dtype)
    kernels.sparse_product(s.ptr, s.row, s.columns, None, val, bias, dtype(FACTOR), x, z)
    close(z, FACTOR * weight, x, bias[:, None])

    gradient = unset(len(val), dtype=dtype)
    kernels.sparse_gradient(s.rows, s.columns, s.alike, dtype(FACTOR), delta, x, gradient)
    places = s.rows[: len(val)], s.columns[: len(val)]
    whole = np.full(mask.shape, np.nan, dtype)
    whole[places] = gradient
    assert (np.isnan(whole) == ~mask).all()
    expected, scale = FACTOR * delta.astype(float) @ x.T, FACTOR * abs(delta.astype(float)) @ abs(x.T)
    assert (abs(whole - expected)[mask] <= (batch + 3) * EPS[dtype] * scale[mask]).all()


@pytest.mark.parametrize("batch", [16, 64])
@pytest.mark.parametrize("density", [0.0, 0.3, 1.0])
def test_a_product_by_the_transpose_finds_its_weights(density, batch):
    weight, mask, s, val = sparse(density, np.float64)
    t, number = Segments.of(mask.T, 1), np.zeros(mask.shape, np.uint32)
    number[s.rows[: len(val)], s.columns[: len(val)]] = np.arange(len(val))
    place = number[t.columns[: len(val)], t.rows[: len(val)]]
    delta, x_delta = signal(OUT, batch, float, 3), unset(FAN_IN, batch, dtype=float)
    kernels.sparse_product(t.ptr, t.row, t.columns, place, val, None, FACTOR, delta, x_delta)
    close(x_delta, FACTOR * weight.T, delta)


def test_what_a_row_keeps_is_summed_whatever_its_number():
    """Gradients go sixteen at a time: rows of 0 to 35 weights leave every remainder, and begin anywhere in it."""
    for count in range(36):
        mask = np.zeros((3, 40), bool)
        mask[0, :5], mask[1, 4 : 4 + count], mask[2, ::3] = True, True, True
        s, total = Segments.of(mask, 1), int(mask.sum())
        x, z = np.arange(40.0)[:, None] * np.ones(16), unset(3, 16, dtype=float)
        kernels.sparse_product(s.ptr, s.row, s.columns, None, np.ones(total), np.full(3, 0.5), 2.0, x, z)
        assert (z == (2 * mask @ x + 0.5)).all()
        gradient, delta = unset(total, dtype=float), np.arange(1.0, 4)[:, None] * np.ones(16)
        kernels.sparse_gradient(s.rows, s.columns, s.alike, 2.0, delta, x, gradient)
        assert (gradient == 2 * 16 * (s.rows + 1.0)[:total] * s.columns[:total]).all()


@pytest.mark.parametrize("batch", [16, 64])
def test_a_vector_of_weights_may_return_to_the_row_it_began_with(batch):
    """In the next panel, or in its padding."""
    mask = np.eye(3, 40, dtype=bool)
    s, gradient = Segments.of(mask, 1), unset(3, dtype=float)
    delta, x = signal(3, batch, float, 1), signal(40, batch, float, 2)
    kernels.sparse_gradient(s.rows, s.columns, s.alike, 1.0, delta, x, gradient)
    np.testing.assert_allclose(gradient, (delta * x[:3]).sum(1), rtol=1e-13)


@pytest.mark.parametrize("density", [0.05, 0.4, 1.0])
@pytest.mark.parametrize("panels", [1, 2, 7])
def test_segments_are_the_mask_by_panels_of_columns_and_rows(panels, density):
    mask = np.random.default_rng(1).random((30, 140)) < density
    mask[4] = False
    s, count = Segments.of(mask, panels * PANEL // 140), mask.sum()
    rows, columns = s.rows[:count], s.columns[:count]
    assert len(s.rows) == len(s.columns) == -(-count // LANES) * LANES
    assert np.unique(rows * 140 + columns).size == count and mask[rows, columns].all()
    for row, first, end in zip(s.row, s.ptr[:-1], s.ptr[1:], strict=True):
        assert end > first and (rows[first:end] == row).all() and (np.diff(columns[first:end].astype(int)) > 0).all()
    assert s.ptr[-1] == count
    if density == 1:
        assert len(s.row) == panels * 29, "a segment a row and panel, none for an empty row"


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("wide", [False, True])
@pytest.mark.parametrize(("n", "m", "terms"), [(1, 16, 1), (5, 17, 3), (6, 31, 60), (13, 33, 16), (20, 50, 7)])
def test_the_dense_product_is_the_product(n, m, terms, wide, dtype):
    a, b, bias = signal(n, terms + 5, dtype, 1), signal(terms, m, dtype, 2), signal(n, 1, dtype, 3)
    c = unset(n, m, dtype=dtype)
    kernels.dense_product(a, b, dtype(FACTOR), bias[:, 0], wide, c)
    close(c, FACTOR * a[:, :terms].astype(float), b, bias)


def test_tiles_decide_no_bits():
    """One machine's are wider than another's, and a layer's blocks may be cut anywhere."""
    a, b, bias = signal(23, 64, np.float32, 1), signal(60, 51, np.float32, 2), signal(23, 1, np.float32, 3)[:, 0]

    def product(rows, wide):
        c = unset(len(a[rows]), 51, dtype=np.float32)
        kernels.dense_product(a[rows], b, b.dtype.type(FACTOR), bias[rows], wide, c)
        return c

    whole = product(slice(0, 23), True)
    for cut in (1, 6, 20):
        for part in (slice(0, cut), slice(cut, 23)):
            np.testing.assert_array_equal(product(part, False), whole[part])


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_row_sums(dtype):
    delta, sums = signal(OUT, 37, dtype, 0), unset(OUT, dtype=dtype)
    kernels.row_sums(delta, sums)
    close(sums[:, None], delta, np.ones((37, 1)))


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize(("n", "m"), [(5, 7), (16, 16), (16, 3), (64, 33), (17, 80)])
def test_transpose(n, m, dtype):
    rows, columns = signal(n, m, dtype, 0), unset(m, n, dtype=dtype)
    kernels.transpose(rows, columns)
    np.testing.assert_array_equal(columns, rows.T)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("targets", [(), (3,)])
@pytest.mark.parametrize(("features", "size"), [(35, 4), (16, 16), (17, 20), (3, 20)])
def test_gather(features, size, targets, dtype):
    rng, width = np.random.default_rng(0), -(-size // LANES) * LANES
    batch = rng.integers(0, 20, size)
    data = [rng.standard_normal((20, *rest)).astype(dtype) for rest in ((features,), targets, (3,))]
    rows, *few = (np.full((width, *a.shape[1:]), 7, dtype) for a in data)
    columns = rows.T.copy()
    kernels.gather(batch, *data, rows, columns, *few)
    for copy, a in zip((rows, columns.T, *few), (data[0], *data), strict=True):
        np.testing.assert_array_equal(copy[:size], a[batch])
        assert (copy[size:] == 7).all(), "padding was written to"
