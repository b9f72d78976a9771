"""A layer in training: dense (products of the whole matrix) or sparse (loops over the surviving weights).

Both kinds have the same methods, so the training step doesn't know which it has. A layer shows its parameters and
gradients as matching lists of flat arrays, which is all that an optimizer sees: it never meets a pruned weight of a
sparse layer, and those of a dense layer have gradient zero, and value zero, throughout.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from featprune.engine import kernels
from featprune.engine.products import product_t

LANES = 16  # float32 numbers in a cache line: the unit of padding
# Below this density the sparse loops are faster, and below this size always; `python -m benchmarks.crossover`.
CROSSOVER = 0.33
SMALL = 4096


def is_sparse(mask: Tensor) -> bool:
    """Whether a layer with this mask (out, in) is faster by the loops over its surviving weights."""
    return mask.numel() <= SMALL or float(mask.float().mean()) <= CROSSOVER


@dataclass
class Units:
    """A layer of units over the batch, padded to whole cache lines: values and loss gradients, (units, B)."""

    value: Tensor
    delta: Tensor

    @staticmethod
    def zeros(units: int, batch: int, dtype: torch.dtype) -> Units:
        """Buffers for so many units and samples."""
        return Units(*(torch.zeros(units, batch, dtype=dtype) for _ in range(2)))


def padded(batch: int) -> int:
    """The width of a buffer for so many samples: whole cache lines."""
    return -(-batch // LANES) * LANES


def zeros_like(array: np.ndarray) -> np.ndarray:
    """Zeros on a 64-byte boundary: torch's allocator sees to that, numpy's doesn't."""
    return torch.zeros_like(torch.from_numpy(array)).numpy()


class DenseLayer:
    """z = factor W x + b; what the mask removes is removed from every gradient."""

    def __init__(self, weight: Tensor, bias: Tensor, mask: Tensor, factor: float, x: Units, z: Units) -> None:
        self.x, self.z, self.factor, self.mask = x, z, factor, mask
        self.weight, self.bias = weight.masked_fill(~mask, 0), bias.clone()
        self.gradient_scale = None if factor == 1 and bool(mask.all()) else mask.to(weight.dtype) * factor
        self.bias_column, self.bias_gradient = self.bias[:, None], torch.zeros_like(bias)
        self.parameters = [self.weight.view(-1).numpy(), self.bias.numpy()]
        self.gradients: list[np.ndarray] = []
        self.product_t = product_t(weight.dtype)

    def apply(self, x: Tensor, z: Tensor) -> None:
        """z (out, n) from x (in, n)."""
        torch.add(self.bias_column, self.product_t(self.weight, x.t()), alpha=self.factor, out=z)

    def forward(self) -> None:
        self.apply(self.x.value, self.z.value)

    def backward(self, need_input: bool) -> None:
        gradient = self.product_t(self.z.delta, self.x.value)
        if self.gradient_scale is not None:
            gradient.mul_(self.gradient_scale)
        torch.sum(self.z.delta, 1, out=self.bias_gradient)
        self.gradients = [gradient.view(-1).numpy(), self.bias_gradient.numpy()]
        if need_input:
            torch.addmm(self.x.delta, self.weight.t(), self.z.delta, beta=0, alpha=self.factor, out=self.x.delta)

    def result(self) -> tuple[np.ndarray, np.ndarray]:
        """Copies of weight (out, in), zero where it is pruned even if training diverged, and of bias (out,)."""
        return self.weight.masked_fill(~self.mask, 0).numpy(), self.bias.numpy().copy()


class SparseLayer:
    """z = factor W x + b over the surviving weights only (CSR)."""

    def __init__(self, weight: Tensor, bias: Tensor, mask: Tensor, factor: float, x: Units, z: Units) -> None:
        self.keep = mask.numpy()
        self.x, self.x_delta, self.z, self.delta = (t.numpy() for t in (x.value, x.delta, z.value, z.delta))
        self.factor = self.z.dtype.type(factor)
        self.col = np.nonzero(self.keep)[1].astype(np.uint32)
        self.ptr = np.concatenate([[0], self.keep.sum(1).cumsum()]).astype(np.uint32)
        # Weights and biases in one array: one call updates both.
        flat = torch.cat([weight[mask], bias]).numpy()
        gradient, count = zeros_like(flat), self.col.size
        self.val, self.bias = flat[:count], flat[count:]
        self.val_gradient, self.bias_gradient = gradient[:count], gradient[count:]
        self.parameters, self.gradients = [flat], [gradient]

    def apply(self, x: Tensor, z: Tensor) -> None:
        """z (out, n) from x (in, n), both contiguous."""
        kernels.sparse_forward(self.ptr, self.col, self.val, self.bias, self.factor, x.numpy(), z.numpy())

    def forward(self) -> None:
        kernels.sparse_forward(self.ptr, self.col, self.val, self.bias, self.factor, self.x, self.z)

    def backward(self, need_input: bool) -> None:
        kernels.sparse_gradient(
            self.ptr, self.col, self.factor, self.delta, self.x, self.val_gradient, self.bias_gradient
        )
        if need_input:
            kernels.sparse_backward(self.ptr, self.col, self.val, self.factor, self.delta, self.x_delta)

    def result(self) -> tuple[np.ndarray, np.ndarray]:
        """Weight (out, in) with its zeros, and a copy of bias (out,)."""
        weight = np.zeros(self.keep.shape, self.val.dtype)
        weight[self.keep] = self.val
        return weight, self.bias.copy()


Layer = DenseLayer | SparseLayer


def make_layer(weight: Tensor, bias: Tensor, mask: Tensor, factor: float, x: Units, z: Units) -> Layer:
    """The faster kind of layer for this mask (bool), reading x's values and writing z's."""
    return (SparseLayer if is_sparse(mask) else DenseLayer)(weight, bias, mask, factor, x, z)
