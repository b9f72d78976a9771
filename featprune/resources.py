"""What a job asks a cluster for: a pure function of what it has to do.

Seconds are multiply-adds at the rate of a slow core, and what a process takes to begin where its libraries come from a
network's disk. All is meant to be too much: a job that asked for too little is ended, and one that asked for several
times what it takes only waits longer. `python -m benchmarks.declared` compares with what a run took.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from math import ceil
from pathlib import Path
from typing import NamedTuple

from featprune.datasets.sources import IDX_SETS
from featprune.engine.checkpoint import ROOM
from featprune.errors import FeatpruneError
from featprune.experiment import Experiment
from featprune.runs.paths import (
    COMPRESSION,
    CONNECTIVITY,
    DENSE,
    FEATURES,
    MASK,
    PREACTIVATIONS,
    RICHNESS,
    SNAPSHOTS,
    WEIGHTS,
    RunPath,
)
from featprune.storage import load_arrays, shapes
from featprune.study import Study
from featprune.workload import (
    IMAGES,
    Case,
    Sizes,
    counts_of,
    dataset_sizes,
    file_bytes,
    gradients,
    layer_sizes,
    repeats,
    runs_in,
    samples_seen,
    step_cost,
    training_steps,
)

RATE = 1e10  # multiply-adds a second in products of matrices; a core with AVX-512 does 7e10
SLOWER = 4  # times slower is what torch differentiates, and what gathers single weights
UPDATE = 10  # multiply-adds that the update of a weight counts as
CALLS = 2e-4  # seconds a step takes however small the network
SPARSE = 2, 1 / 8  # a sparse layer costs its survivors this many times, and this share of the dense layer besides
SCORED = 60, 4  # passes over the scored samples that a mask costs, where its criterion differentiates and where not
LINE = 10_000, 13  # samples on the straight line between two networks, and passes over each
ASSIGNED = 10  # multiply-adds that an assignment of n units counts as, times n**3
DISK, DOWNLOAD = 1e7, 1e6  # bytes a second, decoded or encoded on the way
OPEN = 0.05  # seconds a file, of the many that a table is made from
BEGIN, BEGIN_LIGHT = 60.0, 30.0  # seconds until a process works: with torch and compiled kernels, and without
MEMORY, MEMORY_LIGHT = 1100.0, 800.0  # MB of the same
COPIES = 24  # arrays as large as all stacked weights: optimizer, gradients, candidates
KNOWN = (*IDX_SETS, "digits", "teacher", "files")  # sources whose shapes are quickly known
GUESS = IMAGES  # of another
PIXEL_ROW, FILE_ROWS = 400, 1e5  # bytes of a row of the table of first-layer masks, and of all rows of another file


class Demand(NamedTuple):
    """What the first attempt of a job asks for."""

    seconds: float
    mem_mb: float

    def minutes(self, attempt: int) -> int:
        """Whole minutes of an attempt, from 1: each has twice as many as the one before.

        One besides is Snakemake's, which on a cluster starts twice before the job does.
        """
        return (1 + ceil(self.seconds / 60)) * 2 ** (attempt - 1)

    def memory(self, attempt: int) -> int:
        """MB of an attempt, from 1: each has as much more as the first."""
        return ceil(self.mem_mb) * attempt


def demand(study: Study, known: Mapping[str, Case], inputs: Sequence[str], outputs: Sequence[str]) -> Demand:
    """What the job asks for that makes these outputs from these inputs; known: the case of each experiment."""
    made = [file for file in outputs if "/runs/" in file]
    if made:
        return _of_runs(study, known, inputs, made)
    size = sum(file_bytes(study, known, file) for file in outputs if "/data/" in file)
    if size:
        return Demand(BEGIN + size / DOWNLOAD, MEMORY_LIGHT + 3 * size / 1e6)
    read = [file for file in inputs if "/runs/" in file]
    sizes = [file_bytes(study, known, file) for file in read]
    pixels = sum(len(run.seeds) * known[run.cell.experiment].sizes.inputs for run in runs_in(read, MASK))
    rows = PIXEL_ROW * pixels + FILE_ROWS * len(read) + 4 * max(sizes, default=0.0)
    return Demand(BEGIN_LIGHT + OPEN * len(read) + sum(sizes) / DISK, MEMORY_LIGHT + rows / 1e6)


def _of_runs(study: Study, known: Mapping[str, Case], inputs: Sequence[str], outputs: Sequence[str]) -> Demand:
    torch = _imports_torch(study, outputs)
    seconds, stacked = BEGIN if torch else BEGIN_LIGHT, 0.0
    for file in outputs:
        run = RunPath.parse(file)
        e, case = study.experiments[run.cell.experiment], known[run.cell.experiment]
        seconds += len(run.seeds) * repeats(inputs, file) * seed_seconds(Path(file).name, e, case, run)
        stacked = max(stacked, 4.0 * len(run.seeds) * sum(layer_sizes(case.network)))
    series = [file for file in (*inputs, *outputs) if Path(file).name in (SNAPSHOTS, PREACTIVATIONS)]
    largest = max((file_bytes(study, known, file) for file in series), default=0.0)
    if not torch:
        return Demand(seconds, MEMORY_LIGHT + (4 * largest + stacked) / 1e6)
    data = max((file_bytes(study, known, file) for file in inputs if "/data/" in file), default=0.0)
    # Of trainings that have ended, what waits for the next checkpoint.
    trained = [file for file in outputs if Path(file).name in (WEIGHTS, SNAPSHOTS)]
    waiting = min(ROOM, 3 * sum(file_bytes(study, known, file) for file in trained))
    return Demand(seconds, MEMORY + (2 * data + 2 * largest + COPIES * stacked + waiting) / 1e6)


def _imports_torch(study: Study, outputs: Iterable[str]) -> bool:
    """Whether a job on runs does: not one that prunes by magnitude and no more, or compares features."""
    names = {Path(file).name for file in outputs}
    if MASK in names and WEIGHTS not in names:
        cells = {run.cell for run in runs_in(outputs, MASK)}
        return any(gradients(study.experiments[cell.experiment].masks_by(cell.kind)) for cell in cells)
    return FEATURES not in names


def seed_seconds(name: str, e: Experiment, case: Case, run: RunPath) -> float:
    """Seconds that the making of a file of a run takes, a seed; of one comparison or line where it has several."""
    weights, widths = sum(layer_sizes(case.network)), case.network.widths[1:]
    steps = len(e.settings(run.cell, int(run.round))["snapshot_at"])
    if name == WEIGHTS:
        return _training_seconds(e, case, run)
    if name == MASK:
        criterion = DENSE.criterion if run.round == 0 else e.masks_by(run.cell.kind)
        passes = 0 if criterion == DENSE.criterion else SCORED[not gradients(criterion)]
        return passes * case.score_samples * weights / RATE
    if name == PREACTIVATIONS:
        return steps * case.probe * (weights / RATE + 4 * sum(widths) / DISK)
    if name == RICHNESS:
        samples = case.kernel_samples
        return steps * weights * (widths[-1] * samples * (samples + 10) + 6 * case.probe) * SLOWER / RATE
    if name == FEATURES:
        return steps * sum(4 * case.probe * n**2 + ASSIGNED * n**3 + 10 * CALLS * RATE for n in widths) / RATE
    if name == CONNECTIVITY:
        return LINE[0] * LINE[1] * weights * SLOWER / RATE
    if name == COMPRESSION and e.compression:
        tuned = e.compression.steps * case.batch_size * 3 * weights * SLOWER
        return len(e.compression.bits) * (tuned / RATE + e.compression.steps * 10 * CALLS)
    return 0.0


def _training_seconds(e: Experiment, case: Case, run: RunPath) -> float:
    steps, again = training_steps(e, run)
    full = layer_sizes(case.network)
    kept = [
        min(n, SPARSE[0] * count + SPARSE[1] * n)
        for n, count in zip(full, counts_of(e, case.network, run), strict=True)
    ]
    seen = samples_seen(e.settings(run.cell, int(run.round)), case.sizes)
    steps = ceil(steps * step_cost(run))
    work = steps * _step(kept, case.batch_size) + again * _step(full, case.batch_size) + seen * sum(kept)
    return work / RATE + (steps + again) * CALLS


def _step(weights: Sequence[float], batch: int) -> float:
    """Multiply-adds of a training step: the inputs of the first layer have no gradient."""
    return batch * (3 * sum(weights) - weights[0]) + UPDATE * sum(weights)


def shape_of(study: Study, dataset: str) -> Sizes:
    """The shape of a dataset, from the prepared file where there is one.

    MNIST's is the guess for one that isn't known before it is prepared: what prepares it doesn't run while jobs are
    planned.
    """
    try:
        return _prepared(f"{study.root}/data/{dataset}.safetensors")
    except FeatpruneError:
        pass
    try:
        return dataset_sizes(study, dataset) if study.config["datasets"][dataset]["source"] in KNOWN else GUESS
    except FeatpruneError:  # a run stops at the job that prepares it
        return GUESS


def _prepared(path: str) -> Sizes:
    found = shapes(path)
    samples = (found[f"{split}_x"][0] for split in ("train", "validation", "test"))
    return Sizes(found["train_x"][1], int(load_arrays(path, ["outputs"])["outputs"][0]), *samples)
