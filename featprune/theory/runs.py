"""Small networks trained by the package's own loop, on full batches and in float64, and their f along training."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pandas as pd
import torch

from featprune.datasets.dataset import Dataset
from featprune.engine.linearized import Linearized
from featprune.engine.settings import Settings, Start
from featprune.engine.training import train
from featprune.features.richness import one_network, tangent_kernels
from featprune.network import MLP, Parameters
from featprune.pruning.masks import Masks, all_ones


def doubled(parameters: Parameters) -> Parameters:
    """The same in float64: laws are fitted over several powers of ten, and rounding is not to be one of them."""
    return parameters.each(lambda array: array.astype(np.float64))


def scaled(parameters: Parameters, factor: float) -> Parameters:
    """The same with every weight multiplied."""
    return Parameters(tuple(factor * w for w in parameters.weights), parameters.biases)


def dataset(x: np.ndarray, y: np.ndarray, test_x: np.ndarray, test_y: np.ndarray) -> Dataset:
    """A dataset of these samples, in float64; validation, by which nothing is chosen here, is the test split."""
    x, y, test_x, test_y = (np.asarray(a, np.float64) for a in (x, y, test_x, test_y))
    return Dataset(x, y, test_x, test_y, test_x, test_y)


def descent(
    lr: float,
    steps: int,
    samples: int,
    *,
    alpha: float = 1.0,
    center: bool = True,
    snapshots: int | Sequence[int] = 20,
) -> Settings:
    """Plain gradient descent on the squared error of all samples.

    lr: in f's own time, whatever alpha is (`Settings.objective`); a step of it is Euler's on the gradient flow.
    snapshots: so many, at steps evenly spaced in log time, or at these steps.
    """
    if isinstance(snapshots, int):
        grid = (0, *np.unique(np.geomspace(1, steps, snapshots).round().astype(int)).tolist())
    else:
        grid = tuple(snapshots)
    return Settings("squared_error", "sgd", lr, 0.0, 0.0, samples, steps, alpha, center, (), grid)


def evenly(steps: int, count: int) -> list[int]:
    """At most so many steps, evenly spaced from 0 to the last."""
    return sorted({round(steps * k / (count - 1)) for k in range(count)})


def follow(
    network: MLP,
    start: Parameters,
    data: Dataset,
    settings: Settings,
    masks: Masks | None = None,
    seeds: Sequence[int] | None = None,
) -> dict[int, Parameters]:
    """Train from a start, (R, ...), under its masks; returns step -> parameters at the snapshots."""
    chosen = masks or all_ones(network.shapes, len(start.weights[0]))
    numbers = list(range(len(start.weights[0]))) if seeds is None else list(seeds)
    return train(network, Start(start, start), chosen, data, numbers, settings).snapshots


def functions(network: MLP, states: dict[int, Parameters], settings: Settings, x: np.ndarray) -> dict[int, np.ndarray]:
    """Step -> f(x), (R, n, outputs), of the states that `follow` gave for these settings."""
    first = states[min(states)]
    seen = Linearized.around(network, first) if settings.linearize else network
    h = {step: seen.output(state.weights, state.biases, x) for step, state in states.items()}
    reference = h[min(h)] if settings.center else 0.0
    return {step: settings.alpha * (value - reference) for step, value in h.items()}


def kernels_of(network: MLP, parameters: Parameters, x: np.ndarray) -> list[np.ndarray]:
    """What each layer of one network (R = 1) without pruned weights adds to its tangent kernel on x, (P, P)."""
    masks = [torch.ones(shape, dtype=torch.bool) for shape in network.shapes]
    return [k.numpy() for k in tangent_kernels(network, one_network(parameters, 0), masks, torch.from_numpy(x))]


def kernel_of(network: MLP, parameters: Parameters, x: np.ndarray) -> np.ndarray:
    """The whole tangent kernel, (P, P)."""
    return np.sum(kernels_of(network, parameters, x), axis=0)


def rms(values: np.ndarray | pd.Series) -> float:
    """The root mean square of all entries."""
    return float(np.sqrt(np.square(np.asarray(values)).mean()))


def linearized(settings: Settings) -> Settings:
    """The same for the network's Taylor expansion around its start."""
    return replace(settings, linearize=True)
