"""Repairs: what the survivors of a round take over from the weights that go, where training goes on from their values.

A repair is a pure function of one network before pruning, the masks after, and a batch; it gives the survivors' new
weights and biases, on effective weights, so that it is the same for every parametrization. It acts layer by layer on
the unpruned network's own inputs a of the layer and keeps the preactivations z close to what they were there. What was
pruned before must be zero. theta_ref is no part of it: of a centered f, only h is repaired.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import numpy as np

from featprune.network import MLP, Parameters
from featprune.pruning.problem import Problem, draw_batch

if TYPE_CHECKING:
    from torch import Tensor

    from featprune.datasets.dataset import Dataset
    from featprune.pruning.masks import Masks
    from featprune.pruning.problem import Batch

# repair(problem, masks, batch): the weights (out, in) and the biases (out,) of each layer.
Values = tuple[list["Tensor"], list["Tensor"]]
Repair = Callable[[Problem, "Sequence[Tensor]", "Batch"], Values]


def repaired(
    repair: Repair,
    network: MLP,
    data: Dataset,
    seeds: Sequence[int],
    samples: int,
    trained: Parameters,
    masks: Masks,
) -> Parameters:
    """The trained values of all replicas repaired for these masks, (R, out, in), on as many training samples as asked.

    The batch is the one that scores see. A replica whose values aren't finite stays as it is.
    """
    import torch

    torch.set_num_threads(1)  # the order of sums, so the last bits, would depend on the threads
    replicas = []
    for i, (seed, finite) in enumerate(zip(seeds, trained.finite(), strict=True)):
        one = trained.replicas([i])
        if finite:
            kept = [torch.from_numpy(m[i]) for m in masks]
            weights, biases = repair(Problem.from_parameters(network, one), kept, draw_batch(data, seed, samples))
            one = Parameters(tuple(map(_replica, weights)), tuple(map(_replica, biases)))
        replicas.append(one)
    return Parameters.stack(replicas)


def _replica(values: Tensor) -> np.ndarray:
    """With a leading axis, in single precision."""
    return values.float().numpy()[None]
