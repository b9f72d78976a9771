"""Pruning at initialization: scores of a network's weights before it is trained, and the masks they lead to.

A score is a pure function of one network (no replica axis), its masks (bool, (out, in) a layer), a batch and a
generator. It returns one tensor a layer, shaped like the weights; the weights with the highest scores are kept. Where
a weight is pruned already its score is zero, whatever its value.

Common to all: biases are never pruned and never scored; every layer takes part, the output layer too; and the ranking
is over all layers together (`prune_at_init`), so the criterion decides how many weights each layer keeps and may leave
a layer with none (`collapsed`). Scores are only ever ranked, so the papers' normalizing constants are left out, and so
is the training loss's factor 1 / alpha^2.

**Precision.** `Problem.from_parameters` converts to float64 unless told otherwise, and the scores are computed in
the precision of the problem's tensors (SynFlow's always in float64). At 784-300-100-10, the scores on either side of
the threshold differ by some 1e-5 of their value, so float32 swaps a weight now and then; float64 takes twice as long,
but that is 0.05 s (SNIP) or 0.1 s (GraSP) for 1,000 samples.

**Richness.** SNIP and GraSP score f(x) = alpha * [h(x; m*w) - h(x; m*w_ref)] with the reference output held fixed: it
is an offset, as in training. (If the mask of w_ref were differentiated as well, a centered f would be zero for every
mask and so would SNIP be.) At the initialization a centered f is zero for every x; the scores are well defined all the
same, since the loss has its gradient at the uniform softmax, p - y = 1/C - y. Its magnitude doesn't depend on the
network's outputs, so of alpha only a constant factor is left in SNIP, and GraSP has alpha / temperature as the weight
of one of its two terms. Where f isn't centered, alpha scales the logits, and matters for both.

Importing this module is light: torch is imported when something is scored.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from math import floor
from typing import TYPE_CHECKING

import numpy as np

from featprune.errors import FeatpruneError, lookup
from featprune.network import MLP, Parameters
from featprune.pruning.masks import extract_mask, remaining

if TYPE_CHECKING:
    import torch
    from torch import Tensor

    # Inputs (P, inputs) with labels: int64 (P,) for cross-entropy, (P, outputs) for the squared error.
    Batch = tuple[Tensor, Tensor]

# GraSP divides logits by this, which brings a softmax that isn't centered close to uniform (Wang et al. 2020).
TEMPERATURE = 200.0


@dataclass(frozen=True, eq=False)
class Problem:
    """One network about to be pruned, with what it is to be trained on.

    weights (out, in) and biases (out,) are one tensor a layer, stored values (without the parametrization's
    multipliers). The reference ones are theta_ref, at the initialization equal to them. `loss` is a key of LOSSES.
    """

    network: MLP
    weights: list[Tensor]
    biases: list[Tensor]
    reference_weights: list[Tensor]
    reference_biases: list[Tensor]
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
    ) -> Problem:
        """The problem of a single replica, (1, out, in) and (1, out); theta_ref is theta unless given.

        The precision is float64 unless `dtype` says otherwise.
        """
        import torch

        def tensors(arrays: Sequence[np.ndarray]) -> list[Tensor]:
            return [torch.from_numpy(a).squeeze(0).to(dtype or torch.float64) for a in arrays]

        reference = parameters if reference is None else reference
        groups = (parameters.weights, parameters.biases, reference.weights, reference.biases)
        return Problem(network, *map(tensors, groups), alpha, center, loss)

    def f(self, weights: Sequence[Tensor], masks: Sequence[Tensor], x: Tensor) -> Tensor:
        """alpha * [h(x; m*w) - h(x; m*w_ref)], (P, outputs), or alpha * h(x; m*w) if f isn't centered.

        weights, masks: (out, in) a layer. Differentiable with respect to the weights, where they aren't pruned.
        """
        x = x.to(weights[0].dtype)
        h = self.network.output(masked(weights, masks), self.biases, x)
        if self.center:
            h = h - self.network.output(masked(self.reference_weights, masks), self.reference_biases, x)
        return self.alpha * h


# score(problem, masks, batch, generator): one tensor (out, in) a layer.
Score = Callable[[Problem, "Sequence[Tensor]", "Batch", np.random.Generator], "list[Tensor]"]


def _loss(problem: Problem, f: Tensor, y: Tensor) -> Tensor:
    """The training loss of f (P, outputs): the mean over the batch, and over the outputs of the squared error."""
    from torch.nn import functional

    losses = {"cross_entropy": functional.cross_entropy, "squared_error": functional.mse_loss}
    return lookup(losses, problem.loss, "loss")(f, y if problem.loss == "cross_entropy" else y.to(f.dtype))


def masked(weights: Sequence[Tensor], masks: Sequence[Tensor]) -> list[Tensor]:
    """The weights with exact zeros where they are pruned, and no gradient there (even where they are NaN)."""
    import torch

    return [torch.where(m, w, 0) for w, m in zip(weights, masks, strict=True)]


def _leaves(weights: Sequence[Tensor], masks: Sequence[Tensor]) -> list[Tensor]:
    """Copies of the masked weights to differentiate with respect to."""
    return [w.detach().clone().requires_grad_() for w in masked(weights, masks)]


def snip(problem: Problem, masks: Sequence[Tensor], batch: Batch, generator: np.random.Generator) -> list[Tensor]:
    """Connection sensitivity |dL/dm| = |dL/dw * w| at m = 1 (Lee et al. 2019), from one batch; (out, in) a layer.

    How much the loss moves, to first order, if the weight's connection is weakened, whether up or down. The same for
    every parametrization of the same effective weights. Of a centered f at the initialization it is proportional to
    alpha, so the masks of all alphas are the same; without centering they tend to those masks for small alpha.
    """
    import torch

    x, y = batch
    weights = _leaves(problem.weights, masks)
    loss = _loss(problem, problem.f(weights, masks, x), y)
    gradients = torch.autograd.grad(loss, weights)
    return [(g * w).abs().detach() for g, w in zip(gradients, weights, strict=True)]


def grasp(problem: Problem, masks: Sequence[Tensor], batch: Batch, generator: np.random.Generator) -> list[Tensor]:
    """Gradient signal preservation w * (H g), signed, the largest kept (Wang et al. 2020); (out, in) a layer.

    g and H are the gradient and Hessian of the loss with respect to the surviving weights (biases are constants, and
    so are pruned weights), both from the whole batch. To first order, pruning a weight lowers the squared norm of g
    by twice its score: a weight with a large one is kept. (The paper writes -w * (H g), and removes the largest.)

    Under cross-entropy the logits f are divided by TEMPERATURE, as in the paper. Under the squared error, where that
    would be another regression problem, they aren't. g is the gradient in the stored weights, which are what is
    trained, so masks do depend on the parametrization.

    Of a centered f at the initialization, with t = alpha / temperature, J the Jacobian of h and r its loss gradient
    at h = 0, the score is t^2 w * [(r . Hessian of h) J^T r + t J^T S J J^T r]. The first bracket is all that small
    alphas see, and the lazy limit is the second: the (frozen) neural tangent kernel's.
    """
    import torch

    x, y = batch
    weights = _leaves(problem.weights, masks)
    temperature = TEMPERATURE if problem.loss == "cross_entropy" else 1.0
    loss = _loss(problem, problem.f(weights, masks, x) / temperature, y)
    gradients = torch.autograd.grad(loss, weights, create_graph=True)
    # H g is the gradient of g . c, where the constant c has g's value.
    dot = sum((g * g.detach()).sum() for g in gradients)
    products = torch.autograd.grad(dot, weights)
    return [(w * product).detach() for w, product in zip(weights, products, strict=True)]


def synflow(problem: Problem, masks: Sequence[Tensor], batch: Batch, generator: np.random.Generator) -> list[Tensor]:
    """Synaptic flow |dR/dw * w| of R = 1^T |W_L| ... |W_1| 1 (Tanaka et al. 2020); (out, in) a layer, float64.

    R is the summed output for an input of ones after all weights and biases are replaced by their absolute values
    (|b| joins the flow where a bias isn't zero). No data, no loss: the batch is ignored, and so are alpha and the
    reference, which would be a constant factor and a constant. Meant for 100 iterations (`prune_at_init`).

    The activation is left out, as in the equation above. For ReLU that changes nothing, as no preactivation is
    negative. tanh and erf would be saturated by these preactivations, which grow with the widths: their slope
    underflows to zero, the scores of all layers but the last vanish with it, and the conservation law (all layers
    have the same sum of scores if biases are zero), which is what avoids layer collapse, holds for homogeneous
    activations only. So they are linearized, with slope 1.

    The parametrization's multipliers belong to R, and since w * d/dw has no scale, the scores are those of the
    effective weights, the same in every parametrization. R is a product over layers, with a factor of order
    sqrt(width) for each: float64 has room for hundreds of layers.
    """
    import torch

    weights = [w.double().abs().detach().requires_grad_() for w in masked(problem.weights, masks)]
    biases = [b.double().abs() for b in problem.biases]
    ones = torch.ones(1, problem.network.widths[0], dtype=torch.float64)
    flow = replace(problem.network, activation="linear").output(weights, biases, ones).sum()
    return [(g * w).detach() for g, w in zip(torch.autograd.grad(flow, weights), weights, strict=True)]


def magnitude(problem: Problem, masks: Sequence[Tensor], batch: Batch, generator: np.random.Generator) -> list[Tensor]:
    """|w| of the effective weights (Han et al. 2015; Frankle & Carbin 2019); (out, in) a layer. Ignores the batch.

    Of trained weights it is the criterion of lottery tickets. Of initial weights, ranked globally, it mostly compares
    the layers' initial deviations: those with a larger fan-in are pruned first.
    """
    multipliers = problem.network.multipliers
    return [w.abs() * factor for w, factor in zip(masked(problem.weights, masks), multipliers, strict=True)]


def random(problem: Problem, masks: Sequence[Tensor], batch: Batch, generator: np.random.Generator) -> list[Tensor]:
    """Independent uniform draws from the generator, whatever is pruned already; (out, in) a layer, float64."""
    import torch

    draws = [torch.from_numpy(generator.random(tuple(w.shape))) for w in problem.weights]
    return masked(draws, masks)


def iteration_counts(start: int, count: int, iterations: int) -> list[int]:
    """Weights left after each iteration, from `start` to `count`: start * (count / start)^(k / iterations), rounded.

    The exponential schedule of Tanaka et al. 2020. Iterations that would remove nothing are left out, so the counts
    strictly decrease; the last one is `count`, even if that is `start`.
    """
    # As a product of powers it is exact at the end, and defined for zeros.
    shares = [k / iterations for k in range(1, iterations)]
    counts = [floor(start ** (1 - share) * count**share + 0.5) for share in shares]
    return [*sorted({c for c in counts if count < c < start}, reverse=True), count]


def prune_at_init(
    score: Score,
    problem: Problem,
    masks: Sequence[np.ndarray],
    count: int,
    batch: Batch,
    generator: np.random.Generator,
    iterations: int = 1,
) -> list[np.ndarray]:
    """Keep exactly `count` of all layers' weights: the highest scored ones among the survivors of `masks`.

    masks: bool (1, out, in), a single replica's as in `featprune.pruning.masks`; the result is the same, and a subset. With
    more than one iteration, the density goes down exponentially (`iteration_counts`), and each is scored under the
    masks of the one before; the batch is the same throughout. Ties are broken by index.

    Raises ValueError where fewer than `count` weights survive, FeatpruneError for scores that aren't finite.
    """
    import torch

    masks = list(masks)
    for target in iteration_counts(int(remaining(masks)[0]), count, iterations):
        scores = score(problem, [torch.from_numpy(m[0]) for m in masks], batch, generator)
        if not all(s.isfinite().all() for s in scores):
            name = getattr(score, "__name__", "pruning")
            raise FeatpruneError(f"{name} scores are not finite: look at the initialization, the depth and alpha")
        masks = extract_mask([s.numpy()[None] for s in scores], masks, [target])
    return masks


def collapsed(masks: Sequence[np.ndarray]) -> list[int]:
    """The layers, counted from 1, that have no weights left (in all replicas, if there are several)."""
    return [layer for layer, mask in enumerate(masks, 1) if not mask.any()]
