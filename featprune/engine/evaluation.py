"""The data of a run beside its reference outputs, and what networks are measured by on it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from featprune.datasets.dataset import Dataset
from featprune.engine.objective import Objective

SPLITS = ("train", "validation", "test")
Output = Callable[[Tensor], Tensor]  # h of all samples: inputs (n, in) -> (R, n, outputs)


@dataclass(frozen=True, eq=False)
class Split:
    """One split: inputs x (n, in), labels y, and h(x; m*theta_ref), (R, n, outputs), zeros where f isn't centered."""

    x: Tensor
    y: Tensor
    reference: Tensor

    def __len__(self) -> int:
        return len(self.x)


def split_data(data: Dataset, reference: Output) -> dict[str, Split]:
    """The splits by name. theta_ref doesn't change while a mask is fixed: its outputs are computed here, once a run."""
    tensors = {name: [torch.from_numpy(getattr(data, f"{name}_{part}")) for part in "xy"] for name in SPLITS}
    return {name: Split(x, y, reference(x)) for name, (x, y) in tensors.items()}


def no_reference(replicas: int, outputs: int) -> Output:
    """The reference output of an f that isn't centered."""
    return lambda x: x.new_zeros(replicas, len(x), outputs)


def evaluate(
    output: Output, split: Split, objective: Objective, samples: int | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """Mean loss and accuracy of each replica, float64 (R,), on the split's first samples (None: on all)."""
    h = output(split.x[:samples])
    return objective.metrics(objective.f(h, split.reference[:, :samples]), split.y[:samples])
