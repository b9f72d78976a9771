"""One network being trained on a CPU: its state, its forward pass and its step, with hand-written gradients.

Signals are stored features x batch, the batch padded with zeros to whole cache lines.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import sqrt

import numpy as np
import torch
from torch import Tensor

from featprune.engine import kernels
from featprune.engine.layers import ACTIVATE, SparseLayer, Units, make_layer, padded, zeros_like
from featprune.network import MLP, Parameters

CHUNK = 128  # samples of a forward pass outside training: what is in flight stays in the cache
LOSS_GRADIENTS = {
    "cross_entropy": kernels.cross_entropy_gradient,
    "squared_error": kernels.squared_error_gradient,
}


class Replica:
    """A single network (R = 1) under a mask, and the state of its optimizer."""

    def __init__(self, network: MLP, start: Parameters, masks: Sequence[np.ndarray], settings) -> None:
        self.settings, self.steps = settings, 0
        weights = [torch.from_numpy(w[0]) for w in start.weights]
        dtype, width = weights[0].dtype, padded(settings.batch_size)
        self.activate, self.activate_backward = ACTIVATE[network.activation]
        self.rows = torch.zeros(width, network.widths[0], dtype=dtype)
        self.batch_rows = self.rows[: settings.batch_size]
        # A dense first layer reads the batch as it is gathered; a sparse one needs it transposed.
        inputs = Units(self.rows.t(), self.rows[:0])
        self.layers, self.hidden = [], []
        for weight, bias, mask, factor in zip(weights, start.biases, masks, network.multipliers, strict=True):
            z = Units.zeros(len(weight), width, dtype)
            kept = torch.from_numpy(mask[0])
            layer = make_layer(weight, torch.from_numpy(bias[0]), kept, factor, inputs, z)
            if not self.layers and isinstance(layer, SparseLayer):
                layer.x = np.zeros(self.rows.t().shape, layer.x.dtype)
            self.layers.append(layer)
            # The gradient passes the activation in place: both of its ends share a buffer.
            inputs = Units(torch.zeros_like(z.value), z.delta)
            self.hidden.append((z, inputs))
        self.hidden.pop()
        self.h, self.delta = z.value.numpy(), z.delta.numpy()
        self.loss_gradient = LOSS_GRADIENTS[settings.loss]
        self.update = make_update(settings, [p for layer in self.layers for p in layer.parameters])

    def bind(self, x: Tensor, y: Tensor, offset: Tensor, order: Tensor) -> None:
        """Take the training data: inputs (n, in), labels, reference outputs (1, n, outputs), batches (1, steps, B)."""
        self.samples, self.y, self.offset, self.order = x, y.numpy(), offset[0].numpy(), order[0]
        self.batches = self.order.numpy()

    def step(self) -> None:
        """One step on the next batch."""
        torch.index_select(self.samples, 0, self.order[self.steps], out=self.batch_rows)
        if isinstance(self.layers[0], SparseLayer):
            kernels.transpose(self.rows.numpy(), self.layers[0].x)
        for layer, (z, a) in zip(self.layers, self.hidden, strict=False):
            layer.forward()
            self.activate(z.value, a.value)
        self.layers[-1].forward()
        self.loss_gradient(self.h, self.offset, self.y, self.batches[self.steps], self.settings.alpha, self.delta)
        for layer, (z, a) in zip(self.layers[:0:-1], self.hidden[::-1], strict=True):
            layer.backward(need_input=True)
            self.activate_backward(z.value, a.value, z.delta)
        self.layers[0].backward(need_input=False)
        self.steps += 1
        self.update(self.steps, [g for layer in self.layers for g in layer.gradients])

    def output(self, x: Tensor) -> Tensor:
        """h(x) of all samples, (1, n, outputs)."""
        result = torch.empty(len(x), len(self.h), dtype=x.dtype)
        for first in range(0, len(x), CHUNK):
            rows = x[first : first + CHUNK]
            a = rows.t()
            if isinstance(self.layers[0], SparseLayer):
                a = torch.empty(a.shape, dtype=a.dtype)
                kernels.transpose(rows.numpy(), a.numpy())
            for i, layer in enumerate(self.layers):
                z = torch.empty(len(layer.bias), a.shape[1], dtype=x.dtype)
                layer.apply(a, z)
                if i < len(self.hidden):
                    a = torch.empty_like(z)
                    self.activate(z, a)
            result[first : first + CHUNK] = z.t()
        return result[None]

    def parameters(self) -> Parameters:
        """Copies of the present values, with exact zeros where a weight is pruned."""
        weights, biases = zip(*(layer.result() for layer in self.layers), strict=True)
        return Parameters(tuple(w[None] for w in weights), tuple(b[None] for b in biases))


def make_update(settings, parameters: list[np.ndarray]) -> Callable[[int, list[np.ndarray]], None]:
    """update(t, gradients): step number t (from 1) on the parameters in place, with torch's definitions."""
    slots = [(p, zeros_like(p), zeros_like(p)) for p in parameters]
    decay, momentum = settings.weight_decay, settings.momentum
    beta1, beta2, eps = 0.9, 0.999, 1e-8

    def adam(t: int, gradients: list[np.ndarray]) -> None:
        size, root = settings.step_size(t - 1) / (1 - beta1**t), sqrt(1 - beta2**t)
        for (p, m, v), g in zip(slots, gradients, strict=True):
            kernels.adam(p, g, m, v, size, beta1, beta2, eps, root, decay)

    def sgd(t: int, gradients: list[np.ndarray]) -> None:
        for (p, m, _), g in zip(slots, gradients, strict=True):
            kernels.sgd(p, g, m, settings.step_size(t - 1), momentum, decay)

    return {"adam": adam, "sgd": sgd}[settings.optimizer]
