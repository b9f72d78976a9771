"""Random pruning: the control of every criterion."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from featprune.pruning.problem import Problem, masked

if TYPE_CHECKING:
    from featprune.pruning.problem import Batch


def random(problem: Problem, masks: Sequence[Any], batch: Batch | None, generator: np.random.Generator) -> list[Any]:
    """Independent uniform draws from the generator, whatever is pruned already; (out, in) a layer, float64."""
    draws: list[Any] = [generator.random(tuple(w.shape)) for w in problem.weights]
    if not isinstance(problem.weights[0], np.ndarray):
        import torch

        draws = [torch.from_numpy(draw) for draw in draws]
    return masked(draws, masks)
