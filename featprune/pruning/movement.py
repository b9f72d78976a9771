"""Movement: whether training moves a weight away from zero (Sanh, Wolf & Rush 2020)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from featprune.pruning.problem import Problem, masked

if TYPE_CHECKING:
    from featprune.pruning.problem import Batch


def movement(problem: Problem, masks: Sequence[Any], batch: Batch | None, generator: np.random.Generator) -> list[Any]:
    """(w^2 - w_ref^2) / 2 of the effective weights, w_ref where the run started; (out, in) a layer. Ignores the batch.

    Movement pruning scores a weight by the sum over training of -w dL/dw (their eq. 3). Gradient flow moves w by
    dw = -dL/dw dt, so that sum is the integral of w dw, which is this: negative for what shrinks, however large it is.
    With Adam each step counts rescaled. Its sign is that of Zhou et al.'s (2019) magnitude increase,
    abs(w) - abs(w_ref).
    """
    weights, starts = (masked(values, masks) for values in (problem.weights, problem.reference_weights))
    multipliers = problem.network.multipliers
    return [(w**2 - start**2) * (factor**2 / 2) for w, start, factor in zip(weights, starts, multipliers, strict=True)]
