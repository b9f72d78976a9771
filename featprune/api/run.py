"""One finished run of a study: its arrays and tables, read when they are first used."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from featprune.api.outcome import RunOutcome
from featprune.errors import FeatpruneError
from featprune.features.preactivations import read_preactivations
from featprune.network import Parameters
from featprune.pruning.masks import Masks
from featprune.runs.files import Run as Arrays
from featprune.runs.files import load_mask, load_run, load_snapshots
from featprune.runs.paths import DENSITY, HISTORY, MASK, PREACTIVATIONS, SNAPSHOTS, WEIGHTS, RunPath
from featprune.tables.frames import AXES
from featprune.tables.reading import read_runs

NUMBERS = ("alpha", "lr", "round")


@dataclass(frozen=True, eq=False)
class Run(RunOutcome):
    """A run of one cell and round, all its seeds stacked on the leading axis (R) in ascending order; a `RunOutcome`.

    folder: of the study's results. places: where its blocks of seeds lie.
    """

    folder: Path
    places: Sequence[RunPath]

    def __repr__(self) -> str:
        named = ", ".join(f"{axis}={value}" for axis, value in self.axes.items())
        return f"<run {self.places[0].cell.experiment}: {named}, {len(self.seeds)} seeds>"

    @property
    def axes(self) -> dict[str, Any]:
        """alpha, lr (float), criterion, rewind (str), round (int)."""
        found = self.places[0].axes()
        return {axis: found[axis] for axis in AXES}

    @property
    def seeds(self) -> list[int]:
        """The seeds, in the order of the leading axis."""
        return [seed for place in self.places for seed in place.seeds]

    @cached_property
    def _arrays(self) -> list[Arrays]:
        files = zip(self.files(MASK), self.files(WEIGHTS), strict=True)
        return [load_run(*pair, place.seeds) for pair, place in zip(files, self.places, strict=True)]

    @cached_property
    def masks(self) -> Masks:
        """Which weights survive, bool (R, out, in) a layer, the output layer last; reads no weights."""
        blocks = [
            load_mask(file, place.seeds)[1].layers for file, place in zip(self.files(MASK), self.places, strict=True)
        ]
        return [np.concatenate(layer) for layer in zip(*blocks, strict=True)]

    @cached_property
    def parameters(self) -> Parameters:
        """Weights and biases after training."""
        return Parameters.stack([block.parameters for block in self._arrays])

    @cached_property
    def snapshots(self) -> dict[int, Parameters]:
        """Step -> weights and biases there; raises FeatpruneError unless keep_snapshots was true."""
        if not all(file.exists() for file in self.files(SNAPSHOTS)):
            raise FeatpruneError(f"{self!r}: its snapshots are deleted; set keep_snapshots: true and train it again")
        pairs = zip(self.files(SNAPSHOTS), self.files(MASK), strict=True)
        blocks = [load_snapshots(*pair)[1] for pair in pairs]
        return {step: Parameters.stack([block[step] for block in blocks]) for step in blocks[0]}

    @cached_property
    def history(self) -> pd.DataFrame:
        """A row a seed, step and split: loss (mean over samples) and accuracy (a share; NaN in a regression).

        The validation split along training, all splits at the last step, and the test split at the early stop.
        """
        return read_runs(map(str, self.files(HISTORY)))

    @cached_property
    def layer_density(self) -> pd.DataFrame:
        """A row a seed and layer (from 1): weights, and weights_remaining."""
        return read_runs(map(str, self.files(DENSITY)))

    @cached_property
    def preactivations(self) -> Preactivations:
        """Preactivations on the probe set by (layer, step); raises FeatpruneError where they weren't studied."""
        files = self.files(PREACTIVATIONS)
        if not all(file.exists() for file in files):
            way = "put its round into features.rounds (dense networks, and criterion magnitude)"
            raise FeatpruneError(f"{self!r}: no preactivations were saved; {way}")
        return Preactivations(files)

    def files(self, name: str) -> list[Path]:
        """The file of this name of each block of seeds, whether it is there or not."""
        return [Path(place.file(str(self.folder), name)) for place in self.places]


class Preactivations(Mapping[tuple[int, int], np.ndarray]):
    """(layer, step) -> H, float32 (R, P, N): N preactivations on P probe samples of R seeds.

    Layers count from 1, the last is the raw output h; steps are those of `training.snapshot_steps`. All is read when
    the first matrix is asked for.
    """

    def __init__(self, files: Sequence[Path]) -> None:
        self._files = files

    @cached_property
    def _read(self) -> tuple[np.ndarray, dict[tuple[int, int], np.ndarray]]:
        found: dict[tuple[int, int], list[np.ndarray]] = {}
        probe = np.zeros(0, np.int32)
        for file in self._files:
            for _, layer, step, samples, h in read_preactivations(file):
                found.setdefault((layer, step), []).append(h)
                probe = samples  # the same everywhere
        return probe, {place: np.stack(found[place]) for place in sorted(found)}

    @property
    def probe(self) -> np.ndarray:
        """Indices of the probe's samples in the test split, (P,)."""
        return self._read[0]

    def __getitem__(self, place: tuple[int, int]) -> np.ndarray:
        try:
            return self._read[1][place]
        except KeyError:
            layers, steps = (sorted(set(axis)) for axis in zip(*self, strict=True))
            there = f"there are layers {layers} and steps {steps}"
            raise FeatpruneError(f"no preactivations at (layer, step) {place}; {there}") from None

    def __contains__(self, place: object) -> bool:
        return place in self._read[1]

    def __iter__(self) -> Iterator[tuple[int, int]]:
        return iter(self._read[1])

    def __len__(self) -> int:
        return len(self._read[1])


def grouped(places: Iterable[RunPath]) -> list[list[RunPath]]:
    """The blocks of seeds of each run, by its axes."""
    found: dict[tuple, list[RunPath]] = {}
    for place in sorted(places, key=lambda place: place.seeds):
        found.setdefault(tuple(place.axes().values()), []).append(place)
    return [found[axes] for axes in sorted(found)]


def matches(axes: Mapping[str, Any], wanted: Mapping[str, Any]) -> bool:
    """Whether a run's axes have these values, or of a list one of them; numbers may be written as strings."""

    def same(axis: str, value: Any) -> bool:
        try:
            return axes[axis] == (float(value) if axis in NUMBERS else value)
        except (TypeError, ValueError):
            raise FeatpruneError(f"{axis}: {value!r} is not a number") from None

    return all(
        any(same(axis, value) for value in (values if isinstance(values, (list, tuple)) else [values]))
        for axis, values in wanted.items()
    )


def describe(wanted: Mapping[str, Any], found: Sequence[Run], known: Mapping[str, Sequence[Any]]) -> str:
    """Why these values of axes name no run, or more than one."""
    named = ", ".join(f"{axis}={value!r}" for axis, value in wanted.items()) or "no axis"
    values = {axis: sorted({run.axes[axis] for run in found}) for axis in AXES} if found else known
    listing = "; ".join(f"{axis}: {', '.join(map(str, some))}" for axis, some in values.items() if len(some) > 1)
    if found:
        return f"{len(found)} runs at {named}; name one of {listing}"
    return f"no run at {named}; there are {listing or 'none on disk'}"
