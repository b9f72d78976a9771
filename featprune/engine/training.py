"""Training: one loop for dense and pruned networks, replica by replica, so that no seed depends on its block.

f(x) = alpha * [h(x; m*theta) - h(x; m*theta_ref)] is trained on loss(f, y) / alpha^2 (Chizat et al. 2019). With SGD
the 1/alpha^2 keeps the speed in function space independent of alpha; Adam ignores the scale of the loss, so its
learning rate is divided by alpha instead.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from time import perf_counter

import numpy as np
import torch

from featprune.datasets.dataset import Dataset
from featprune.engine.replica import Replica
from featprune.engine.settings import Settings, Start
from featprune.engine.stack import Stack, replica_losses
from featprune.errors import FeatpruneError
from featprune.network import MLP, Parameters
from featprune.randomness import numpy_generator

SPLITS = ("train", "validation", "test")
HISTORY = {"seed": np.int32, "step": np.int32, "split": object, "loss": np.float64, "accuracy": np.float64}


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
    device: str = "cpu",
) -> Outcome:
    """Train every replica from its start under its mask (bool, (R, out, in)); pruned weights are exactly zero.

    On a CPU replicas train one after the other, so that a seed's result doesn't depend on its block; on another device
    they train stacked, as one batched computation. A replica whose loss or weights stop being finite is recorded as
    diverged, with null metrics from then on, and so is one that starts from such values (its chain diverged earlier).
    """
    # More threads cost more than they give at these sizes, and one makes a run independent of the cores.
    torch.set_num_threads(1)
    start = Start(start.parameters.masked(masks), start.reference.masked(masks))
    groups = [[i] for i in range(len(seeds))] if device == "cpu" else [list(range(len(seeds)))]
    runs = [
        _train_group(
            network,
            Start(start.parameters.replicas(group), start.reference.replicas(group)),
            [m[group] for m in masks],
            data,
            [seeds[i] for i in group],
            settings,
            device,
        )
        for group in groups
    ]
    return Outcome(
        Parameters.stack([run.parameters for run in runs]),
        {name: np.concatenate([run.history[name] for run in runs]) for name in runs[0].history},
        {step: Parameters.stack([run.snapshots[step] for run in runs]) for step in settings.snapshot_at},
        np.concatenate([run.diverged for run in runs]),
    )


def choose_device(name: str) -> str:
    """The device that the config's `device` means here; raises FeatpruneError where there is no such device."""
    if name == "cuda" and not torch.cuda.is_available():
        raise FeatpruneError("device: cuda, but torch finds no GPU here; use auto or cpu")
    return ("cuda" if torch.cuda.is_available() else "cpu") if name == "auto" else name


def _train_group(network, start, masks, data, seeds, settings, device) -> Outcome:
    """Train replicas together on one engine."""

    def engine(parameters: Parameters) -> Replica | Stack:
        if device == "cpu":
            return Replica(network, parameters, masks, settings)
        return Stack(network, parameters, masks, settings, device)

    x = {name: torch.from_numpy(getattr(data, f"{name}_x")) for name in SPLITS}
    y = {name: torch.from_numpy(getattr(data, f"{name}_y")) for name in SPLITS}
    # theta_ref never changes while a mask is fixed, so its outputs are computed once, not once a step.
    if settings.center:
        reference = engine(start.reference)
        offset = {name: reference.output(x[name]) for name in SPLITS}
    else:
        offset = {name: torch.zeros(len(seeds), len(x[name]), network.widths[-1], dtype=x[name].dtype) for name in x}
    batches = (settings.batch_size, settings.steps, settings.behind)
    order = np.stack([data_order(seed, len(x["train"]), *batches, *settings.order) for seed in seeds])
    running = engine(start.parameters)
    running.bind(x["train"], y["train"], offset["train"], torch.from_numpy(order))

    diverged, snapshots, rows, begun, stepping = ~start.parameters.finite(), {}, [], perf_counter(), 0.0
    for step in range(settings.steps + 1):
        if step in settings.snapshot_at:
            snapshots[step] = running.parameters()
        if step in settings.evaluate_at:
            metrics = {}
            for name in SPLITS:
                whole = step == settings.steps and name != "train"
                n = len(x[name]) if whole else min(len(x[name]), settings.evaluation_samples or len(x[name]))
                f = settings.alpha * (running.output(x[name][:n]) - offset[name][:, :n])
                metrics[name] = _measure(settings.loss, f, y[name][:n])
            diverged = diverged | ~np.all([np.isfinite(loss) for loss, _ in metrics.values()], axis=0)
            for name, values in metrics.items():
                loss, accuracy = (np.where(diverged, np.nan, value) for value in values)
                rows += zip(seeds, [step] * len(seeds), [name] * len(seeds), loss, accuracy, strict=True)
        if step < settings.steps and not diverged.all():
            before = perf_counter()
            running.step()
            stepping += perf_counter() - before
    # For the job's log; `python -m benchmarks.account` adds these up.
    print(
        f"seeds {seeds}: {settings.steps} steps in {stepping:.3f} s, all in {perf_counter() - begun:.3f} s", flush=True
    )
    parameters = running.parameters()
    # By seed, and by step and split as they were made: the sort is stable.
    columns = zip(*sorted(rows, key=lambda row: row[0]), strict=True)
    history = {name: np.array(c, kind) for (name, kind), c in zip(HISTORY.items(), columns, strict=True)}
    return Outcome(parameters, history, snapshots, diverged | ~parameters.finite())


def _measure(loss: str, f: torch.Tensor, y: torch.Tensor) -> tuple[np.ndarray, np.ndarray]:
    """Loss and accuracy (NaN for regression) of each replica: f (R, n, outputs), y (n,) or (n, outputs)."""
    losses = replica_losses(loss, f, y).double().numpy()
    if loss == "squared_error":
        return losses, np.full_like(losses, np.nan)
    return losses, (f.argmax(2) == y).double().mean(1).numpy()


def data_order(seed: int, samples: int, batch_size: int, steps: int, behind: int = 0, *purpose: str) -> np.ndarray:
    """Indices of the batches of steps behind ... behind + steps - 1 of an endless stream of epochs, (steps, batch).

    Every epoch is a permutation from a generator of its own (seed, "order", *purpose, epoch), cut into whole batches.
    Raises FeatpruneError where the batch is larger than the training split.
    """
    if batch_size > samples:
        raise FeatpruneError(f"training.batch_size: {batch_size} is larger than the training split ({samples} samples)")
    per_epoch = samples // batch_size
    first, last = behind // per_epoch, (behind + steps - 1) // per_epoch
    epochs = [
        numpy_generator(seed, "order", *purpose, epoch).permutation(samples)[: per_epoch * batch_size]
        for epoch in range(first, last + 1)
    ]
    stream = np.concatenate(epochs).reshape(-1, batch_size)
    return stream[behind - first * per_epoch :][:steps]
