"""The registry of activations: each once, of numpy arrays, of torch tensors, and in place for the training kernels.

Importing this is light: torch is imported when a tensor is computed with.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import pi, sqrt
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True)
class Activation:
    """One nonlinearity sigma, entry by entry.

    array: of a numpy array. tensor: of a torch tensor, differentiable. into: `(z, out)`, out = sigma(z) in place.
    backward: `(z, a, delta)` with a = sigma(z), delta *= sigma'(z) in place.
    """

    array: Callable[[np.ndarray], np.ndarray]
    tensor: Callable[[Tensor], Tensor]
    into: Callable[[Tensor, Tensor], object]
    backward: Callable[[Tensor, Tensor, Tensor], object]


def _erf(z: np.ndarray) -> np.ndarray:
    from scipy.special import erf

    return erf(z)


def _relu_into(z: Tensor, out: Tensor) -> None:
    import torch

    torch.clamp_min(z, 0, out=out)


def _relu_backward(z: Tensor, a: Tensor, delta: Tensor) -> None:
    import torch

    torch.ops.aten.threshold_backward.grad_input(delta, a, 0, grad_input=delta)


def _tanh_into(z: Tensor, out: Tensor) -> None:
    import torch

    torch.tanh(z, out=out)


def _erf_into(z: Tensor, out: Tensor) -> None:
    import torch

    torch.erf(z, out=out)


ACTIVATIONS: dict[str, Activation] = {
    "relu": Activation(lambda z: np.maximum(z, 0), lambda z: z.relu(), _relu_into, _relu_backward),
    "tanh": Activation(
        np.tanh, lambda z: z.tanh(), _tanh_into, lambda z, a, delta: delta.addcmul_(delta, a * a, value=-1)
    ),
    "erf": Activation(
        _erf, lambda z: z.erf(), _erf_into, lambda z, a, delta: delta.mul_((-z * z).exp()).mul_(2 / sqrt(pi))
    ),
    "linear": Activation(lambda z: z, lambda z: z, lambda z, out: out.copy_(z), lambda z, a, delta: delta),
}
