"""A training job: its log says where it runs, and beside the log it keeps what it has trained."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from featprune.engine.checkpoint import resumable
from featprune.jobs.machine import machine_line


@contextmanager
def training_job(
    log: str | Path, minutes: float | None, identity: Mapping[str, Any], files: Iterable[str | Path]
) -> Iterator[None]:
    """Train meanwhile, resumably: see `resumable`; what is printed goes to the log, of which the machine is the first
    line."""
    print(machine_line())
    with resumable(Path(log).with_suffix(".checkpoint"), minutes, identity, files):
        yield
