"""Checkpoints: a training job that is killed and started again goes on from where it was, to the same bits.

A job trains networks one after the other, in an order that its params and inputs fix. Started again it runs the same
code; each training (`fit`) asks by its number for what was kept of it, and goes on from there: one that had ended, from
its end. What is kept of other code, params or inputs is of another job, and isn't used.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np

from featprune.errors import FeatpruneError
from featprune.storage import load_arrays, save_arrays, sha256

Arrays = dict[str, np.ndarray]
ROOM = 256_000_000  # bytes of trainings that have ended and wait in memory for the next checkpoint
KEY = "job"  # the array that names the job


@dataclass
class Job:
    """What is kept of a job.

    folder: where, a file a training. seconds: from one checkpoint to the next. identity: what the job is, as JSON.
    files: its inputs, whose content is part of that.
    """

    folder: Path
    seconds: float
    identity: Any
    files: list[Path]
    begun: int = 0
    written: float = field(default_factory=perf_counter)
    waiting: dict[int, Arrays] = field(default_factory=dict)
    held: int = 0

    @cached_property
    def key(self) -> np.ndarray:
        """A hash of the identity and of what the inputs hold; taken when there is something to keep or to find."""
        total = hashlib.sha256(json.dumps(self.identity, sort_keys=True, default=str).encode())
        for path in self.files:
            total.update(sha256(path).encode())
        return np.frombuffer(total.digest(), np.uint8)

    def find(self, number: int) -> Arrays | None:
        """What was kept of a training; None where there is nothing of this job that can be read."""
        path = self.folder / f"{number}.safetensors"
        if not path.exists():
            return None
        try:
            arrays = load_arrays(path)
        except FeatpruneError:
            return None
        return arrays if np.array_equal(arrays.pop(KEY, ()), self.key) else None

    def wait(self, number: int, arrays: Arrays) -> None:
        """Have a training's state written the next time."""
        self.waiting[number] = arrays
        self.held += sum(array.nbytes for array in arrays.values())

    def write(self) -> None:
        """Write what waits."""
        for number, arrays in self.waiting.items():
            save_arrays(self.folder / f"{number}.safetensors", arrays | {KEY: self.key})
        self.waiting.clear()
        self.held, self.written = 0, perf_counter()


class Training:
    """What a training knows of its checkpoints; without a job there are none."""

    def __init__(self, job: Job | None) -> None:
        self.job, self.number = job, job.begun if job else 0
        if job:
            job.begun += 1

    def found(self) -> Arrays | None:
        """What was kept of it in an earlier process."""
        return self.job.find(self.number) if self.job else None

    def due(self, now: float) -> bool:
        """Whether it is time to keep the state, `now` being a time of `perf_counter`."""
        return self.job is not None and now - self.job.written >= self.job.seconds

    def keep(self, state: Arrays) -> None:
        """Keep the state, and those of the trainings that have ended."""
        if self.job:
            self.job.wait(self.number, state)
            self.job.write()

    def end(self, state: Callable[[], Arrays]) -> None:
        """It has ended: its state is kept with the next checkpoint, or now if it is time to or no room to wait."""
        if self.job:
            self.job.wait(self.number, state())
            if self.job.held > ROOM or self.due(perf_counter()):
                self.job.write()


_job: ContextVar[Job | None] = ContextVar("job", default=None)


def begin() -> Training:
    """The next training of the job that runs."""
    return Training(_job.get())


@contextmanager
def resumable(
    folder: str | Path, minutes: float | None, identity: Mapping[str, Any], files: Iterable[str | Path]
) -> Iterator[None]:
    """What is trained meanwhile is kept in the folder every so many minutes (None: never), until the job has ended.

    identity: all that the job depends on besides the content of the files, as plain data.
    """
    if minutes is None:
        yield
        return
    before = _job.set(Job(Path(folder), 60 * minutes, identity, [Path(file) for file in files]))
    try:
        yield
    finally:
        _job.reset(before)
    shutil.rmtree(folder, ignore_errors=True)
