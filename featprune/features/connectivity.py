"""Linear mode connectivity (Frankle et al. 2020): what lies between two networks on the straight line of their weights.

    theta(beta) = theta_first + beta (theta_second - theta_first),    beta = 0, 0.1, ..., 1

A value's barrier is the most by which it exceeds, at any beta, the straight line between its values at the two ends.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
import torch

from featprune.datasets.dataset import Dataset
from featprune.engine.objective import Objective
from featprune.features.richness import Tensors, one_network, output
from featprune.network import MLP, Parameters

BETAS = np.linspace(0, 1, 11)
SPLITS = ("train", "test")
SAMPLES = 5000  # of each split, its first ones
CHUNK = 500  # samples at a time, so that what lies between two layers stays in the cache


def measure_barriers(
    network: MLP,
    first: Parameters,
    second: Parameters,
    seeds: Sequence[int],
    data: Dataset,
    objective: Objective,
    reference: Parameters | None = None,
) -> pd.DataFrame:
    """What lies between two networks of each seed, both with exact zeros where a weight is pruned.

    reference: what f is centered on, of both ends and all between, under their mask; None where f isn't centered.

    Returns a row a seed and split with the columns seed, split, and of each value in loss (of f and y, without
    1 / alpha^2) and error (the share that is misclassified, NaN in a regression): `{value}_first` and `{value}_second`
    at the ends, and `{value}_barrier`. NaN where an end has diverged.
    """
    torch.set_num_threads(1)
    rows = []
    for split in SPLITS:
        for replica, seed in enumerate(seeds):
            x, y = (torch.from_numpy(getattr(data.of(seed), f"{split}_{part}")[:SAMPLES]) for part in "xy")
            h = outputs_between(network, one_network(first, replica), one_network(second, replica), x)
            start = 0.0 if reference is None else output(network, one_network(reference, replica), x)
            loss, accuracy = objective.metrics(objective.f(h, start), y)
            sound, row = np.isfinite(loss[[0, -1]]).all(), {"seed": seed, "split": split}
            for value, found in (("loss", loss), ("error", 1 - accuracy)):
                along = found if sound else np.full_like(found, np.nan)
                row |= {f"{value}_first": along[0], f"{value}_second": along[-1], f"{value}_barrier": barrier(along)}
            rows.append(row)
    return pd.DataFrame(rows).astype({"seed": "int32"})


def barrier(along: np.ndarray) -> float:
    """The barrier of values at BETAS: at least 0, since the ends are among them."""
    return float(np.max(along - (along[0] + BETAS * (along[-1] - along[0]))))


def outputs_between(network: MLP, first: Tensors, second: Tensors, x: torch.Tensor) -> torch.Tensor:
    """h(x; theta(beta)) at each of BETAS, (B, n, outputs)."""
    depth, betas = len(network.shapes), BETAS.tolist()
    states = [[torch.lerp(a, b, beta) for a, b in zip(first, second, strict=True)] for beta in betas]
    parts = []
    for part in x.split(CHUNK):
        # The first layer, most of the work, is linear in beta, so that its ends are enough.
        start, end = (network.layer(0, state[0], state[depth], part) for state in (first, second))
        along = []
        for beta, state in zip(betas, states, strict=True):
            h = torch.lerp(start, end, beta)
            for number in range(1, depth):
                h = network.layer(number, state[number], state[depth + number], h)
            along.append(h)
        parts.append(torch.stack(along))
    return torch.cat(parts, dim=1)
