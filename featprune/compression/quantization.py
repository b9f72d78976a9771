"""Trained quantization of a pruned network: a layer's weights share a few values (Han, Mao & Dally 2016, section 3).

Deep Compression prunes, then clusters each layer's surviving weights by k-means into 2^bits centroids, then trains the
centroids. What is left of a weight is its centroid's index, the code. Biases are few and stay float32. One network at
a time: arrays have a leading axis of length 1, as everywhere (`featprune.network`).

Importing this is light; fitting needs scikit-learn, training needs torch.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from featprune.errors import FeatpruneError
from featprune.network import MLP, Parameters

if TYPE_CHECKING:
    import torch

    from featprune.datasets.dataset import Dataset
    from featprune.engine.settings import Settings

MAX_BITS = 8  # codes are uint8
SPLITS = ("train", "validation", "test")


@dataclass(frozen=True, eq=False)
class Quantized:
    """One network whose weights are shared: the weight at a layer's j-th surviving position is codebook[codes[j]].

    masks: bool (1, out, in) a layer. codes: uint8 (k,), k survivors in row-major order. codebooks: float32 (c,),
    ascending, c <= 2^bits (a layer with fewer distinct weights needs fewer centroids; none where nothing survives).
    biases: float32 (1, out). bits: width of a layer's codes.
    """

    masks: tuple[np.ndarray, ...]
    codes: tuple[np.ndarray, ...]
    codebooks: tuple[np.ndarray, ...]
    biases: tuple[np.ndarray, ...]
    bits: tuple[int, ...]

    def parameters(self) -> Parameters:
        """The exact dense network this stands for: float32 weights (1, out, in), zero where pruned, and biases."""
        weights = []
        for mask, codes, codebook in zip(self.masks, self.codes, self.codebooks, strict=True):
            weight = np.zeros(mask.shape, np.float32)
            weight[mask] = codebook[codes]
            weights.append(weight)
        return Parameters(tuple(weights), self.biases)


def quantize(parameters: Parameters, masks: Sequence[np.ndarray], bits: Sequence[int]) -> Quantized:
    """Cluster every layer's surviving weights by k-means, started from equally spaced centroids.

    parameters: one network, weights (1, out, in). masks: bool, the same shapes. bits: 1 to 8, one a layer; the paper
    takes 6 for the fully connected layers of LeNet-300-100. A layer with at most 2^bits distinct weights is kept
    exactly. The result doesn't depend on the number of cores. Raises FeatpruneError where bits are out of range or
    a surviving weight isn't finite, ValueError where there is more than one network.
    """
    if any(len(w) != 1 for w in parameters.weights):
        raise ValueError("quantize takes one network at a time: weights of shape (1, out, in)")
    if len(bits) != len(masks) or not all(1 <= b <= MAX_BITS for b in bits):
        raise FeatpruneError(f"bits: {list(bits)} must be 1 to {MAX_BITS} for each of {len(masks)} layers")
    codes, codebooks = [], []
    for layer, (weight, mask, b) in enumerate(zip(parameters.weights, masks, bits, strict=True), 1):
        values = weight[mask].astype(np.float64)
        if not np.isfinite(values).all():
            raise FeatpruneError(f"layer {layer}: a weight isn't finite (the run diverged), so it can't be quantized")
        codebook = _centroids(values, 2**b).astype(np.float32)
        codebooks.append(np.unique(codebook))
        codes.append(nearest_centroid(values, codebooks[-1]))
    biases = tuple(b.astype(np.float32) for b in parameters.biases)
    return Quantized(tuple(m.copy() for m in masks), tuple(codes), tuple(codebooks), biases, tuple(map(int, bits)))


def linear_centroids(values: np.ndarray, count: int) -> np.ndarray:
    """The paper's linear initialization: `count` values equally spaced from min to max, float64 (count,).

    Unlike random or density-based starts it reaches the few large weights, which matter most.
    """
    return np.linspace(values.min(), values.max(), count)


def _centroids(values: np.ndarray, count: int) -> np.ndarray:
    """At most `count` centroids of values (n,) float64: the values themselves where they are few enough."""
    distinct = np.unique(values)
    if len(distinct) <= count:
        return distinct
    from sklearn.cluster import KMeans
    from threadpoolctl import threadpool_limits

    start = linear_centroids(values, count)[:, None]
    with threadpool_limits(1):  # the order of sums, so the last bits, would depend on the threads
        return KMeans(count, init=start, n_init=1, tol=0).fit(values[:, None]).cluster_centers_[:, 0]


def nearest_centroid(values: np.ndarray, codebook: np.ndarray) -> np.ndarray:
    """Index of the nearest of the ascending centroids (c,), uint8 (n,); the lower one where two are equally near."""
    edges = codebook.astype(np.float64)
    return np.searchsorted((edges[1:] + edges[:-1]) / 2, values).astype(np.uint8)


def fine_tune(
    quantized: Quantized,
    network: MLP,
    data: Dataset,
    settings: Settings,
    *,
    seed: int = 0,
    reference: Parameters | None = None,
) -> Quantized:
    """Train centroids and biases for `settings.steps` steps, codes and masks being fixed.

    A centroid's gradient is the sum of its weights' gradients (the paper's equation 3). The loss is the network's own,
    loss(f, y) / alpha^2 with f = alpha * (h(x) - h_ref(x)), the batches are those of (seed, settings.behind), and the
    optimizer, its step size and weight decay (on weights and biases) are the settings' (`featprune.engine`).
    `reference`: theta_ref, one network, needed where `settings.center`; pruned by the same masks here.

    The codebook of the result need not be ascending. Raises FeatpruneError where training diverges, ValueError where
    a reference is missing.
    """
    import torch

    from featprune.engine.training import data_order

    torch.set_num_threads(1)
    if not settings.steps:
        return quantized
    x, y = torch.from_numpy(data.train_x), torch.from_numpy(data.train_y)
    offset = _reference_output(quantized.masks, network, x, settings, reference)
    codebooks, biases = ([torch.tensor(a).requires_grad_() for a in g] for g in (quantized.codebooks, quantized.biases))
    masks, codes = ([torch.from_numpy(a) for a in group] for group in (quantized.masks, quantized.codes))
    optimizer = _optimizer(settings, [*codebooks, *biases])
    for batch in torch.from_numpy(data_order(seed, len(x), settings.batch_size, settings.steps, settings.behind)):
        weights = [shared_weights(*layer) for layer in zip(codebooks, masks, codes, strict=True)]
        f = settings.alpha * (network.output(weights, biases, x[batch])[0] - offset[batch])
        loss = _loss(settings, f, y[batch]) / settings.alpha**2
        if settings.weight_decay:
            loss = loss + settings.weight_decay / 2 * sum(p.square().sum() for p in (*weights, *biases))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    trained = [[p.detach().numpy() for p in group] for group in (codebooks, biases)]
    if not all(np.isfinite(a).all() for group in trained for a in group):
        raise FeatpruneError(f"fine-tuning the centroids diverged at lr {settings.lr:g}; lower it")
    return replace(quantized, codebooks=tuple(trained[0]), biases=tuple(trained[1]))


def shared_weights(codebook: torch.Tensor, mask: torch.Tensor, codes: torch.Tensor) -> torch.Tensor:
    """A layer's dense weights (1, out, in) of its codebook (c,), mask (1, out, in) and codes uint8 (k,).

    Differentiable: the gradient of a centroid is the sum over the weights that share it.
    """
    return codebook.new_zeros(mask.shape).masked_scatter(mask, codebook[codes.long()])


def evaluate(
    parameters: Parameters,
    masks: Sequence[np.ndarray],
    network: MLP,
    data: Dataset,
    settings: Settings,
    reference: Parameters | None = None,
) -> dict[str, tuple[float, float]]:
    """Loss (not divided by alpha^2) and accuracy (NaN for regression) of one network on each whole split."""
    import torch

    torch.set_num_threads(1)
    result = {}
    for split in SPLITS:
        x, y = (torch.from_numpy(getattr(data, f"{split}_{part}")) for part in "xy")
        offset = _reference_output(masks, network, x, settings, reference)
        f = settings.alpha * (_output(parameters.masked(masks), network, x) - offset)
        accuracy = (f.argmax(1) == y).double().mean() if settings.loss == "cross_entropy" else torch.nan
        result[split] = float(_loss(settings, f, y)), float(accuracy)
    return result


def _output(parameters: Parameters, network: MLP, x: torch.Tensor) -> torch.Tensor:
    """h(x) of one network, (n, outputs), without gradients."""
    import torch

    weights, biases = ([torch.from_numpy(a) for a in g] for g in (parameters.weights, parameters.biases))
    with torch.no_grad():
        return network.output(weights, biases, x)[0]


def _reference_output(masks, network: MLP, x: torch.Tensor, settings: Settings, reference) -> torch.Tensor:
    """h(x; m*theta_ref) of every sample, (n, outputs); zeros where f isn't centered."""
    if not settings.center:
        return x.new_zeros(len(x), network.widths[-1])
    if reference is None:
        raise ValueError("a centered network needs its reference parameters")
    return _output(reference.masked(masks), network, x)


def _loss(settings: Settings, f: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
    from torch.nn.functional import cross_entropy, mse_loss

    return {"cross_entropy": cross_entropy, "squared_error": mse_loss}[settings.loss](f, y)


def _optimizer(settings: Settings, parameters: list[torch.Tensor]):
    """As in `featprune.engine`; weight decay is part of the loss, because a centroid stands for many weights."""
    import torch

    if settings.optimizer == "adam":
        return torch.optim.Adam(parameters, lr=settings.step_size(0))
    return torch.optim.SGD(parameters, lr=settings.step_size(0), momentum=settings.momentum)
