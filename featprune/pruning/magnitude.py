"""Magnitude: the size of a weight (Han et al. 2015; Frankle & Carbin 2019)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from featprune.pruning.problem import Problem, masked

if TYPE_CHECKING:
    from featprune.pruning.problem import Batch


def magnitude(problem: Problem, masks: Sequence[Any], batch: Batch | None, generator: np.random.Generator) -> list[Any]:
    """|w| of the effective weights; (out, in) a layer, numpy arrays or tensors as the problem's. Ignores the batch.

    Of trained weights it is the criterion of lottery tickets. Of initial weights, ranked globally, it mostly compares
    the layers' initial deviations: those with a larger fan-in are pruned first.
    """
    multipliers = problem.network.multipliers
    return [abs(w) * factor for w, factor in zip(masked(problem.weights, masks), multipliers, strict=True)]
