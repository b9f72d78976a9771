"""Distillation: the dense network's preactivations, towards which those of a network in training are pulled.

Of the output (Ba & Caruana 2014) or of the hidden layers (Romero et al. 2015), by the part of the training loss

    strength / 2 sum over pulled layers l of mean over samples and units of (z_l - t_l)^2 / v_l.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from featprune.errors import lookup
from featprune.network import MLP, Parameters

CHUNK = 2000  # samples of a forward pass of the teacher

# What a teacher teaches -> the numbers of those layers, from 0, in a network of so many.
PULLED: dict[str, Callable[[int], range]] = {
    "hidden": lambda layers: range(layers - 1),
    "output": lambda layers: range(layers - 1, layers),
}


@dataclass(frozen=True, eq=False)
class Target:
    """The teachers' preactivations t (R, n, units) of a layer, numbered from 0, on all samples of a split.

    variance: v (R,), over the samples, its mean over the units.
    """

    layer: int
    value: Tensor
    variance: Tensor


def make_targets(network: MLP, teacher: Parameters, what: str, x: Tensor) -> tuple[Target, ...]:
    """What inputs x (n, in) make of the teachers, in the layers that `what`, a name in PULLED, says."""
    pulled = lookup(PULLED, what, "teacher")(len(network.shapes))
    weights, biases = ([torch.from_numpy(a) for a in group] for group in (teacher.weights, teacher.biases))
    values = [torch.empty(len(weights[0]), len(x), network.widths[layer + 1], dtype=x.dtype) for layer in pulled]
    for first in range(0, len(x), CHUNK):
        part = slice(first, first + CHUNK)
        z = network.preactivations(weights, biases, x[part])
        for layer, value in zip(pulled, values, strict=True):
            value[:, part] = z[layer]
    return tuple(Target(layer, value, spread(value)) for layer, value in zip(pulled, values, strict=True))


def spread(z: Tensor) -> Tensor:
    """The mean over units of the variance over samples, (R,), of signals (R, n, units)."""
    return torch.from_numpy(z.numpy().var(axis=1, dtype=np.float64).mean(-1)).to(z.dtype)
