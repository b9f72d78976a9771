"""Training: one loop for dense and pruned networks, replica by replica, so that no seed depends on its block."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from time import perf_counter
from typing import Protocol

import numpy as np
import torch
from torch import Tensor

from featprune.datasets.dataset import Dataset
from featprune.engine.checkpoint import begin
from featprune.engine.distillation import make_targets
from featprune.engine.evaluation import HISTORY, Output, Record, Split, no_reference, split_data
from featprune.engine.linearized import Linearized, LinearizedReplica
from featprune.engine.progress import Teller, turn
from featprune.engine.replica import Replica
from featprune.engine.settings import Settings, Start
from featprune.engine.stack import Stack
from featprune.errors import FeatpruneError
from featprune.network import MLP, Parameters
from featprune.randomness import numpy_generator


class Trainee(Protocol):
    """R networks being trained together, and the state of their optimizer."""

    def bind(self, data: Split, order: Tensor) -> None:
        """Take the training data, and the batches' indices into it, (R, steps, B)."""

    def step(self) -> None:
        """The next step of every network, each on its own batch."""

    def output(self, x: Tensor) -> Tensor:
        """h(x) of all samples, (R, n, outputs), on the CPU."""

    def parameters(self) -> Parameters:
        """Copies of the present values, with exact zeros where a weight is pruned."""

    def state(self) -> dict[str, np.ndarray]:
        """All that lasts from step to step, as it lies in memory."""

    def restore(self, state: Mapping[str, np.ndarray]) -> None:
        """Go on from a state."""


@dataclass
class Outcome:
    """What a run leaves: final parameters (R, ...), history columns, snapshots, and which replicas diverged (R,)."""

    parameters: Parameters
    history: dict[str, np.ndarray]
    snapshots: dict[int, Parameters]
    diverged: np.ndarray

    def numbered_from(self, first: int) -> Outcome:
        """The same with steps that are numbered from another number than 0."""
        history = self.history | {"step": self.history["step"] + first}
        snapshots = {step + first: parameters for step, parameters in self.snapshots.items()}
        return replace(self, history=history, snapshots=snapshots)


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

    On a CPU replicas train one after the other, so that a seed's result doesn't depend on its block, and so they do
    where each has labels of its own; otherwise they train stacked, as one batched computation. A replica whose loss or
    weights stop being finite is recorded as diverged, with null metrics from then on, and so is one that starts from
    such values (its chain diverged earlier).
    """
    # More threads cost more than they give at these sizes, and one makes a run independent of the cores.
    torch.set_num_threads(1)
    alone = device == "cpu" or data.drawn
    groups = [[i] for i in range(len(seeds))] if alone else [list(range(len(seeds)))]
    runs = []
    for number, group in enumerate(groups, 1):
        own, chosen = start.replicas(group), [seeds[i] for i in group]
        seen = data.of(chosen[0])
        with turn(number, len(groups), settings.steps):
            runs.append(_train_group(network, own, [m[group] for m in masks], seen, chosen, settings, device))
    return Outcome(
        Parameters.stack([run.parameters for run in runs]),
        {name: np.concatenate([run.history[name] for run in runs]) for name in HISTORY},
        {step: Parameters.stack([run.snapshots[step] for run in runs]) for step in settings.snapshot_at},
        np.concatenate([run.diverged for run in runs]),
    )


def _train_group(
    network: MLP,
    start: Start,
    masks: Sequence[np.ndarray],
    data: Dataset,
    seeds: Sequence[int],
    settings: Settings,
    device: str,
) -> Outcome:
    """Train replicas together."""
    if settings.linearize:
        network = Linearized.around(network, start.reference.masked(masks))

    def trainee(parameters: Parameters) -> Trainee:
        if device == "cpu" and isinstance(network, Linearized):
            return LinearizedReplica(network, parameters, masks, settings)
        if device == "cpu":
            return Replica(network, parameters, masks, settings)
        return Stack.pruned(network, parameters, masks, settings, device)

    def output_of(parameters: Parameters) -> Output:
        return trainee(parameters).output

    reference = output_of(start.reference) if settings.center else no_reference(len(seeds), network.widths[-1])
    splits = split_data(data, reference)
    if settings.teacher:
        if start.teacher is None:
            raise ValueError("this run learns from the dense network, and was given none")
        targets = make_targets(network, start.teacher, settings.teacher, splits["train"].x)
        splits["train"] = replace(splits["train"], targets=targets)
    return fit(trainee(start.parameters), splits, seeds, settings, output_of)


@contextmanager
def small_numbers_as_zero() -> Iterator[None]:
    """Flush numbers below the normal range of floats to zero, where the CPU can.

    The gradients of weights behind a dead unit are exactly zero, so their moments decay through that range for hundreds
    of steps, in which arithmetic is many times slower: a rich network on MNIST trains at half the speed by it.
    """
    torch.set_flush_denormal(True)
    try:
        yield
    finally:
        torch.set_flush_denormal(False)


@small_numbers_as_zero()
def fit(
    trainee: Trainee,
    data: Mapping[str, Split],
    seeds: Sequence[int],
    settings: Settings,
    output_of: Callable[[Parameters], Output] | None = None,
) -> Outcome:
    """The loop: train networks from where they are for `settings.steps` steps, each on the batches of its seed.

    History and snapshots are as the settings ask for; `output_of`, of other parameters than the present ones, is needed
    where there is a history. A run of more than some seconds tells in the job's log how far it is.
    """
    begun, stepping, evaluating = perf_counter(), 0.0, 0.0
    record = Record(data, seeds, settings.objective, ~trainee.parameters().finite())
    snapshots: dict[int, Parameters] = {}
    checkpoint = begin()
    first = restore(checkpoint.found(), trainee, record, snapshots)
    if first <= settings.steps:
        batches = (len(data["train"]), settings.batch_size, settings.steps, settings.behind)
        order = np.stack([data_order(seed, *batches, *settings.order) for seed in seeds])
        trainee.bind(data["train"], torch.from_numpy(order))
    loss, teller = np.full(len(seeds), np.nan), Teller(seeds, settings.steps, first)
    for step in range(first, settings.steps + 1):
        if step in settings.snapshot_at:
            snapshots[step] = trainee.parameters()
        if step in settings.evaluate_at:
            before, last = perf_counter(), step == settings.steps
            loss = record.look(step, trainee.output, trainee.parameters, None if last else settings.evaluation_samples)
            if last and output_of is not None:
                record.finish(step, trainee.output, settings.evaluation_samples, output_of)
            evaluating += perf_counter() - before
        if step < settings.steps and not record.diverged.all():
            before = perf_counter()
            trainee.step()
            now = perf_counter()
            stepping += now - before
            teller.look(step + 1, now, loss)
            if checkpoint.due(now):
                checkpoint.keep(state_of(step + 1, trainee, record, snapshots))
    checkpoint.end(partial(state_of, settings.steps + 1, trainee, record, snapshots))
    # For the job's log; `python -m benchmarks.account` adds these up.
    taken = max(0, settings.steps - first)
    spent = f"{taken} steps in {stepping:.3f} s, evaluations in {evaluating:.3f} s"
    print(f"seeds {list(seeds)}: {spent}, all in {perf_counter() - begun:.3f} s", flush=True)
    parameters = trainee.parameters()
    return Outcome(parameters, record.history(), snapshots, record.diverged | ~parameters.finite())


def state_of(step: int, trainee: Trainee, record: Record, snapshots: Mapping[int, Parameters]) -> dict[str, np.ndarray]:
    """All that the loop goes on with at a step, as named arrays, some of which change with the next step."""
    parts = {"trainee": trainee.state(), "record": record.state()}
    parts |= {f"snapshot{taken}": parameters.named() for taken, parameters in snapshots.items()}
    return {"step": np.array(step)} | {f"{part}.{name}": a for part, held in parts.items() for name, a in held.items()}


def restore(
    state: Mapping[str, np.ndarray] | None, trainee: Trainee, record: Record, snapshots: dict[int, Parameters]
) -> int:
    """Put a state back; returns the step that it goes on with, the first one where there is none."""
    if state is None:
        return 0
    parts: dict[str, dict[str, np.ndarray]] = {}
    for name, array in state.items():
        part, _, rest = name.partition(".")
        parts.setdefault(part, {})[rest] = array
    step = int(parts.pop("step")[""])
    trainee.restore(parts.pop("trainee"))
    record.restore(parts.pop("record"))
    for part, held in parts.items():
        parameters = Parameters.from_named(held)
        assert parameters is not None
        snapshots[int(part.removeprefix("snapshot"))] = parameters
    print(f"seeds {list(record.seeds)}: on from step {step} of a checkpoint", flush=True)
    return step


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
