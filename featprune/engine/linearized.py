"""The network's first-order Taylor expansion in its parameters, as a network of its own (Lee et al. 2019, eq. 8).

`Linearized` states it, by torch's own Jacobian-vector product; `LinearizedReplica` trains one by hand, several times
faster.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.func import jvp

from featprune.engine.layers import Units, make_layer
from featprune.engine.replica import CHUNK, Replica
from featprune.engine.settings import Settings
from featprune.network import MLP, Parameters


@dataclass(frozen=True, eq=False, kw_only=True)
class Linearized(MLP):
    """z_lin(x; theta) = z(x; theta_0) + dz/dtheta(x; theta_0) (theta - theta_0), for every layer's preactivations z.

    anchor: theta_0, with exact zeros where weights are pruned. A linearized network trains, and is measured, as any
    other: what calls `preactivations` or `output` needn't know. It learns no features: its tangent kernel stays
    as it is at theta_0.
    """

    anchor: Parameters

    @staticmethod
    def around(network: MLP, anchor: Parameters) -> Linearized:
        """The expansion of a network around these values, (R, ...) as those it will be given."""
        return Linearized(**{f.name: getattr(network, f.name) for f in fields(MLP)}, anchor=anchor)

    @property
    def plain(self) -> MLP:
        """The network itself."""
        return MLP(**{f.name: getattr(self, f.name) for f in fields(MLP)})

    def replica(self, number: int) -> Linearized:
        """One of the stacked networks, without the axis R."""
        return replace(self, anchor=self.anchor.replicas(number))

    def preactivations(self, weights: Sequence, biases: Sequence, x: Any) -> list:
        """As `MLP.preactivations`, to first order; linear in weights and biases, and so differentiable in them."""
        if isinstance(x, np.ndarray):
            tensors = [[torch.from_numpy(a) for a in group] for group in (weights, biases)]
            return [z.numpy() for z in self.preactivations(tensors[0], tensors[1], torch.from_numpy(x))]
        start = self._start(x)
        return self._along([now - before for now, before in zip((*weights, *biases), start, strict=True)], x)

    def moved(self, way: Parameters, x: Tensor) -> Tensor:
        """h_lin(x) at theta_0 + way, (R, P, outputs): of a way that may be lost in theta_0's rounding."""
        return self._along([torch.from_numpy(a) for a in (*way.weights, *way.biases)], x)[-1]

    def _start(self, x: Tensor) -> list[Tensor]:
        return [torch.from_numpy(a).to(x.device) for a in (*self.anchor.weights, *self.anchor.biases)]

    def _along(self, change: Sequence[Tensor], x: Tensor) -> list[Tensor]:
        """Every layer's preactivations at a change of weights and biases."""
        depth, whole = len(self.shapes), super().preactivations

        def values(*state: Tensor) -> list[Tensor]:
            return whole(state[:depth], state[depth:], x)

        # Values and slopes, each a list.
        expansion = jvp(values, tuple(self._start(x)), tuple(change))[:2]
        return [z + slope for z, slope in zip(*expansion, strict=True)]


class LinearizedReplica(Replica):
    """A single linearized network being trained on a CPU.

    Its gradient is that of the network at the anchor, but for the loss, whose gradient is taken at h_lin: so signals
    pass the anchor's layers, and the layers that the rules change, which have the same inputs and gradients, add up the
    change of each preactivation on the way, dz = dW a + db + W sigma'(z) dz of the layer before. They hold theta -
    theta_0, which is small beside theta_0 and would be lost in its rounding.
    """

    def __init__(self, network: Linearized, start: Parameters, masks: Sequence[np.ndarray], settings: Settings) -> None:
        if settings.weight_decay:
            raise ValueError("a linearized network has no weight decay: its penalty pulls to zero, not to the anchor")
        super().__init__(network, network.anchor, masks, settings)
        self.network = network
        self.moved = [Units(torch.zeros_like(z.value), z.delta, z.batch) for _, z in self.ends]
        self.inflow = [torch.zeros_like(z.value) for _, z in self.ends]
        self.bias = [torch.as_tensor(layer.bias)[:, None] for layer in self.layers]
        way = start.each(np.subtract, network.anchor).replicas(0)
        tensors = [[torch.from_numpy(a) for a in group] for group in (way.weights, way.biases, [m[0] for m in masks])]
        places = zip(*tensors, network.multipliers, (x for x, _ in self.ends), self.moved, strict=True)
        self.trained = [make_layer(*place) for place in places]
        self.h = self.moved[-1].value.numpy()

    def forward(self) -> None:
        """The anchor's values, and h_lin."""
        super().forward()
        change: Tensor | None = None
        for number, (layer, moved) in enumerate(zip(self.trained, self.moved, strict=True)):
            layer.forward()
            total = moved.value
            if change is not None:
                before, a = self.hidden[number - 1]
                self.activation.backward(before.value, a.value, change)
                self.layers[number].apply(change, self.inflow[number])
                total.add_(self.inflow[number]).sub_(self.bias[number])
            change = total
        moved.value.add_(self.ends[-1][1].value)

    def parameters(self) -> Parameters:
        """Copies of the present values, with exact zeros where a weight is pruned."""
        return super().parameters().each(np.add, self.network.anchor)

    def output(self, x: Tensor) -> Tensor:
        """h_lin(x) of all samples, (1, n, outputs)."""
        way = super().parameters()
        return torch.cat([self.network.moved(way, part) for part in x.split(CHUNK)], dim=1)
