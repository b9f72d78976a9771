"""The sections of an experiment's entry in a resolved config, typed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import product

from featprune.config import log_grid
from featprune.runs.paths import Kind


@dataclass(frozen=True)
class Seeds:
    """The replicas of every run, and how many train in one process; the first `tuning` only choose."""

    count: int
    block: int
    first: int
    tuning: int

    @property
    def choosing(self) -> range:
        """The seeds that only choose on validation."""
        return range(self.first, self.first + self.tuning)

    @property
    def reported(self) -> range:
        """The seeds that all other numbers are of."""
        return range(self.first + self.tuning, self.first + self.count)

    @property
    def blocks(self) -> tuple[str, ...]:
        """Names of the blocks, "first-last"; none has seeds of both parts."""
        return self._cut(self.choosing) + self.reported_blocks

    @property
    def reported_blocks(self) -> tuple[str, ...]:
        """Those of the seeds that are reported."""
        return self._cut(self.reported)

    def _cut(self, seeds: range) -> tuple[str, ...]:
        blocks = (seeds[start : start + self.block] for start in range(0, len(seeds), self.block))
        return tuple(f"{block[0]}-{block[-1]}" for block in blocks)


@dataclass(frozen=True)
class Model:
    """The network."""

    hidden: tuple[int, ...]
    activation: str
    init: str
    parametrization: str


@dataclass(frozen=True)
class Training:
    """How every network is trained, the dense one and the pruned ones."""

    optimizer: str
    lr: float
    momentum: float
    weight_decay: float
    batch_size: int
    steps: int
    loss: str
    evaluation_steps: int | tuple[int, ...]
    evaluation_every: int | None
    evaluation_samples: int | None
    milestones: tuple[int, ...]
    snapshot_steps: int | tuple[int, ...]
    distillation: float

    @property
    def evaluated(self) -> tuple[int, ...]:
        """The steps at which a run is evaluated."""
        evenly = range(0, self.steps, self.evaluation_every) if self.evaluation_every else ()
        return tuple(sorted({*log_grid(self.steps, self.evaluation_steps), *evenly}))


@dataclass(frozen=True)
class Pruning:
    """What is removed, and where the survivors restart."""

    criteria: tuple[str, ...]
    rewinds: tuple[str, ...]
    also: tuple[Kind, ...]
    rounds: int
    rates: Mapping[str, float]
    scope: str
    mask_source: str
    late_step: int | None
    rounds_per_job: int
    score_samples: int
    matched_dense: bool


@dataclass(frozen=True)
class Features:
    """What is measured of the features."""

    probe: int
    kernel_samples: int
    rounds: tuple[int, ...]
    lrs: tuple[str, ...] | None


@dataclass(frozen=True)
class Compression:
    """Which runs are compressed, and how."""

    rounds: tuple[int, ...]
    rewinds: tuple[str, ...]
    hidden_bits: int | tuple[int, ...]
    output_bits: int | tuple[int, ...]
    margin: float
    steps: int

    @property
    def bits(self) -> list[tuple[int, int]]:
        """The widths of codes that validation chooses from, in hidden layers and in the output layer."""
        hidden, output = ((bits,) if isinstance(bits, int) else bits for bits in (self.hidden_bits, self.output_bits))
        return list(product(hidden, output))


@dataclass(frozen=True)
class Loan:
    """The experiment and the alpha whose tickets lend their masks."""

    experiment: str
    alpha: str
