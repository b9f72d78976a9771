"""The tangent kernel of a wide ReLU network is near its limit, by the arc-cosine recursion (Jacot et al. 2018).

In NTK parametrization, with standard normal weights and zero biases, preactivations are Gaussian over draws with
covariance Sigma_1 = x.x' / inputs and Sigma_(l+1) = E[relu(u) relu(v)], (u, v) ~ N(0, Sigma_l): in closed form
(Cho & Saul 2009). So the part of the kernel that comes from the weights and biases of layer l is
(Sigma_l + 1) prod over k >= l of E[relu'(u) relu'(v)], hidden layers k.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from featprune.network import MLP
from featprune.randomness import numpy_generator
from featprune.theory.laws import fit_law, gather
from featprune.theory.runs import doubled, kernels_of, rms

INPUTS = 10


def arc_cosine(sigma: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """E[relu(u) relu(v)] and E[relu'(u) relu'(v)] of Gaussian u, v with covariance sigma (P, P), each (P, P).

    Cho & Saul 2009, eq. 6 and 4: half of their arc-cosine kernels of degree 1 and 0.
    """
    scale = np.sqrt(np.outer(np.diag(sigma), np.diag(sigma)))
    cosine = np.clip(sigma / scale, -1, 1)
    angle = np.arccos(cosine)
    values = scale * (np.sin(angle) + (np.pi - angle) * cosine) / (2 * np.pi)
    return values, (np.pi - angle) / (2 * np.pi)


def limit(x: np.ndarray, depth: int) -> list[np.ndarray]:
    """What the parameters of each layer add to the tangent kernel of inputs x (P, inputs) at infinite width, (P, P)."""
    covariances, slopes = [x @ x.T / x.shape[1]], []
    for _ in range(depth - 1):
        values, slope = arc_cosine(covariances[-1])
        covariances.append(values)
        slopes.append(slope)
    back = [np.ones_like(covariances[0])]
    for slope in reversed(slopes):
        back.insert(0, back[0] * slope)
    return [(sigma + 1) * delta for sigma, delta in zip(covariances, back, strict=True)]


def measure(*, seeds: int, widths: Sequence[int], hidden_layers: int, samples: int) -> pd.DataFrame:
    """Rows of seed, width, layer (0: all of them together) and value: |K - limit| / |limit|, in Frobenius norms."""
    rows, depth = [], hidden_layers + 1
    for seed in range(seeds):
        x = numpy_generator(seed, "theory", "infinite_width").standard_normal((samples, INPUTS))
        expected = limit(x, depth)
        whole = np.sum(expected, axis=0)
        for width in widths:
            network = MLP((INPUTS, *[width] * hidden_layers, 1), "relu", "ntk", "ntk")
            kernels = kernels_of(network, doubled(network.initial([seed])), x)
            pairs = [(np.sum(kernels, axis=0), whole), *zip(kernels, expected, strict=True)]
            rows += [(seed, width, layer, rms(k - e) / rms(e)) for layer, (k, e) in enumerate(pairs)]
    return pd.DataFrame(rows, columns=["seed", "width", "layer", "value"])


def laws(table: pd.DataFrame) -> pd.DataFrame:
    """The kernel is a mean over units: its distance from the limit falls as width^(-1/2), layer by layer."""
    return gather(
        fit_law(f"distance of the kernel from its limit against width, {name(layer)}", -0.5, rows, "width", "value")
        for layer in sorted(table["layer"].unique())
        for rows in [table[table["layer"] == layer]]
    )


def name(layer: int) -> str:
    """What a reader calls the part of a layer's parameters."""
    return f"layer {layer}" if layer else "all layers"
