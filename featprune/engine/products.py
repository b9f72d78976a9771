"""The product a @ b^T of dense layers: oneDNN's where it is right here, twice as fast as MKL's on AMD; else BLAS's.

oneDNN's is a private operator of torch, which another version or machine may lack or compute otherwise: it is used only
where it agrees with torch.mm by value.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from itertools import product

import torch
from torch import Tensor

Product = Callable[[Tensor, Tensor], Tensor]

ONEDNN, BLAS = "oneDNN linear", "torch.mm"
SIZES = (37, 53, 19)  # of the trial, (rows of a, columns of both, rows of b): no multiples of a vector's width


def product_t(dtype: torch.dtype) -> Product:
    """The fastest right a (m, k) @ b (n, k)^T there is, for matrices of any strides."""
    return _chosen(dtype)[1]


def product_name(dtype: torch.dtype = torch.float32) -> str:
    """Which product this process uses, ONEDNN or BLAS: it decides the last bits of a result."""
    return _chosen(dtype)[0]


@cache
def _chosen(dtype: torch.dtype) -> tuple[str, Product]:
    """The choice, made once a process: it must not change within a run."""
    try:
        linear = onednn_linear()
        right = agrees(linear, dtype)
    except Exception:  # a private operator may fail in any way
        right = False
    return (ONEDNN, linear) if right else (BLAS, blas)


def blas(a: Tensor, b: Tensor) -> Tensor:
    """The plain product."""
    return torch.mm(a, b.t())


def onednn_linear() -> Product:
    """oneDNN's linear layer as a product; fails where torch has none."""
    operator = torch.ops.mkldnn._linear_pointwise.default
    return lambda a, b: operator(a, b, None, "none", [], "")


def agrees(candidate: Product, dtype: torch.dtype) -> bool:
    """Whether a product is torch.mm's within rounding, for operands stored by rows and by columns: layers have both.

    The bound is that of a sum in any order, k eps |a| |b|^T on either side (Higham 2002, section 3.1).
    """
    m, k, n = SIZES
    generator = torch.Generator().manual_seed(0)
    a, b = (torch.randn(rows, k, dtype=dtype, generator=generator) for rows in (m, n))
    expected, bound = blas(a, b), 2 * k * torch.finfo(dtype).eps * blas(a.abs(), b.abs())
    layouts = product(*((x, x.t().contiguous().t()) for x in (a, b)))
    return all(bool(((candidate(*pair) - expected).abs() <= bound).all()) for pair in layouts)
