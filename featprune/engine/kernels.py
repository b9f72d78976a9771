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
ROWS = 6  # of a tile of the dense product


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
def _dense_product(a: Array, b: Array, factor: float, bias: Array, wide: bool, c: Array) -> None:
    n, m = c.shape
    step = 2 * LANES if wide else LANES
    scale = splat(factor)
    for i in range(0, n, ROWS):
        # The last tiles overlap those before them: what is written twice is the same.
        i0, i1, i2 = i, min(i + 1, n - 1), min(i + 2, n - 1)
        i3, i4, i5 = min(i + 3, n - 1), min(i + 4, n - 1), min(i + 5, n - 1)
        for j in range(0, m, step):
            u, v = min(j, m - LANES), min(j + LANES, m - LANES)
            u0 = splat(c.dtype.type(0))
            u1, u2, u3, u4, u5 = u0, u0, u0, u0, u0
            v0, v1, v2, v3, v4, v5 = u0, u0, u0, u0, u0, u0
            for k in range(b.shape[0]):
                x = load(b, k * m + u)
                y = load(b, k * m + v) if wide else x
                w = splat(a[i0, k])
                u0, v0 = multiply_add(w, x, u0), multiply_add(w, y, v0)
                w = splat(a[i1, k])
                u1, v1 = multiply_add(w, x, u1), multiply_add(w, y, v1)
                w = splat(a[i2, k])
                u2, v2 = multiply_add(w, x, u2), multiply_add(w, y, v2)
                w = splat(a[i3, k])
                u3, v3 = multiply_add(w, x, u3), multiply_add(w, y, v3)
                w = splat(a[i4, k])
                u4, v4 = multiply_add(w, x, u4), multiply_add(w, y, v4)
                w = splat(a[i5, k])
                u5, v5 = multiply_add(w, x, u5), multiply_add(w, y, v5)
            store(c, i0 * m + u, multiply_add(scale, u0, splat(bias[i0])))
            store(c, i1 * m + u, multiply_add(scale, u1, splat(bias[i1])))
            store(c, i2 * m + u, multiply_add(scale, u2, splat(bias[i2])))
            store(c, i3 * m + u, multiply_add(scale, u3, splat(bias[i3])))
            store(c, i4 * m + u, multiply_add(scale, u4, splat(bias[i4])))
            store(c, i5 * m + u, multiply_add(scale, u5, splat(bias[i5])))
            if wide:
                store(c, i0 * m + v, multiply_add(scale, v0, splat(bias[i0])))
                store(c, i1 * m + v, multiply_add(scale, v1, splat(bias[i1])))
                store(c, i2 * m + v, multiply_add(scale, v2, splat(bias[i2])))
                store(c, i3 * m + v, multiply_add(scale, v3, splat(bias[i3])))
                store(c, i4 * m + v, multiply_add(scale, v4, splat(bias[i4])))
                store(c, i5 * m + v, multiply_add(scale, v5, splat(bias[i5])))


@njit(cache=True)
def dense_product(a: Array, b: Array, factor: float, bias: Array, wide: bool, c: Array) -> None:
    """c = factor a[:, :K] b + bias, (n, m), from b (K, m), m >= LANES: faster than a library where the cache is cold.

    Each sum goes over K in its order, whatever the tile: `wide` ones have two vectors a row, which fill AVX-512's 32
    registers; AVX2 has 16, of half the length.
    """
    if wide:
        _dense_product(a, b, factor, bias, True, c)
    else:
        _dense_product(a, b, factor, bias, False, c)


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
    batch: Array,
    samples: Array,
    y: Array,
    reference: Array,
    rows: Array,
    columns: Array,
    row_y: Array,
    row_reference: Array,
) -> None:
    """Copies of a batch's samples, by rows and by columns, of its labels and of its reference outputs.

    The few first, whose cache misses then overlap; the samples tile by tile, so that the misses of LANES of them do,
    and the transpose reads what has just been copied. rows: (padded B, n); what is below B there is copied to columns.
    """
    m, n = columns.shape
    for b in range(batch.size):
        k = batch[b]
        row_y[b] = y[k]
        for c in range(reference.shape[1]):
            row_reference[b, c] = reference[k, c]
    if m < LANES:
        for b in range(batch.size):
            for j in range(m):
                rows[b, j] = columns[j, b] = samples[batch[b], j]
        return
    for start in range(0, n, LANES):
        for first in range(0, m, LANES):
            j = min(first, m - LANES)
            for b in range(start, min(start + LANES, batch.size)):
                store(rows, b * m + j, load(samples, np.intp(batch[b]) * m + j))
            transpose_tile(rows, start * m + j, m, columns, j * n + start, n)


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


@njit(cache=True, fastmath={"contract"})
def pull(batch: Array, z: Array, target: Array, scale: float, delta: Array) -> None:
    """delta += scale (z - t), with t the targets of a batch's samples; z, delta: (n, B or more), target: (samples, n).

    The padding of delta is left as it is.
    """
    n, width = z.shape
    scale = z.dtype.type(scale)
    if n < LANES:
        for b in range(batch.size):
            for i in range(n):
                delta[i, b] += scale * (z[i, b] - target[batch[b], i])
        return
    rows, columns = np.empty((width, LANES), z.dtype), np.empty((LANES, width), z.dtype)
    for first in range(0, n, LANES):
        # The last tile overlaps the one before it, and adds only what is left.
        j = min(first, n - LANES)
        for b in range(batch.size):
            store(rows, b * LANES, load(target, np.intp(batch[b]) * n + j))
        for b in range(0, width, LANES):
            transpose_tile(rows, b * LANES, LANES, columns, b, width)
        for i in range(first, j + LANES):
            for b in range(batch.size):
                delta[i, b] += scale * (z[i, b] - columns[i - j, b])


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
