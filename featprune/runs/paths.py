"""Where a run's files lie: the one place that writes and reads these names.

    {root}/runs/experiment={e}/alpha={a}/lr={lr}/criterion={c}/rewind={w}/round={r}/seeds={block}/{file}

The folders are Hive-partitioned; alpha and lr appear exactly as they are written in the config.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from featprune.errors import FeatpruneError

MASK, DENSITY = "mask.safetensors", "density.parquet"
WEIGHTS, HISTORY, SNAPSHOTS = "weights.safetensors", "history.parquet", "snapshots.safetensors"
PREACTIVATIONS, FEATURES, TIME_SHIFT = "preactivations.parquet", "features.parquet", "time_shift.parquet"
RICHNESS, CONNECTIVITY, COMPRESSION = "richness.parquet", "connectivity.parquet", "compression.parquet"

LINEARIZED = "inf"  # the alpha of linearized networks, the limit of those that train at ever larger ones


class Kind(NamedTuple):
    """What sets runs of one point of the sweep apart: how their weights were removed and where they restarted."""

    criterion: str
    rewind: str


DENSE = Kind("dense", "dense")  # the dense run that all chains share
REORDERED = Kind("dense", "reordered")  # the same initialization, another data order
REINITIALIZED = Kind("dense", "reinitialized")  # another initialization, the same data order
REFERENCES = (REORDERED, REINITIALIZED)
# What features are compared with, by the rewind that is its name. No pruned run has had a part in the reordered one, so
# that it decides; the dense run itself, whose weights and data order they share, describes. Either is the other's
# ceiling, and the reinitialized run is the null of both.
TARGETS = {kind.rewind: kind for kind in (DENSE, REORDERED)}
DENSE_RUNS = {kind.rewind: kind for kind in (DENSE, *REFERENCES)}  # trained without pruning
LONGER = Kind("dense", "none")  # the dense network trained on, as many steps in all as fine-tuned networks
TICKET = Kind("magnitude", "init")  # the lottery ticket
REDRAWN = Kind(TICKET.criterion, "random")  # weights kept like a ticket's, but drawn anew: its null
REORDERED_TICKET = Kind("ticket", "reordered")  # its mask and initialization, another data order
# Between which kinds of runs a straight line is followed; the mask of the first is that of both ends.
PAIRS = {
    "ticket_dense": (TICKET, DENSE),
    "ticket_ticket": (TICKET, REORDERED_TICKET),
    "dense_dense": (DENSE, REORDERED),
}


class Cell(NamedTuple):
    """A point of an experiment's sweep."""

    experiment: str
    alpha: str
    lr: str
    criterion: str
    rewind: str

    @property
    def kind(self) -> Kind:
        return Kind(self.criterion, self.rewind)

    def of(self, kind: Kind) -> Cell:
        """The cell of another kind at the same experiment, alpha and lr."""
        return self._replace(criterion=kind.criterion, rewind=kind.rewind)


@dataclass(frozen=True)
class RunPath:
    """A run's place: its cell, its round, and its block of seeds, "first-last". Any of them may be a wildcard."""

    cell: Cell
    round: int | str
    block: str

    def folder(self, root: str, kind: str = "runs") -> str:
        """The run's folder below `root`; `kind` sets logs and benchmarks apart from runs."""
        axes = "/".join(f"{axis}={value}" for axis, value in self.cell._asdict().items())
        return f"{root}/{kind}/{axes}/round={self.round}/seeds={self.block}"

    def file(self, root: str, name: str) -> str:
        """One of the run's files."""
        return f"{self.folder(root)}/{name}"

    @staticmethod
    def parse(path: str | Path) -> RunPath:
        """The run that a folder, or a file in it, belongs to; raises FeatpruneError where the path names no run."""
        named = dict(part.split("=", 1) for part in Path(path).parts if "=" in part)
        try:
            cell = Cell(**{axis: named[axis] for axis in Cell._fields})
            return RunPath(cell, int(named["round"]), named["seeds"])
        except (KeyError, ValueError) as error:
            raise FeatpruneError(f"{path}: not the path of a run (see results/README.md)") from error

    @property
    def seeds(self) -> list[int]:
        """The seeds of the block."""
        first, last = map(int, self.block.split("-"))
        return list(range(first, last + 1))

    def axes(self) -> dict[str, str | float | int]:
        """The axes of the sweep as columns of a table: alpha and lr as numbers."""
        cell = self.cell._asdict() | {"alpha": float(self.cell.alpha), "lr": float(self.cell.lr)}
        return cell | {"round": int(self.round)}
