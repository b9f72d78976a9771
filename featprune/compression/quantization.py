"""Trained quantization of a pruned network: a layer's weights share a few values (Han, Mao & Dally 2016, section 3).

Deep Compression prunes, then clusters each layer's surviving weights by k-means into 2^bits centroids, then trains the
centroids (`featprune.compression.tuning`). What is left of a weight is its centroid's index, the code. Biases are few
and stay float32. One network at a time: arrays have a leading axis of length 1, as everywhere (`featprune.network`).

Importing this is light; fitting needs scikit-learn.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from featprune.errors import FeatpruneError
from featprune.network import Parameters

MAX_BITS = 8  # codes are uint8


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
