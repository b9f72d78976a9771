"""Loops over surviving weights, compiled by numba: their cost falls with the density.

Signals are features x batch, (n, B). A sparse weight matrix is CSR: row i's values are val[ptr[i]:ptr[i + 1]], in the
columns col[...]; `factor` is the layer's parametrization multiplier. Unsigned indices spare the test for negative
ones, and four weights a pass let a row of the output stay in registers. "contract" allows fused multiply-add,
"reassoc" the vectorized sum of a scalar product; both give the same bits in every run on one machine.
"""

import numpy as np
from numba import njit

Array = np.ndarray


@njit(cache=True, fastmath={"contract"})
def sparse_forward(ptr: Array, col: Array, val: Array, bias: Array, factor: float, x: Array, z: Array) -> None:
    """z = factor W x + bias."""
    for i in range(z.shape[0]):
        for b in range(z.shape[1]):
            z[i, b] = bias[i]
        k, end = ptr[i], ptr[i + 1]
        while k + 4 <= end:
            w0, w1, w2, w3 = factor * val[k], factor * val[k + 1], factor * val[k + 2], factor * val[k + 3]
            j0, j1, j2, j3 = col[k], col[k + 1], col[k + 2], col[k + 3]
            for b in range(z.shape[1]):
                z[i, b] += w0 * x[j0, b] + w1 * x[j1, b] + w2 * x[j2, b] + w3 * x[j3, b]
            k += 4
        while k < end:
            w0, j0 = factor * val[k], col[k]
            for b in range(z.shape[1]):
                z[i, b] += w0 * x[j0, b]
            k += 1


@njit(cache=True, fastmath={"contract", "reassoc"})
def sparse_gradient(
    ptr: Array, col: Array, factor: float, delta: Array, x: Array, val_grad: Array, bias_grad: Array
) -> None:
    """Gradients of the surviving weights (factor delta x^T at their places) and of the biases."""
    zero = val_grad.dtype.type(0)
    for i in range(delta.shape[0]):
        s0 = zero
        for b in range(delta.shape[1]):
            s0 += delta[i, b]
        bias_grad[i] = s0
        k, end = ptr[i], ptr[i + 1]
        while k + 4 <= end:
            j0, j1, j2, j3 = col[k], col[k + 1], col[k + 2], col[k + 3]
            s0, s1, s2, s3 = zero, zero, zero, zero
            for b in range(delta.shape[1]):
                d = delta[i, b]
                s0 += d * x[j0, b]
                s1 += d * x[j1, b]
                s2 += d * x[j2, b]
                s3 += d * x[j3, b]
            val_grad[k], val_grad[k + 1] = factor * s0, factor * s1
            val_grad[k + 2], val_grad[k + 3] = factor * s2, factor * s3
            k += 4
        while k < end:
            j0, s0 = col[k], zero
            for b in range(delta.shape[1]):
                s0 += delta[i, b] * x[j0, b]
            val_grad[k] = factor * s0
            k += 1


@njit(cache=True, fastmath={"contract"})
def sparse_backward(ptr: Array, col: Array, val: Array, factor: float, delta: Array, x_delta: Array) -> None:
    """x_delta = factor W^T delta."""
    x_delta[:] = 0
    for i in range(delta.shape[0]):
        for k in range(ptr[i], ptr[i + 1]):
            w, j = factor * val[k], col[k]
            for b in range(delta.shape[1]):
                x_delta[j, b] += w * delta[i, b]


@njit(cache=True)
def transpose(rows: Array, columns: Array) -> None:
    """columns = rows^T."""
    for j in range(columns.shape[0]):
        for b in range(columns.shape[1]):
            columns[j, b] = rows[b, j]


@njit(cache=True)
def cross_entropy_gradient(h: Array, reference: Array, labels: Array, batch: Array, alpha: float, delta: Array) -> None:
    """delta = the gradient with respect to h of the batch's mean cross-entropy(alpha (h - reference)) / alpha^2.

    h, delta: (classes, B or more); reference: (samples, classes); labels: (samples,); batch: (B,) indices of samples.
    """
    alpha = h.dtype.type(alpha)
    scale = 1 / (alpha * batch.size)
    for b in range(batch.size):
        n = batch[b]
        top = alpha * (h[0, b] - reference[n, 0])
        for c in range(h.shape[0]):
            delta[c, b] = alpha * (h[c, b] - reference[n, c])
            top = max(top, delta[c, b])
        total = h.dtype.type(0)
        for c in range(h.shape[0]):
            delta[c, b] = np.exp(delta[c, b] - top)
            total += delta[c, b]
        for c in range(h.shape[0]):
            delta[c, b] *= scale / total
        delta[labels[n], b] -= scale


@njit(cache=True)
def squared_error_gradient(
    h: Array, reference: Array, targets: Array, batch: Array, alpha: float, delta: Array
) -> None:
    """delta = that of the mean (alpha (h - reference) - y)^2 / alpha^2 over batch and outputs; targets as reference."""
    alpha = h.dtype.type(alpha)
    scale = 2 / (alpha * batch.size * h.shape[0])
    for b in range(batch.size):
        n = batch[b]
        for c in range(h.shape[0]):
            delta[c, b] = scale * (alpha * (h[c, b] - reference[n, c]) - targets[n, c])


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
    step_size, eps, root, decay = real(step_size), real(eps), real(root), real(decay)
    c1, beta2, c2 = real(1 - beta1), real(beta2), real(1 - beta2)
    for k in range(p.size):
        d = g[k] + decay * p[k]
        m[k] += c1 * (d - m[k])
        v[k] = beta2 * v[k] + c2 * d * d
        p[k] -= step_size * m[k] / (np.sqrt(v[k]) / root + eps)


@njit(cache=True, fastmath={"contract"})
def sgd(p: Array, g: Array, m: Array, lr: float, momentum: float, decay: float) -> None:
    """One step of gradient descent with heavy-ball momentum."""
    real = p.dtype.type
    lr, momentum, decay = real(lr), real(momentum), real(decay)
    for k in range(p.size):
        m[k] = momentum * m[k] + g[k] + decay * p[k]
        p[k] -= lr * m[k]
