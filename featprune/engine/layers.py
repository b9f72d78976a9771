"""A layer in training: dense (products of the whole matrix) or sparse (loops over the surviving weights).

Both kinds have the same methods, so the training step doesn't know which it has. A layer updates its own parameters, by
the rule it is given, right after their gradient: a dense one block by block, so that a gradient never leaves the cache.
A sparse layer has no pruned weight at all; those of a dense one have gradient zero, and value zero, throughout.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

import numpy as np
import torch
from torch import Tensor

from featprune.engine import kernels
from featprune.engine.products import product_t
from featprune.engine.vectors import LANES

# Below this density the sparse loops are faster, and below this size always; `python -m benchmarks.crossover`.
CROSSOVER = 0.67
SMALL = 4096
PANEL = 32 * 1024  # bytes of a sparse layer's input that are read again and again: they stay in the first cache
SEGMENT = 10  # weights that a row has in a panel on average, at least, or the row's own cost shows
WIDE = torch.backends.cpu.get_cpu_capability() == "AVX512"  # the tile of dense products; decides no bits
BLOCK = 192 * 1024  # bytes of a dense layer's gradient between its product and the update: they stay in the second

# (parameters, their gradients, first and second moments), all flat: an optimizer's step on any part of a network.
Rule = Callable[[np.ndarray, np.ndarray, np.ndarray, np.ndarray], None]


def is_sparse(mask: Tensor) -> bool:
    """Whether a layer with this mask (out, in) is faster by the loops over its surviving weights."""
    small = mask.numel() <= SMALL or mask.shape[1] < LANES
    return small or float(mask.float().mean()) <= CROSSOVER


@dataclass
class Units:
    """A layer of units over the batch, padded to whole cache lines: values and loss gradients, (units, B or more).

    rows: the values by samples, (B or more, units), where they are at hand.
    """

    value: Tensor
    delta: Tensor
    batch: int
    rows: Tensor | None = None

    @staticmethod
    def zeros(units: int, batch: int, dtype: torch.dtype) -> Units:
        """Buffers for so many units and samples."""
        value, delta = (torch.zeros(units, padded(batch), dtype=dtype) for _ in range(2))
        return Units(value, delta, batch)


def padded(batch: int) -> int:
    """The width of a buffer for so many samples: whole cache lines."""
    return -(-batch // LANES) * LANES


def zeros_like(array: np.ndarray) -> np.ndarray:
    """Zeros on a 64-byte boundary: torch's allocator sees to that, numpy's doesn't."""
    return torch.zeros_like(torch.from_numpy(array)).numpy()


class DenseLayer:
    """z = factor W x + b; what the mask removes is removed from every gradient. For at least LANES inputs."""

    def __init__(self, weight: Tensor, bias: Tensor, mask: Tensor, factor: float, x: Units, z: Units) -> None:
        self.x, self.z, self.factor, self.mask = x, z, weight.numpy().dtype.type(factor), mask
        self.weight, self.bias = weight.masked_fill(~mask, 0), bias.clone()
        self.bias_column, self.product_t = self.bias[:, None], product_t(weight.dtype)
        # The weight gradient needs the input by rows. So is the batch stored anyway, but no hidden layer.
        self.by_rows = (torch.empty_like(x.value.t()).contiguous() if x.rows is None else x.rows).numpy()
        self.rows, self.no_bias = self.by_rows[: x.batch], np.zeros(len(bias), weight.numpy().dtype)
        self.bias_state = [self.bias.numpy(), *(zeros_like(self.bias.numpy()) for _ in range(3))]
        self.blocks = self._blocks(None if bool(mask.all()) else mask.to(weight.dtype))

    def _blocks(self, kept: Tensor | None) -> list[tuple]:
        """Of whole rows: the part of delta, the gradient and what is kept of it, and the rule's arguments."""
        out, fan_in = self.weight.shape
        size = max(1, BLOCK // (self.weight.element_size() * fan_in))
        buffer = torch.empty(min(size, out), fan_in, dtype=self.weight.dtype).numpy()
        self.moments = [zeros_like(self.weight.numpy()) for _ in range(2)]
        blocks = []
        for first in range(0, out, size):
            part = slice(first, min(first + size, out))
            gradient = buffer[: part.stop - first]
            p, m, v = (a[part].reshape(-1) for a in (self.weight.numpy(), *self.moments))
            mask = None if kept is None else kept.numpy()[part]
            blocks.append((self.z.delta.numpy()[part], gradient, mask, (p, gradient.reshape(-1), m, v)))
        return blocks

    @property
    def memory(self) -> list[np.ndarray]:
        """What lasts from step to step, as it lies in memory: parameters, first and second moments."""
        bias, _, *moments = self.bias_state
        return [self.weight.numpy(), *self.moments, bias, *moments]

    def apply(self, x: Tensor, z: Tensor) -> None:
        """z (out, n) from x (in, n)."""
        torch.add(self.bias_column, self.product_t(self.weight, x.t()), alpha=float(self.factor), out=z)

    def forward(self) -> None:
        """z's values from x's."""
        arrays = self.x.value.numpy(), self.factor, self.bias.numpy(), WIDE, self.z.value.numpy()
        kernels.dense_product(self.weight.numpy(), *arrays)

    def backward(self) -> None:
        """x's gradient from z's."""
        torch.addmm(self.x.delta, self.weight.t(), self.z.delta, beta=0, alpha=float(self.factor), out=self.x.delta)

    def update(self, rule: Rule, bias_rule: Rule) -> None:
        """The rules' steps on weights and biases, with their gradients from z's and x's values."""
        if self.x.rows is None:
            kernels.transpose(self.x.value.numpy(), self.by_rows)
        for delta, gradient, mask, state in self.blocks:
            kernels.dense_product(delta, self.rows, self.factor, self.no_bias, WIDE, gradient)
            if mask is not None:
                np.multiply(gradient, mask, out=gradient)
            rule(*state)
        p, gradient, m, v = self.bias_state
        kernels.row_sums(self.z.delta.numpy(), gradient)
        bias_rule(p, gradient, m, v)

    def result(self) -> tuple[np.ndarray, np.ndarray]:
        """Copies of weight (out, in), zero where it is pruned even if training diverged, and of bias (out,)."""
        return self.weight.masked_fill(~self.mask, 0).numpy(), self.bias.numpy().copy()


@dataclass(frozen=True)
class Segments:
    """A sparse matrix's places in the order of the loops: by panels of columns, in these by rows.

    Segment s is what a row, row[s], has in a panel: the weights ptr[s] ... ptr[s + 1] - 1. Weight k has the place
    (rows[k], columns[k]); these two are padded by zeros to whole vectors, and of each vector `alike` says whether it is
    of one row.
    """

    ptr: np.ndarray
    row: np.ndarray
    rows: np.ndarray
    columns: np.ndarray
    alike: np.ndarray

    @staticmethod
    def of(keep: np.ndarray, bytes_a_row: int) -> Segments:
        """Of a mask (out, in), for an input of so many bytes a row."""
        count, (out, fan_in) = int(keep.sum()), keep.shape
        panels = min(-(-fan_in * bytes_a_row // PANEL), max(1, count // (SEGMENT * out)))
        bounds = np.linspace(0, fan_in, panels + 1).astype(int)
        parts = [(first, *np.nonzero(keep[:, first:end])) for first, end in pairwise(bounds)]
        rows = np.concatenate([rows for _, rows, _ in parts])
        columns = np.concatenate([columns + first for first, _, columns in parts])
        panel = np.repeat(np.arange(panels), [len(rows) for _, rows, _ in parts])
        first = np.flatnonzero(np.diff(panel * out + rows, prepend=-1))
        ptr, row = np.append(first, count), rows[first]
        rows, columns = (np.append(a, np.zeros(-count % LANES, int)) for a in (rows, columns))
        alike = np.ptp(rows.reshape(-1, LANES), axis=1) == 0
        own, other = (a.astype(np.uint32) for a in (rows, columns))
        return Segments(ptr.astype(np.uint32), row.astype(np.uint32), own, other, alike)


class SparseLayer:
    """z = factor W x + b over the surviving weights only."""

    def __init__(self, weight: Tensor, bias: Tensor, mask: Tensor, factor: float, x: Units, z: Units) -> None:
        self.keep = mask.numpy()
        self.x, self.x_delta, self.z, self.delta = (t.numpy() for t in (x.value, x.delta, z.value, z.delta))
        self.factor, self.count = self.z.dtype.type(factor), int(mask.sum())
        self.bytes_a_row = self.z.itemsize * self.z.shape[1]
        self.segments = Segments.of(self.keep, self.bytes_a_row)
        # Weights and biases in one array: where they have one rule, one call updates both.
        flat = np.append(weight.numpy()[self.places], bias.numpy())
        self.state = [zeros_like(flat) for _ in range(4)]
        self.state[0][:] = flat
        self.val, self.bias = np.split(self.state[0], [self.count])
        self.val_gradient, self.bias_gradient = np.split(self.state[1], [self.count])

    @property
    def memory(self) -> list[np.ndarray]:
        """What lasts from step to step, as it lies in memory: parameters, first and second moments."""
        parameters, _, *moments = self.state
        return [parameters, *moments]

    @property
    def places(self) -> tuple[np.ndarray, np.ndarray]:
        """Rows and columns of the weights, in their order."""
        return self.segments.rows[: self.count], self.segments.columns[: self.count]

    @cached_property
    def transposed(self) -> tuple[Segments, np.ndarray]:
        """The segments of W^T, and which weight each of its places has."""
        segments, number = Segments.of(self.keep.T, self.bytes_a_row), np.zeros(self.keep.shape, np.uint32)
        number[self.places] = np.arange(self.count)
        return segments, number[segments.columns[: self.count], segments.rows[: self.count]]

    def apply(self, x: Tensor, z: Tensor) -> None:
        """z (out, n) from x (in, n), both contiguous, n whole cache lines."""
        self._apply(x.numpy(), z.numpy())

    def _apply(self, x: np.ndarray, z: np.ndarray) -> None:
        s = self.segments
        kernels.sparse_product(s.ptr, s.row, s.columns, None, self.val, self.bias, self.factor, x, z)

    def forward(self) -> None:
        """z's values from x's."""
        self._apply(self.x, self.z)

    def backward(self) -> None:
        """x's gradient from z's."""
        s, place = self.transposed
        kernels.sparse_product(s.ptr, s.row, s.columns, place, self.val, None, self.factor, self.delta, self.x_delta)

    def update(self, rule: Rule, bias_rule: Rule) -> None:
        """The rules' steps on weights and biases, with their gradients from z's and x's values."""
        s = self.segments
        kernels.sparse_gradient(s.rows, s.columns, s.alike, self.factor, self.delta, self.x, self.val_gradient)
        kernels.row_sums(self.delta, self.bias_gradient)
        if rule is bias_rule:
            rule(*self.state)
            return
        for step, part in ((rule, slice(self.count)), (bias_rule, slice(self.count, None))):
            step(*(array[part] for array in self.state))

    def result(self) -> tuple[np.ndarray, np.ndarray]:
        """Weight (out, in) with its zeros, and a copy of bias (out,)."""
        weight = np.zeros(self.keep.shape, self.val.dtype)
        weight[self.places] = self.val
        return weight, self.bias.copy()


Layer = DenseLayer | SparseLayer


def make_layer(weight: Tensor, bias: Tensor, mask: Tensor, factor: float, x: Units, z: Units) -> Layer:
    """The faster kind of layer for this mask (bool), reading x's values and writing z's."""
    return (SparseLayer if is_sparse(mask) else DenseLayer)(weight, bias, mask, factor, x, z)
