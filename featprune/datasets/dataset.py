"""A prepared dataset, as one file that a job can memory-map."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from pathlib import Path

import numpy as np

from featprune.errors import FeatpruneError, unreadable
from featprune.storage import load_arrays, save_arrays

LABELLED = ("train_y", "validation_y", "test_y", "teacher")  # what a teacher of each seed's own changes


@dataclass(frozen=True, eq=False)
class Dataset:
    """Three splits of inputs (n, inputs) float32 with their labels.

    Labels are int64 (n,) for classification and float32 (n, outputs) for regression. `teacher` is the units
    (units, inputs) float32 of the network that generated the labels, if one did. Where seeds have labels and teachers
    of their own, both have a leading axis over them (T, ...), and `of` gives those of a seed.
    """

    train_x: np.ndarray
    train_y: np.ndarray
    validation_x: np.ndarray
    validation_y: np.ndarray
    test_x: np.ndarray
    test_y: np.ndarray
    teacher: np.ndarray | None = None

    @property
    def drawn(self) -> bool:
        """Whether each seed has labels of its own."""
        return self.train_y.ndim == 3

    def of(self, seed: int) -> Dataset:
        """The dataset that a seed sees: with its own labels and teacher (seeds T apart share them), or all of it."""
        if not self.drawn:
            return self
        own = {name: getattr(self, name)[seed % len(self.train_y)] for name in LABELLED}
        return replace(self, **own)

    @property
    def inputs(self) -> int:
        """Numbers in one input."""
        return self.train_x.shape[1]

    @property
    def classification(self) -> bool:
        """Whether the labels are classes rather than numbers to regress on."""
        return np.issubdtype(self.train_y.dtype, np.integer)

    @property
    def outputs(self) -> int:
        """Number of classes, or of regression targets."""
        if self.classification:
            return 1 + max(int(y.max()) for y in (self.train_y, self.validation_y, self.test_y))
        return self.train_y.shape[-1]

    def save(self, path: str | Path) -> None:
        """Write one safetensors file: a tensor a field, and `outputs` as int64 (1,)."""
        arrays = {f.name: getattr(self, f.name) for f in fields(self) if getattr(self, f.name) is not None}
        save_arrays(path, arrays | {"outputs": np.array([self.outputs])})


def load_dataset(path: str | Path) -> Dataset:
    """Map what `Dataset.save` wrote into memory; raises FeatpruneError naming the file if it isn't that."""
    arrays = load_arrays(path, mapped=True)
    try:
        del arrays["outputs"]
        data = Dataset(**arrays)
        check_dataset(data)
        return data
    except (LookupError, TypeError, ValueError) as error:
        raise FeatpruneError(unreadable(path, error)) from error


def check_dataset(data: Dataset) -> None:
    """Raise ValueError unless each split has as many labels as samples, and all have as many inputs and outputs."""
    for split in ("train", "validation", "test"):
        x, y = getattr(data, f"{split}_x"), getattr(data, f"{split}_y")
        samples = y.shape[1] if y.ndim == 3 else len(y)
        if x.ndim != 2 or x.shape[1] != data.inputs or samples != len(x) or y.shape[2:] != data.train_y.shape[2:]:
            raise ValueError(f"{split} inputs of shape {x.shape}, and labels of shape {y.shape}")
