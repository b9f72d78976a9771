"""The data of a run beside its reference outputs, what networks are measured by on it, and when."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import torch
from torch import Tensor

from featprune.datasets.dataset import Dataset
from featprune.engine.distillation import Target
from featprune.engine.objective import Objective
from featprune.network import Parameters

SPLITS = ("train", "validation", "test")
Output = Callable[[Tensor], Tensor]  # h of all samples: inputs (n, in) -> (R, n, outputs)

HISTORY: dict[str, Any] = {
    "seed": np.int32,
    "step": np.int32,
    "split": object,
    "loss": np.float64,
    "accuracy": np.float64,
}


@dataclass(frozen=True, eq=False)
class Split:
    """One split: inputs x (n, in), labels y, and the output of the reference network, or zeros (`no_reference`).

    targets: what a network that trains on it is pulled to.
    """

    x: Tensor
    y: Tensor
    output: Output
    targets: tuple[Target, ...] = ()

    @cached_property
    def reference(self) -> Tensor:
        """h(x; m*theta_ref), (R, n, outputs): fixed while the mask is, so computed once, when it is first used."""
        return self.output(self.x)

    def __len__(self) -> int:
        return len(self.x)


def split_data(data: Dataset, reference: Output) -> dict[str, Split]:
    """The splits by name, beside their reference outputs."""
    tensors = {name: [torch.from_numpy(getattr(data, f"{name}_{part}")) for part in "xy"] for name in SPLITS}
    return {name: Split(x, y, reference) for name, (x, y) in tensors.items()}


def no_reference(replicas: int, outputs: int) -> Output:
    """The reference output of an f that isn't centered."""
    return lambda x: x.new_zeros(replicas, len(x), outputs)


def evaluate(
    output: Output, split: Split, objective: Objective, samples: int | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """Mean loss and accuracy of each replica, float64 (R,), on the split's first samples (None: on all)."""
    h = output(split.x[:samples])
    return objective.metrics(objective.f(h, split.reference[:, :samples]), split.y[:samples])


class Record:
    """What evaluations find along a run: the rows of its history, who diverged, and where the early stop is.

    On the way only the validation split is looked at. At the last step all are; of the training split as many samples
    as of validation. The test split is looked at once more: at the early stop, the step of the least validation loss.
    """

    def __init__(
        self, data: Mapping[str, Split], seeds: Sequence[int], objective: Objective, diverged: np.ndarray
    ) -> None:
        self.data, self.seeds, self.objective, self.diverged = data, seeds, objective, diverged
        self.rows: list[tuple] = []
        self.least, self.step = np.full(len(seeds), np.inf), np.zeros(len(seeds), int)
        self.stopped: Parameters | None = None

    def look(self, step: int, output: Output, parameters: Callable[[], Parameters], samples: int | None) -> np.ndarray:
        """Evaluate the validation split's first samples (None: all), and keep the parameters of those who are best.

        Returns the losses (R,), NaN of replicas that have diverged.
        """
        loss = self._evaluate("validation", step, output, samples)
        better = loss < self.least
        if better.any():
            now = parameters()
            self.stopped = now if self.stopped is None else now.where(better, self.stopped)
            self.least, self.step = np.where(better, loss, self.least), np.where(better, step, self.step)
        return loss

    def finish(self, step: int, output: Output, samples: int | None, output_of: Callable[[Parameters], Output]) -> None:
        """Evaluate the last step, after `look` at all of the validation split; output_of: of other parameters."""
        self._evaluate("train", step, output, samples or len(self.data["validation"]))
        self._evaluate("test", step, output, None)
        earlier = ~self.diverged & (self.step < step)
        if earlier.any() and self.stopped is not None:
            loss, accuracy = evaluate(output_of(self.stopped), self.data["test"], self.objective)
            for i in np.flatnonzero(earlier).tolist():
                self.rows.append((self.seeds[i], int(self.step[i]), "test", loss[i], accuracy[i]))

    def _evaluate(self, name: str, step: int, output: Output, samples: int | None) -> np.ndarray:
        """The losses (R,) of a split, NaN of replicas that have diverged, which go into the history."""
        loss, accuracy = evaluate(output, self.data[name], self.objective, samples)
        self.diverged = self.diverged | ~np.isfinite(loss)
        loss, accuracy = (np.where(self.diverged, np.nan, value) for value in (loss, accuracy))
        self.rows += zip(self.seeds, [step] * len(self.seeds), [name] * len(self.seeds), loss, accuracy, strict=True)
        return loss

    def state(self) -> dict[str, np.ndarray]:
        """What has been found so far."""
        rows = [(seed, step, SPLITS.index(name), *values) for seed, step, name, *values in self.rows]
        best = {} if self.stopped is None else self.stopped.named()
        found = {"rows": np.array(rows, float).reshape(-1, len(HISTORY)), "least": self.least, "step": self.step}
        return {**found, "diverged": self.diverged, **best}

    def restore(self, state: Mapping[str, np.ndarray]) -> None:
        """Go on from a state."""
        self.rows = [(int(seed), int(step), SPLITS[int(name)], *rest) for seed, step, name, *rest in state["rows"]]
        self.least, self.step, self.diverged = (state[name].copy() for name in ("least", "step", "diverged"))
        self.stopped = Parameters.from_named(state)

    def history(self) -> dict[str, np.ndarray]:
        """The columns of HISTORY, by seed, step and split."""
        place = {seed: i for i, seed in enumerate(self.seeds)}
        rows = sorted(self.rows, key=lambda row: (place[row[0]], row[1], SPLITS.index(row[2])))
        return {name: np.array([row[i] for row in rows], kind) for i, (name, kind) in enumerate(HISTORY.items())}
