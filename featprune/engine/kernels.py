"""What a training step computes beside products of whole matrices, compiled by numba.

Signals are features x batch, (n, B), with B a multiple of LANES: padding is the caller's. A sparse weight matrix is a
list of segments (`featprune.engine.layers.Segments`): the weights k = ptr[s] ... ptr[s + 1] - 1 are those that row
row[s] has in some of its columns, col[k]. `factor` is the layer's parametrization multiplier. "contract" allows fused
multiply-add, "reassoc" the vectorized sum of a row; both give the same bits in every run on one machine.
"""

import numpy as np
from numba import njit

from featprune.engine.vectors import (
    LANES,
    add,
    entry,
    fold1,
    fold2,
    fold4,
    fold8,
    load,
    multiply,
    multiply_add,
    splat,
    store,
    transpose_tile,
)

Array = np.ndarray
ROWS = 6  # of a tile of the dense gradient


@njit(cache=True)
def sparse_product(
    ptr: Array,
    row: Array,
    col: Array,
    place: Array | None,
    val: Array,
    bias: Array | None,
    factor: float,
    x: Array,
    z: Array,
) -> None:
    """z = factor W x + bias, without a bias factor W x. Weight k of the segments is val[place[k]], or val[k]."""
    n = x.shape[1]
    zero = splat(val.dtype.type(0))
    for i in range(z.shape[0]):
        first = zero if bias is None else splat(bias[i])
        for b in range(0, n, LANES):
            store(z, i * n + b, first)
    for s in range(row.size):
        o = np.intp(row[s]) * n
        for b in range(0, n - 3 * LANES, 4 * LANES):
            z0, z1 = load(z, o + b), load(z, o + b + LANES)
            z2, z3 = load(z, o + b + 2 * LANES), load(z, o + b + 3 * LANES)
            for k in range(ptr[s], ptr[s + 1]):
                w = splat(factor * val[k if place is None else place[k]])
                j = np.intp(col[k]) * n + b
                z0, z1 = multiply_add(w, load(x, j), z0), multiply_add(w, load(x, j + LANES), z1)
                z2 = multiply_add(w, load(x, j + 2 * LANES), z2)
                z3 = multiply_add(w, load(x, j + 3 * LANES), z3)
            store(z, o + b, z0)
            store(z, o + b + LANES, z1)
            store(z, o + b + 2 * LANES, z2)
            store(z, o + b + 3 * LANES, z3)
        for b in range(n // (4 * LANES) * (4 * LANES), n, LANES):
            z0 = load(z, o + b)
            for k in range(ptr[s], ptr[s + 1]):
                w = splat(factor * val[k if place is None else place[k]])
                z0 = multiply_add(w, load(x, np.intp(col[k]) * n + b), z0)
            store(z, o + b, z0)


@njit(forceinline=True)
def _products(delta: Array, x: Array, i: int, j: int, wide: bool):
    """A vector whose lanes add up to the scalar product of LANES numbers, or of four times as many."""
    s = multiply(load(delta, i), load(x, j))
    if wide:
        s = multiply_add(load(delta, i + LANES), load(x, j + LANES), s)
        s = multiply_add(load(delta, i + 2 * LANES), load(x, j + 2 * LANES), s)
        s = multiply_add(load(delta, i + 3 * LANES), load(x, j + 3 * LANES), s)
    return s


@njit(forceinline=True)
def _at(row, col, k, t, one_row, delta, x, b, wide):
    n = np.intp(x.shape[1])
    i = entry(row, k) if one_row else entry(row, k + t)
    return _products(delta, x, i * n + b, entry(col, k + t) * n + b, wide)


@njit(forceinline=True)
def _scalar_products(row, col, k, one_row, delta, x, b, wide):
    """Of delta's rows row[k] ... with x's rows col[k] ..., from column b, LANES of them in their order."""
    c, d = (row, col, k), (one_row, delta, x, b, wide)
    return fold1(
        fold2(
            fold4(fold8(_at(*c, 0, *d), _at(*c, 8, *d)), fold8(_at(*c, 4, *d), _at(*c, 12, *d))),
            fold4(fold8(_at(*c, 2, *d), _at(*c, 10, *d)), fold8(_at(*c, 6, *d), _at(*c, 14, *d))),
        ),
        fold2(
            fold4(fold8(_at(*c, 1, *d), _at(*c, 9, *d)), fold8(_at(*c, 5, *d), _at(*c, 13, *d))),
            fold4(fold8(_at(*c, 3, *d), _at(*c, 11, *d)), fold8(_at(*c, 7, *d), _at(*c, 15, *d))),
        ),
    )


@njit(forceinline=True)
def _add_gradient(
    row: Array, col: Array, alike: Array, factor: float, delta: Array, x: Array, b: int, wide: bool, g: Array
) -> None:
    """What LANES columns of the signals from b, or four times as many, contribute to sparse_gradient."""
    scale, last, whole = splat(factor), np.empty(LANES, g.dtype), g.size // LANES * LANES
    for k in range(0, row.size, LANES):
        # One row's part of delta stays in registers; the sums are the same.
        if wide and alike[k // LANES]:
            total = _scalar_products(row, col, k, True, delta, x, b, wide)
        else:
            total = _scalar_products(row, col, k, False, delta, x, b, wide)
        total = multiply(scale, total)
        if k == whole:
            store(last, 0, total)
        elif b == 0:
            store(g, k, total)
        else:
            store(g, k, add(total, load(g, k)))
    for k in range(whole, g.size):
        g[k] = last[k - whole] + (0 if b == 0 else g[k])


@njit(cache=True)
def sparse_gradient(row: Array, col: Array, alike: Array, factor: float, delta: Array, x: Array, g: Array) -> None:
    """g = the surviving weights' gradients, factor delta x^T at (row[k], col[k]), these padded to whole vectors.

    alike: of each vector, whether its weights are all of one row.
    """
    n = x.shape[1]
    for b in range(0, n - 3 * LANES, 4 * LANES):
        _add_gradient(row, col, alike, factor, delta, x, b, True, g)
    for b in range(n // (4 * LANES) * (4 * LANES), n, LANES):
        _add_gradient(row, col, alike, factor, delta, x, b, False, g)


@njit(cache=True, fastmath={"contract", "reassoc"})
def row_sums(delta: Array, sums: Array) -> None:
    """The gradient of the biases."""
    for i in range(delta.shape[0]):
        s = delta.dtype.type(0)
        for b in range(delta.shape[1]):
            s += delta[i, b]
        sums[i] = s


@njit(forceinline=True)
def _dense_gradient(delta: Array, rows: Array, wide: bool, gradient: Array) -> None:
    count, m = gradient.shape
    step = 2 * LANES if wide else LANES
    for start in range(0, m, step):
        # The last tiles overlap those before them: what is written twice is the same.
        j = min(start, m - LANES)
        jj = min(start + LANES, m - LANES)
        for i in range(0, count, ROWS):
            i0, i1, i2 = i, min(i + 1, count - 1), min(i + 2, count - 1)
            i3, i4, i5 = min(i + 3, count - 1), min(i + 4, count - 1), min(i + 5, count - 1)
            a0 = splat(delta.dtype.type(0))
            a1, a2, a3, a4, a5 = a0, a0, a0, a0, a0
            c0, c1, c2, c3, c4, c5 = a0, a0, a0, a0, a0, a0
            for b in range(rows.shape[0]):
                x0 = load(rows, b * m + j)
                x1 = load(rows, b * m + jj) if wide else x0
                d = splat(delta[i0, b])
                a0, c0 = multiply_add(d, x0, a0), multiply_add(d, x1, c0)
                d = splat(delta[i1, b])
                a1, c1 = multiply_add(d, x0, a1), multiply_add(d, x1, c1)
                d = splat(delta[i2, b])
                a2, c2 = multiply_add(d, x0, a2), multiply_add(d, x1, c2)
                d = splat(delta[i3, b])
                a3, c3 = multiply_add(d, x0, a3), multiply_add(d, x1, c3)
                d = splat(delta[i4, b])
                a4, c4 = multiply_add(d, x0, a4), multiply_add(d, x1, c4)
                d = splat(delta[i5, b])
                a5, c5 = multiply_add(d, x0, a5), multiply_add(d, x1, c5)
            store(gradient, i0 * m + j, a0)
            store(gradient, i1 * m + j, a1)
            store(gradient, i2 * m + j, a2)
            store(gradient, i3 * m + j, a3)
            store(gradient, i4 * m + j, a4)
            store(gradient, i5 * m + j, a5)
            if wide:
                store(gradient, i0 * m + jj, c0)
                store(gradient, i1 * m + jj, c1)
                store(gradient, i2 * m + jj, c2)
                store(gradient, i3 * m + jj, c3)
                store(gradient, i4 * m + jj, c4)
                store(gradient, i5 * m + jj, c5)


@njit(cache=True)
def dense_gradient(delta: Array, rows: Array, wide: bool, gradient: Array) -> None:
    """gradient = delta[:, :B] rows, (n, m), from rows (B, m), m >= LANES.

    Each sum goes over the samples in their order, whatever the tile: `wide` ones have two vectors a row, which fills
    AVX-512's 32 registers; AVX2 has 16, of half the length.
    """
    if wide:
        _dense_gradient(delta, rows, True, gradient)
    else:
        _dense_gradient(delta, rows, False, gradient)


@njit(cache=True)
def transpose(rows: Array, columns: Array) -> None:
    """columns = rows^T."""
    n, m = rows.shape
    if min(n, m) < LANES:
        for j in range(m):
            for b in range(n):
                columns[j, b] = rows[b, j]
        return
    # The last tiles overlap those before them.
    for start in range(0, n, LANES):
        b = min(start, n - LANES)
        for first in range(0, m, LANES):
            j = min(first, m - LANES)
            transpose_tile(rows, b * m + j, m, columns, j * n + b, n)


@njit(cache=True)
def gather(
    batch: Array, samples: Array, y: Array, reference: Array, rows: Array, row_y: Array, row_reference: Array
) -> None:
    """Copies of a batch's samples, labels and reference outputs; the few first, whose cache misses then overlap."""
    for b in range(batch.size):
        n = batch[b]
        row_y[b] = y[n]
        for c in range(reference.shape[1]):
            row_reference[b, c] = reference[n, c]
    for b in range(batch.size):
        n = batch[b]
        for j in range(samples.shape[1]):
            rows[b, j] = samples[n, j]


@njit(cache=True)
def cross_entropy_gradient(h: Array, reference: Array, labels: Array, alpha: float, delta: Array) -> None:
    """delta = the gradient with respect to h of the batch's mean cross-entropy(alpha (h - reference)) / alpha^2.

    h, delta: (classes, B or more); reference: (B, classes); labels: (B,).
    """
    alpha = h.dtype.type(alpha)
    scale = 1 / (alpha * labels.size)
    for b in range(labels.size):
        top = alpha * (h[0, b] - reference[b, 0])
        for c in range(h.shape[0]):
            delta[c, b] = alpha * (h[c, b] - reference[b, c])
            top = max(top, delta[c, b])
        total = h.dtype.type(0)
        for c in range(h.shape[0]):
            delta[c, b] = np.exp(delta[c, b] - top)
            total += delta[c, b]
        for c in range(h.shape[0]):
            delta[c, b] *= scale / total
        delta[labels[b], b] -= scale


@njit(cache=True)
def squared_error_gradient(h: Array, reference: Array, targets: Array, alpha: float, delta: Array) -> None:
    """delta = that of the mean (alpha (h - reference) - y)^2 / alpha^2 over batch and outputs; targets as reference."""
    alpha = h.dtype.type(alpha)
    scale = 2 / (alpha * len(targets) * h.shape[0])
    for b in range(len(targets)):
        for c in range(h.shape[0]):
            delta[c, b] = scale * (alpha * (h[c, b] - reference[b, c]) - targets[b, c])


@njit(cache=True, error_model="numpy", fastmath={"contract"})
def adam(
    p: Array,
    g: Array,
    m: Array,
    v: Array,
    step_size: float,
    beta1: float,
    beta2: float,
    eps: float,
    root: float,
    decay: float,
) -> None:
    """One Adam update (Kingma & Ba 2015); `root` is the square root of the second moment's bias correction."""
    real = p.dtype.type
    step_size, eps, scale, decay = real(step_size), real(eps), real(1 / root), real(decay)
    c1, beta2, c2 = real(1 - beta1), real(beta2), real(1 - beta2)
    for k in range(p.size):
        # All is read before anything is written: arrays of one alignment delay reads after writes.
        value, first, second = p[k], m[k], v[k]
        d = g[k] + decay * value
        first += c1 * (d - first)
        second = beta2 * second + c2 * d * d
        m[k], v[k] = first, second
        p[k] = value - step_size * first / (np.sqrt(second) * scale + eps)


@njit(cache=True, fastmath={"contract"})
def sgd(p: Array, g: Array, m: Array, lr: float, momentum: float, decay: float) -> None:
    """One step of gradient descent with heavy-ball momentum."""
    real = p.dtype.type
    lr, momentum, decay = real(lr), real(momentum), real(decay)
    for k in range(p.size):
        m[k] = momentum * m[k] + g[k] + decay * p[k]
        p[k] -= lr * m[k]
