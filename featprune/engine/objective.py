"""What training minimizes and tables report: f from a network's output, its loss, its metrics.

    f(x) = alpha * [h(x; m*theta) - h(x; m*theta_ref)],    trained on loss(f, y) / alpha^2    (Chizat et al. 2019)

With SGD the 1 / alpha^2 keeps the speed in function space independent of alpha. Light: torch is imported when a loss is
computed, and the kernels are named here, not imported.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from featprune.errors import lookup

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True)
class Loss:
    """A loss of f against labels.

    kind: of the datasets that it is for, "classification" or "regression". mean: `(f, y)` as in `Objective.losses`, the
    mean over samples. kernel: the function of `featprune.engine.kernels` that gives the gradient of the training loss
    with respect to h, in place and without a graph.
    """

    kind: str
    mean: Callable[[Tensor, Tensor], Tensor]
    kernel: str


def cross_entropy(f: Tensor, y: Tensor) -> Tensor:
    """Of the softmax of f (..., n, classes) with classes y (..., n) or (n,)."""
    from torch.nn import functional

    shape = f.shape[:-1]
    each = functional.cross_entropy(f.flatten(0, -2), y.expand(shape).flatten(), reduction="none")
    return each.view(shape).mean(-1)


def squared_error(f: Tensor, y: Tensor) -> Tensor:
    """The mean over outputs too; y (..., n, outputs) or (n, outputs)."""
    return (f - y).square().mean((-2, -1))


LOSSES: dict[str, Loss] = {
    "cross_entropy": Loss("classification", cross_entropy, "cross_entropy_gradient"),
    "squared_error": Loss("regression", squared_error, "squared_error_gradient"),
}


@dataclass(frozen=True)
class Objective:
    """The loss of a run, a name in LOSSES, at its alpha.

    Networks may be stacked: f and h are (..., n, outputs), usually (R, n, outputs), and a number a network is (...).
    Labels are a network's own, (..., n) or for a regression (..., n, outputs), or shared, without the leading axes.
    """

    loss: str
    alpha: float

    @property
    def entry(self) -> Loss:
        """The loss's entry in LOSSES; raises FeatpruneError where there is none."""
        return lookup(LOSSES, self.loss, "loss")

    def f(self, h: Tensor, reference: Tensor | float = 0.0) -> Tensor:
        """alpha * (h - reference): the reference is h(x; m*theta_ref), or 0 where f isn't centered."""
        return self.alpha * (h - reference)

    def losses(self, f: Tensor, y: Tensor) -> Tensor:
        """The mean loss of each network, (...)."""
        return self.entry.mean(f, y)

    def training_losses(self, f: Tensor, y: Tensor) -> Tensor:
        """What each network is trained on, loss / alpha^2, (...)."""
        return self.losses(f, y) / self.alpha**2

    def metrics(self, f: Tensor, y: Tensor) -> tuple[np.ndarray, np.ndarray]:
        """Mean loss and accuracy (NaN in a regression) of each network, float64 (...)."""
        losses = self.losses(f, y).double().numpy()
        if self.entry.kind == "regression":
            return losses, np.full_like(losses, np.nan)
        return losses, (f.argmax(-1) == y).double().mean(-1).numpy()
