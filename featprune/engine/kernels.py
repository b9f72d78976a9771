"""Loops over surviving weights, compiled by numba: their cost falls with the density.

Signals are features x batch, (n, B). A sparse weight matrix is CSR: row i's values are val[ptr[i]:ptr[i + 1]], in the
columns col[...]; `factor` is the layer's parametrization multiplier. Unsigned indices spare the test for negative
ones, and four weights a pass let a row of the output stay in registers. "contract" allows fused multiply-add,
"reassoc" the vectorized sum of a scalar product; both give the same bits in every run on one machine.
"""

import numpy as np
from numba import njit


@njit(cache=True, fastmath={"contract"})
def sparse_forward(ptr, col, val, bias, factor, x, z):
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
def sparse_gradient(ptr, col, factor, delta, x, val_grad, bias_grad):
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
def sparse_backward(ptr, col, val, factor, delta, x_delta):
    """x_delta = factor W^T delta."""
    x_delta[:] = 0
    for i in range(delta.shape[0]):
        for k in range(ptr[i], ptr[i + 1]):
            w, j = factor * val[k], col[k]
            for b in range(delta.shape[1]):
                x_delta[j, b] += w * delta[i, b]


@njit(cache=True)
def transpose(rows, columns):
    """columns = rows^T."""
    for j in range(columns.shape[0]):
        for b in range(columns.shape[1]):
            columns[j, b] = rows[b, j]


@njit(cache=True)
def cross_entropy_gradient(h, offset, labels, batch, alpha, delta):
    """Gradient with respect to h of the batch's mean cross-entropy(alpha (h - offset)) / alpha^2.

    h, delta: (classes, B or more); offset: (samples, classes); labels: (samples,); batch: (B,) indices of samples.
    """
    alpha = h.dtype.type(alpha)
    scale = 1 / (alpha * batch.size)
    for b in range(batch.size):
        n = batch[b]
        top = alpha * (h[0, b] - offset[n, 0])
        for c in range(h.shape[0]):
            delta[c, b] = alpha * (h[c, b] - offset[n, c])
            top = max(top, delta[c, b])
        total = h.dtype.type(0)
        for c in range(h.shape[0]):
            delta[c, b] = np.exp(delta[c, b] - top)
            total += delta[c, b]
        for c in range(h.shape[0]):
            delta[c, b] *= scale / total
        delta[labels[n], b] -= scale


@njit(cache=True)
def squared_error_gradient(h, offset, targets, batch, alpha, delta):
    """Gradient with respect to h of the batch's mean (alpha (h - offset) - y)^2 / alpha^2; targets as offset."""
    alpha = h.dtype.type(alpha)
    scale = 2 / (alpha * batch.size * h.shape[0])
    for b in range(batch.size):
        n = batch[b]
        for c in range(h.shape[0]):
            delta[c, b] = scale * (alpha * (h[c, b] - offset[n, c]) - targets[n, c])


@njit(cache=True, error_model="numpy", fastmath={"contract"})
def adam(p, g, m, v, step_size, beta1, beta2, eps, root, decay):
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
def sgd(p, g, m, lr, momentum, decay):
    """One step of gradient descent with heavy-ball momentum."""
    real = p.dtype.type
    lr, momentum, decay = real(lr), real(momentum), real(decay)
    for k in range(p.size):
        m[k] = momentum * m[k] + g[k] + decay * p[k]
        p[k] -= lr * m[k]
