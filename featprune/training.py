"""Training: one loop for dense and pruned networks, replica by replica, so that no seed depends on its block.

f(x) = alpha * [h(x; m*theta) - h(x; m*theta_ref)] is trained on loss(f, y) / alpha^2 (Chizat et al. 2019). With SGD
the 1/alpha^2 keeps the speed in function space independent of alpha; Adam ignores the scale of the loss, so its
learning rate is divided by alpha instead.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch

from featprune.dataset import Dataset
from featprune.errors import FeatpruneError
from featprune.network import MLP, Parameters
from featprune.randomness import numpy_generator
from featprune.replica import Replica
from featprune.rewind import Start

SPLITS = ("train", "validation", "test")


@dataclass(frozen=True)
class Settings:
    """Everything that one run's training depends on, besides the network, its start and the data.

    `lr` is the learning rate at alpha = 1, the config's base rate times its multiplier. `behind` counts the steps
    that the starting values have behind them: the data order goes on from there. `evaluation_samples` bounds each
    split where it is evaluated on the way (None: whole); at the last step validation and test are always whole.
    """

    loss: str
    optimizer: str
    lr: float
    momentum: float
    weight_decay: float
    batch_size: int
    steps: int
    alpha: float
    center: bool
    evaluate_at: tuple[int, ...]
    snapshot_at: tuple[int, ...] = ()
    evaluation_samples: int | None = None
    behind: int = 0

    @property
    def step_size(self) -> float:
        return self.lr / self.alpha if self.optimizer == "adam" else self.lr


@dataclass
class Outcome:
    """What a run leaves: final parameters (R, ...), history columns, snapshots, and which replicas diverged (R,)."""

    parameters: Parameters
    history: dict[str, np.ndarray]
    snapshots: dict[int, Parameters]
    diverged: np.ndarray


def train(
    network: MLP,
    start: Start,
    masks: Sequence[np.ndarray],
    data: Dataset,
    seeds: Sequence[int],
    settings: Settings,
) -> Outcome:
    """Train every replica from its start under its mask (bool, (R, out, in)); pruned weights are exactly zero.

    A replica whose loss or weights stop being finite is recorded as diverged, with null metrics from then on. A
    replica that starts from values that aren't finite (its chain diverged earlier) is diverged from step 0.
    """
    # Pages of threads cost more than they give at these sizes, and one thread makes a run independent of the cores.
    torch.set_num_threads(1)
    split = {name: (getattr(data, f"{name}_x"), getattr(data, f"{name}_y")) for name in SPLITS}
    runs = [
        _train_one(
            network,
            start.parameters.masked(masks).replica(i),
            start.reference.masked(masks).replica(i),
            [m[i : i + 1] for m in masks],
            split,
            seed,
            settings,
        )
        for i, seed in enumerate(seeds)
    ]
    return Outcome(
        Parameters.stack([run.parameters for run in runs]),
        {name: np.concatenate([run.history[name] for run in runs]) for name in runs[0].history},
        {step: Parameters.stack([run.snapshots[step] for run in runs]) for step in settings.snapshot_at},
        np.concatenate([run.diverged for run in runs]),
    )


def _train_one(network, start, reference, mask, split, seed, settings) -> Outcome:
    replica = Replica(network, start, mask, settings)
    x, y = torch.from_numpy(split["train"][0]), split["train"][1]
    # theta_ref never changes while a mask is fixed, so its outputs are computed once, not once a step.
    offsets = {name: _reference(network, reference, mask, xs, settings) for name, (xs, _) in split.items()}
    offset = offsets["train"].numpy()
    order = torch.from_numpy(data_order(seed, len(x), settings.batch_size, settings.steps, settings.behind))
    rows, snapshots, diverged = [], {}, not start.finite().all()
    for step in range(settings.steps + 1):
        if step in settings.snapshot_at:
            snapshots[step] = replica.parameters()
        if step in settings.evaluate_at:
            last = step == settings.steps
            metrics = {name: _evaluate(replica, name, *split[name], offsets[name], settings, last) for name in SPLITS}
            diverged |= not all(np.isfinite(loss) for loss, _ in metrics.values())
            for name, (loss, accuracy) in metrics.items():
                rows.append((seed, step, name, None if diverged else loss, None if diverged else accuracy))
        if step < settings.steps and not diverged:
            replica.step(x, y, offset, order[step])
    parameters = replica.parameters()
    diverged |= not parameters.finite().all()
    columns = zip(*rows, strict=True)
    types = (np.int32, np.int32, object, np.float64, np.float64)
    names = ("seed", "step", "split", "loss", "accuracy")
    history = {name: np.array(c, dtype) for name, c, dtype in zip(names, columns, types, strict=True)}
    return Outcome(parameters, history, snapshots, np.array([diverged]))


def data_order(seed: int, samples: int, batch_size: int, steps: int, behind: int = 0) -> np.ndarray:
    """Indices of the batches of steps behind ... behind + steps - 1 of an endless stream of epochs, (steps, batch).

    Every epoch is a permutation from a generator of its own (seed, "order", epoch), cut into whole batches.
    Raises FeatpruneError where the batch is larger than the training split.
    """
    if batch_size > samples:
        raise FeatpruneError(f"training.batch_size: {batch_size} is larger than the training split ({samples} samples)")
    per_epoch = samples // batch_size
    first, last = behind // per_epoch, (behind + steps - 1) // per_epoch
    epochs = [
        numpy_generator(seed, "order", epoch).permutation(samples)[: per_epoch * batch_size]
        for epoch in range(first, last + 1)
    ]
    stream = np.concatenate(epochs).reshape(-1, batch_size)
    return stream[behind - first * per_epoch :][:steps]


def _reference(network, reference, mask, x, settings) -> torch.Tensor:
    """h(x; m*theta_ref) of every sample of a split (n, outputs); zeros where f isn't centered."""
    x = torch.from_numpy(x)
    if not settings.center:
        return torch.zeros(len(x), network.widths[-1], dtype=x.dtype)
    return Replica(network, reference, mask, settings).output(x)


def _evaluate(replica, name, x, y, offset, settings, last: bool) -> tuple[float, float]:
    """Loss and accuracy (NaN for regression) of f on a split, or on its first samples."""
    whole = last and name != "train"
    n = len(x) if whole else min(len(x), settings.evaluation_samples or len(x))
    f = settings.alpha * (replica.output(torch.from_numpy(x[:n])) - offset[:n])
    y = torch.from_numpy(y[:n])
    if settings.loss == "cross_entropy":
        loss = torch.nn.functional.cross_entropy(f, y)
        accuracy = (f.argmax(1) == y).double().mean()
    else:
        loss, accuracy = torch.nn.functional.mse_loss(f, y), torch.tensor(torch.nan)
    return float(loss), float(accuracy)
