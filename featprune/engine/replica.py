"""One network being trained on a CPU: its state, its forward pass and its step, with hand-written gradients.

Signals are stored features x batch, the batch padded with zeros to whole cache lines.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from math import sqrt

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import pad

from featprune.activations import ACTIVATIONS
from featprune.engine import kernels
from featprune.engine.evaluation import Split
from featprune.engine.layers import Layer, Rule, SparseLayer, Units, make_layer, padded
from featprune.engine.settings import Settings
from featprune.errors import lookup
from featprune.network import MLP, Parameters
from featprune.pruning.masks import densities

# Samples of a forward pass outside training: many for whole products, fewer where loops reread them from the cache.
CHUNK, SPARSE_CHUNK = 512, 128


class Replica:
    """A single network (R = 1) and the state of its optimizer; what its mask removes is zero, whatever `start` has."""

    def __init__(self, network: MLP, start: Parameters, masks: Sequence[np.ndarray], settings: Settings) -> None:
        self.settings, self.steps = settings, 0
        weights, biases, kept = ([torch.from_numpy(a[0]) for a in g] for g in (start.weights, start.biases, masks))
        dtype = weights[0].dtype
        self.activation = lookup(ACTIVATIONS, network.activation, "activation")
        rows = torch.zeros(padded(settings.batch_size), network.widths[0], dtype=dtype)
        columns = rows.t().contiguous()
        inputs = Units(columns, columns[:0], settings.batch_size, rows)
        self.rows, self.columns = rows.numpy(), columns.numpy()
        self.layers: list[Layer] = []
        self.ends: list[tuple[Units, Units]] = []
        self.hidden: list[tuple[Units, Units]] = []
        for weight, bias, mask, factor in zip(weights, biases, kept, network.multipliers, strict=True):
            z = Units.zeros(len(weight), settings.batch_size, dtype)
            self.layers.append(make_layer(weight, bias, mask, factor, inputs, z))
            self.ends.append((inputs, z))
            # The gradient passes the activation in place: both of its ends share a buffer.
            inputs = Units(torch.zeros_like(z.value), z.delta, z.batch)
            self.hidden.append((z, inputs))
        self.hidden.pop()
        # Those that the signals pass and those that the rules change, which are the same.
        self.trained = self.layers
        self.h, self.delta = z.value.numpy(), z.delta.numpy()
        self.loss_gradient = getattr(kernels, settings.objective.entry.kernel)
        self.rule = make_rule(settings)
        scaled = settings.density_rates
        self.scales = [1 / float(density[0]) if scaled else 1.0 for density in densities(masks)]
        self.pulls: list[tuple] = [()] * len(self.layers)

    def bind(self, data: Split, order: Tensor) -> None:
        """Take the training data, and the batches' indices into it, (1, steps, B)."""
        self.data = data.x.contiguous().numpy(), data.y.numpy(), data.reference[0].numpy()
        self.batches = order[0].numpy()
        self.batch = tuple(np.zeros((order.shape[2], *a.shape[1:]), a.dtype) for a in self.data[1:])
        signals = [(z.value.numpy(), z.delta.numpy()) for z, _ in self.hidden] + [(self.h, self.delta)]
        for target in data.targets:
            z, delta = signals[target.layer]
            scale = self.settings.pull / (float(target.variance[0]) * order.shape[2] * len(z))
            self.pulls[target.layer] = z, target.value[0].numpy(), scale, delta

    def step(self) -> None:
        """One step on the next batch."""
        batch, (y, reference) = self.batches[self.steps], self.batch
        kernels.gather(batch, *self.data, self.rows, self.columns, y, reference)
        self.forward()
        self.loss_gradient(self.h, reference, y, self.settings.alpha, self.delta)
        if self.pulls[-1]:
            kernels.pull(batch, *self.pulls[-1])
        rule = self.rule(self.steps, 1)
        rules = [rule if scale == 1 else self.rule(self.steps, scale) for scale in self.scales]
        layers = zip(self.layers[:0:-1], self.trained[:0:-1], strict=True)
        backwards = zip(layers, rules[:0:-1], self.hidden[::-1], self.pulls[-2::-1], strict=True)
        for (layer, trained), own, (z, a), pull in backwards:
            layer.backward()
            trained.update(own, rule)
            self.activation.backward(z.value, a.value, z.delta)
            if pull:
                kernels.pull(batch, *pull)
        self.trained[0].update(rules[0], rule)
        self.steps += 1

    def forward(self) -> None:
        """All values from those of the inputs; h's last."""
        for layer, (z, a) in zip(self.layers, self.hidden, strict=False):
            layer.forward()
            self.activation.into(z.value, a.value)
        self.layers[-1].forward()

    def output(self, x: Tensor) -> Tensor:
        """h(x) of all samples, (1, n, outputs)."""
        result = torch.empty(len(x), len(self.h), dtype=x.dtype)
        sparse = isinstance(self.layers[0], SparseLayer)
        size = SPARSE_CHUNK if sparse else CHUNK
        for first in range(0, len(x), size):
            rows = x[first : first + size]
            count, width = len(rows), padded(len(rows))
            if width != count:
                rows = pad(rows, (0, 0, 0, width - count))
            a = rows.t()
            if sparse:
                a = torch.empty(a.shape, dtype=a.dtype)
                kernels.transpose(rows.contiguous().numpy(), a.numpy())
            for i, layer in enumerate(self.layers):
                z = torch.empty(len(layer.bias), a.shape[1], dtype=x.dtype)
                layer.apply(a, z)
                if i < len(self.hidden):
                    a = torch.empty_like(z)
                    self.activation.into(z, a)
            result[first : first + count] = z.t()[:count]
        return result[None]

    def parameters(self) -> Parameters:
        """Copies of the present values, with exact zeros where a weight is pruned."""
        weights, biases = zip(*(layer.result() for layer in self.trained), strict=True)
        return Parameters(tuple(w[None] for w in weights), tuple(b[None] for b in biases))

    def state(self) -> dict[str, np.ndarray]:
        """All that lasts from step to step, as it lies in memory."""
        memory = {f"{i}.{j}": a for i, layer in enumerate(self.trained) for j, a in enumerate(layer.memory)}
        return {"steps": np.array(self.steps), **memory}

    def restore(self, state: Mapping[str, np.ndarray]) -> None:
        """Go on from a state."""
        for name, array in self.state().items():
            np.copyto(array, state[name])
        self.steps = int(state["steps"])


def make_rule(settings: Settings) -> Callable[[int, float], Rule]:
    """The optimizer's rule at a step with this number (from 0), at so many times the rate, with torch's definitions."""
    decay, momentum = settings.decay, settings.momentum
    beta1, beta2, eps = 0.9, 0.999, settings.epsilon

    def adam(step: int, scale: float) -> Rule:
        size = scale * settings.step_size(step) / (1 - beta1 ** (step + 1))
        root = sqrt(1 - beta2 ** (step + 1))
        return lambda p, g, m, v: kernels.adam(p, g, m, v, size, beta1, beta2, eps, root, decay)

    def sgd(step: int, scale: float) -> Rule:
        lr = scale * settings.step_size(step)
        return lambda p, g, m, _: kernels.sgd(p, g, m, lr, momentum, decay)

    return {"adam": adam, "sgd": sgd}[settings.optimizer]
