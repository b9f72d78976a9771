"""LAMP: magnitudes that can be ranked over all layers (Lee, Park, Mo, Ahn & Shin 2021)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from featprune.pruning.problem import Problem, masked

if TYPE_CHECKING:
    from featprune.pruning.problem import Batch


def lamp(problem: Problem, masks: Sequence[Any], batch: Batch | None, generator: np.random.Generator) -> list[Any]:
    """w^2 over the sum of the squares of all weights of its layer that are not smaller (eq. 4); (out, in) a layer.

    The share that a weight has of what would be left of its layer: the last weight of a layer scores 1, so that a
    global ranking empties none. Among equal weights the later ones count as smaller. A pruned weight scores zero.
    """
    return [_shares(w) for w in masked(problem.weights, masks)]


def _shares(w: np.ndarray) -> np.ndarray:
    squares = np.square(w.ravel())
    order = np.argsort(-squares, kind="stable")
    larger = np.cumsum(squares[order])
    shares = np.zeros_like(squares)
    shares[order] = np.divide(squares[order], larger, out=np.zeros_like(larger), where=larger > 0)
    return shares.reshape(w.shape)
