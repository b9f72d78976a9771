"""The loops over surviving weights against products of the whole matrix in float64."""

import numpy as np
import pytest

from featprune.engine import kernels

OUT, FAN_IN, FACTOR = 9, 14, 0.25
TOLERANCE = {np.float32: 2e-6, np.float64: 1e-14}


def csr(density, dtype):
    """A weight matrix (OUT, FAN_IN) in float64 and as CSR; its row 2 is empty, its row 3 full unless all are empty."""
    rng = np.random.default_rng(0)
    mask = rng.random((OUT, FAN_IN)) < density
    mask[2], mask[3] = False, density > 0
    weight = np.where(mask, rng.standard_normal(mask.shape), 0)
    ptr = np.concatenate([[0], mask.sum(1).cumsum()]).astype(np.uint32)
    return weight, mask, ptr, np.nonzero(mask)[1].astype(np.uint32), weight[mask].astype(dtype)


def signal(units, batch, dtype, seed):
    return np.random.default_rng(seed).standard_normal((units, batch)).astype(dtype)


def unset(*shape, dtype):
    """A buffer of which every entry has to be written."""
    return np.full(shape, np.nan, dtype)


def close(found, expected, scale):
    """Within rounding of sums whose terms have the size `scale`."""
    np.testing.assert_allclose(found, expected, rtol=0, atol=TOLERANCE[found.dtype.type] * scale)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("batch", [1, 7, 16, 33])
@pytest.mark.parametrize("density", [0.0, 0.1, 0.4, 1.0])
def test_sparse_kernels_are_the_products_of_the_dense_matrix(density, batch, dtype):
    weight, mask, ptr, col, val = csr(density, dtype)
    bias, x, delta = signal(OUT, 1, dtype, 1)[:, 0], signal(FAN_IN, batch, dtype, 2), signal(OUT, batch, dtype, 3)

    z = unset(OUT, batch, dtype=dtype)
    kernels.sparse_forward(ptr, col, val, bias, dtype(FACTOR), x, z)
    close(z, FACTOR * weight @ x.astype(float) + bias[:, None], FAN_IN)

    x_delta = unset(FAN_IN, batch, dtype=dtype)
    kernels.sparse_backward(ptr, col, val, dtype(FACTOR), delta, x_delta)
    close(x_delta, FACTOR * weight.T @ delta.astype(float), OUT)

    val_grad, bias_grad = unset(len(val), dtype=dtype), unset(OUT, dtype=dtype)
    kernels.sparse_gradient(ptr, col, dtype(FACTOR), delta, x, val_grad, bias_grad)
    close(val_grad, (FACTOR * delta.astype(float) @ x.astype(float).T)[mask], batch)
    close(bias_grad, delta.astype(float).sum(1), batch)


def test_what_a_row_keeps_is_summed_whatever_its_number():
    """Four weights go at a time: rows of 0 to 9 leave every remainder."""
    for count in range(10):
        ptr, col = np.array([0, count], np.uint32), np.arange(count, dtype=np.uint32)
        x, z = np.ones((10, 3)), unset(1, 3, dtype=float)
        kernels.sparse_forward(ptr, col, np.ones(count), np.array([0.5]), 2.0, x, z)
        assert (z == 2 * count + 0.5).all()
        gradient, bias_gradient = unset(count, dtype=float), unset(1, dtype=float)
        kernels.sparse_gradient(ptr, col, 2.0, np.ones((1, 3)), x, gradient, bias_gradient)
        assert (gradient == 6).all() and bias_gradient == 3


def test_transpose():
    rows = signal(5, 7, np.float32, 0)
    columns = unset(7, 5, dtype=np.float32)
    kernels.transpose(rows, columns)
    np.testing.assert_array_equal(columns, rows.T)
