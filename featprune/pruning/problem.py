"""What a score sees: one network about to be pruned, and the loss it is to be trained on.

A score is a pure function of one network (no replica axis), its masks (bool, (out, in) a layer), a batch and a
generator. It returns one array a layer, shaped like the weights; the weights with the highest scores are kept. Where
a weight is pruned already its score is zero, whatever its value.

Common to all: biases are never pruned and never scored, and every layer takes part, the output layer too. Scores are
only ever ranked, so the papers' normalizing constants are left out, and so is the training loss's factor 1 / alpha^2.

**Precision.** Problems are float64 unless told otherwise, and scores are computed in the precision of the problem
(SynFlow's always in float64). At 784-300-100-10, the scores on either side of the threshold differ by some 1e-5 of
their value, so float32 swaps a weight now and then; float64 takes twice as long, but that is 0.05 s (SNIP) or 0.1 s
(GraSP) for 1,000 samples.

**Richness.** SNIP and GraSP score f(x) = alpha * [h(x; m*w) - h(x; m*w_ref)] with the reference output held fixed: it
is an offset, as in training. (If the mask of w_ref were differentiated as well, a centered f would be zero for every
mask and so would SNIP be.) At the initialization a centered f is zero for every x; the scores are well defined all the
same, since the loss has its gradient at the uniform softmax, p - y = 1/C - y. Its magnitude doesn't depend on the
network's outputs, so of alpha only a constant factor is left in SNIP, and GraSP has alpha / temperature as the weight
of one of its two terms. Where f isn't centered, alpha scales the logits, and matters for both.

Importing this is light: torch is imported by problems that scores differentiate.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from featprune.engine.objective import Objective
from featprune.network import MLP, Parameters
from featprune.randomness import numpy_generator

if TYPE_CHECKING:
    import torch
    from torch import Tensor

    from featprune.datasets.dataset import Dataset

    # Inputs (P, inputs) with labels: int64 (P,) for cross-entropy, (P, outputs) for the squared error.
    Batch = tuple[Tensor, Tensor]


@dataclass(frozen=True, eq=False)
class Problem:
    """One network about to be pruned, with what it is to be trained on.

    weights (out, in) and biases (out,) are one tensor a layer, stored values (without the parametrization's
    multipliers). The reference ones are theta_ref, at the initialization equal to them. `loss` is a key of LOSSES.
    A problem that isn't differentiated holds numpy arrays, so that scoring it needs no torch.
    """

    network: MLP
    weights: list[Any]
    biases: list[Any]
    reference_weights: list[Any]
    reference_biases: list[Any]
    alpha: float = 1.0
    center: bool = False
    loss: str = "cross_entropy"

    @staticmethod
    def from_parameters(
        network: MLP,
        parameters: Parameters,
        reference: Parameters | None = None,
        *,
        alpha: float = 1.0,
        center: bool = False,
        loss: str = "cross_entropy",
        dtype: torch.dtype | None = None,
        gradients: bool = True,
    ) -> Problem:
        """The problem of a single replica, (1, out, in) and (1, out); theta_ref is theta unless given.

        Of torch tensors, float64 unless `dtype` says otherwise; of float64 numpy arrays without `gradients`.
        """

        def arrays(values: Sequence[np.ndarray]) -> list[Any]:
            if not gradients:
                return [a.squeeze(0).astype(np.float64) for a in values]
            import torch

            return [torch.from_numpy(a).squeeze(0).to(dtype or torch.float64) for a in values]

        reference = parameters if reference is None else reference
        return Problem(
            network,
            arrays(parameters.weights),
            arrays(parameters.biases),
            arrays(reference.weights),
            arrays(reference.biases),
            alpha,
            center,
            loss,
        )

    @property
    def objective(self) -> Objective:
        """What the network is to be trained on."""
        return Objective(self.loss, self.alpha)

    def f(self, weights: Sequence[Tensor], masks: Sequence[Tensor], x: Tensor) -> Tensor:
        """alpha * [h(x; m*w) - h(x; m*w_ref)], (P, outputs), or alpha * h(x; m*w) if f isn't centered.

        weights, masks: (out, in) a layer. Differentiable with respect to the weights, where they aren't pruned.
        """
        x = x.to(weights[0].dtype)
        h = self.network.output(masked(weights, masks), self.biases, x)
        if not self.center:
            return self.objective.f(h)
        reference = self.network.output(masked(self.reference_weights, masks), self.reference_biases, x)
        return self.objective.f(h, reference)


# score(problem, masks, batch, generator): one array (out, in) a layer. The batch is None without gradients.
Score = Callable[[Problem, "Sequence[Any]", Any, np.random.Generator], "list[Any]"]


def draw_batch(data: Dataset, seed: int, samples: int) -> Batch:
    """A seed's batch of training samples, drawn once: the same in every round."""
    import torch

    own = data.of(seed)
    chosen = numpy_generator(seed, "score").permutation(len(own.train_x))[:samples]
    return torch.from_numpy(own.train_x[chosen]), torch.from_numpy(own.train_y[chosen])


def mean_loss(problem: Problem, f: Tensor, y: Tensor) -> Tensor:
    """The loss of f (P, outputs): the mean over the batch, and over the outputs of the squared error."""
    return problem.objective.losses(f, y.to(f.dtype) if y.is_floating_point() else y)


def masked(weights: Sequence[Any], masks: Sequence[Any]) -> list[Any]:
    """The weights with exact zeros where they are pruned, and no gradient there (even where they are NaN)."""
    if isinstance(weights[0], np.ndarray):
        return [np.where(m, w, 0.0) for w, m in zip(weights, masks, strict=True)]
    import torch

    return [torch.where(m, w, 0) for w, m in zip(weights, masks, strict=True)]


def leaves(weights: Sequence[Tensor], masks: Sequence[Tensor]) -> list[Tensor]:
    """Copies of the masked weights to differentiate with respect to."""
    return [w.detach().clone().requires_grad_() for w in masked(weights, masks)]
