"""Seconds of CPU that this machine takes for each piece of work that jobs are made of, measured in fresh processes.

CPU time and not the clock: whatever else runs on the machine disturbs it less, and a job has one thread. As many
processes measure at a time as there are cores, as in a run, where jobs share caches and memory too.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from benchmarks.fresh import in_fresh_process
from featprune.network import MLP
from featprune.workload import Case, Counts, Sizes, layer_sizes

SEEDS = [0, 1]
TRAIN_SAMPLES = 20_000  # at most, of made data; more take as long a step, and longer to make
TINY = Case(MLP((8, 6, 3)), Sizes(8, 3, 40, 20, 20), "cross_entropy", "adam", 10, 2, 10, 4, 20)

SPLITS = ("train", "validation", "test")


@dataclass(frozen=True)
class Wanted:
    """What a plan needs to know about a case: runs under these masks, masks by these criteria, richness under these."""

    case: Case
    counts: frozenset[Counts]
    criteria: frozenset[str] = frozenset()
    measured: frozenset[Counts] = frozenset()
    compressed: bool = False
    studied: bool = False
    connected: bool = False


@dataclass(frozen=True)
class Costs:
    """Seconds of CPU, of one seed: of a step and of one sample's output by surviving weights a layer; of all else that
    a run takes (draws, files); of a mask by criterion; of a run's dump, its comparison with another, the straight line
    between both and, a snapshot, its richness by surviving weights; of compression but for its steps, and a step."""

    step: Mapping[Counts, float]
    sample: Mapping[Counts, float]
    run: float
    mask: Mapping[str, float]
    dump: float = 0.0
    richness: Mapping[Counts, float] = field(default_factory=dict)
    compare: float = 0.0
    connect: float = 0.0
    compress: float = 0.0
    compress_step: float = 0.0


@dataclass(frozen=True)
class Machine:
    """Seconds of CPU until a process of each kind of job has done its first small piece of work, and of reading a run's
    file that a table is made from."""

    start: Mapping[str, float]
    read: float


def mean_seconds(function: Callable[[], object], least: float = 0.1) -> float:
    """CPU seconds a call, of as many as take `least` together, after one that doesn't count."""
    function()
    calls, begun = 0, time.process_time()
    while (spent := time.process_time() - begun) < least:
        function()
        calls += 1
    return spent / calls


def seconds_of(function: Callable[[], object]) -> float:
    """CPU seconds of one call."""
    begun = time.process_time()
    function()
    return time.process_time() - begun


class Pieces:
    """The work of a case, piece by piece, on made data and masks."""

    def __init__(self, case: Case, folder: str) -> None:
        import numpy as np

        from featprune.datasets.dataset import Dataset
        from featprune.pruning.masks import all_ones

        rng, s = np.random.default_rng(0), case.sizes
        self.case, self.network, self.folder, self.rng = case, case.network, Path(folder), rng
        parts: dict[str, np.ndarray] = {}
        for split, samples in ("train", min(s.train, TRAIN_SAMPLES)), ("validation", s.validation), ("test", s.test):
            parts[f"{split}_x"] = rng.random((samples, s.inputs), dtype=np.float32)
            if case.loss == "cross_entropy":
                parts[f"{split}_y"] = rng.integers(0, s.outputs, samples)
            else:
                parts[f"{split}_y"] = rng.random((samples, s.outputs), dtype=np.float32)
        self.data = Dataset(**parts)
        self.dense = all_ones(self.network.shapes, 1)

    def settings(self, **changes: Any) -> Any:
        from featprune.engine.settings import Settings

        c = self.case
        made = Settings(c.loss, c.optimizer, 1e-3, 0.0, 0.0, c.batch_size, 1, 1.0, False, ())
        return replace(made, **changes)

    def masks(self, counts: Counts, seeds: int = 1) -> list[Any]:
        """Random masks with these counts."""
        from featprune.pruning.masks import all_ones, keep_highest

        scores = [self.rng.random((seeds, *shape)) for shape in self.network.shapes]
        return keep_highest(scores, all_ones(self.network.shapes, seeds), counts)

    @property
    def half(self) -> Counts:
        return tuple(size // 2 for size in layer_sizes(self.network))

    def replica(self, counts: Counts, steps: int) -> Any:
        """A network in training, with so many steps before it."""
        import torch

        from featprune.engine.evaluation import Split, no_reference
        from featprune.engine.replica import Replica
        from featprune.engine.training import data_order

        torch.set_num_threads(1)
        x, y = self.data.train_x, self.data.train_y
        trained = Replica(self.network, self.network.initial([0]), self.masks(counts), self.settings())
        order = torch.from_numpy(data_order(0, len(x), self.case.batch_size, steps))
        reference = no_reference(1, self.network.widths[-1])
        trained.bind(Split(torch.from_numpy(x), torch.from_numpy(y), reference), order[None])
        return trained

    def train(self, counts: Counts, steps: int = 20_000) -> tuple[float, float]:
        """Seconds of a step, and of the output of a sample."""
        import torch

        trained = self.replica(counts, steps)
        x = torch.from_numpy(self.data.test_x[:1000])
        return mean_seconds(trained.step), mean_seconds(lambda: trained.output(x), 0.05) / len(x)

    def run(self, seeds: Sequence[int] = SEEDS, counts: Counts | None = None) -> None:
        """All of a run but its steps and evaluations, with its files."""
        from featprune.pruning.masks import Mask
        from featprune.rewind import REWINDS
        from featprune.runs.chain import Trainer, train_round
        from featprune.runs.files import save_mask, save_outcome

        mask = Mask(self.masks(counts or self.half, len(seeds)), self.rng.random(len(seeds)) < 2)
        trainer = Trainer(self.network, self.data, seeds)
        outcome = train_round(trainer, REWINDS["init"], 1, mask, self.settings(evaluate_at=(0,)))
        save_mask(self.folder / "mask.safetensors", self.folder / "density.parquet", mask, seeds)
        names = "weights.safetensors", "history.parquet", "snapshots.safetensors"
        save_outcome(outcome, mask.layers, seeds, *(self.folder / name for name in names))

    def mask(self, criterion: str) -> None:
        """The mask of one seed and round."""
        from featprune.criteria import CRITERIA
        from featprune.pruning.criterion import Context
        from featprune.pruning.masks import Mask, Schedule
        from featprune.pruning.rounds import extract_mask
        from featprune.rewind import REWINDS

        schedule = Schedule("per_layer", {"hidden": 0.5, "output": 0.5})
        trained, ticket = self.values(), Mask(self.masks(self.half), self.rng.random(1) < 2)
        context = Context(self.network, self.data, [0], schedule, REWINDS["init"], 1, self.dense, trained, ticket)
        context = replace(context, loss=self.case.loss, samples=self.case.score_samples)
        extract_mask(CRITERIA[criterion], context)

    def values(self) -> Any:
        """A network's parameters, without torch."""
        import numpy as np

        from featprune.network import Parameters

        shapes = self.network.shapes
        weights = [self.rng.standard_normal((1, *s), dtype=np.float32) / np.float32(np.sqrt(s[1])) for s in shapes]
        return Parameters(tuple(weights), tuple(np.zeros((1, out), np.float32) for out, _ in shapes))

    def states(self, snapshots: int) -> dict[int, Any]:
        """As many different networks, at the steps 0, 1, 2, 4, ..."""
        return {int(2 ** (i - 1)): self.values() for i in range(snapshots)}

    def dump(self, name: str = "dense.parquet") -> None:
        """The preactivations of all snapshots of one seed."""
        from featprune.features.preactivations import dump_preactivations

        states = self.states(self.case.snapshots)
        dump_preactivations(self.folder / name, self.network, states, [0], self.data, self.case.probe)

    def richness(self, counts: Counts | None = None) -> None:
        """How far one seed has moved at two snapshots."""
        from featprune.features.richness import measure_richness

        x, masks = self.data.test_x[: self.case.probe], self.masks(counts or self.half)
        measure_richness(self.network, self.states(2), masks, [0], x, self.case.kernel_samples)

    def compare(self) -> None:
        """One seed's features with another network's."""
        from featprune.features.comparison import compare_features, read_features
        from featprune.storage import save_table

        both = read_features(self.folder / "dense.parquet"), read_features(self.folder / "dense.parquet")
        for name, table in zip(("features", "shift"), compare_features(*both), strict=True):
            save_table(self.folder / f"{name}.parquet", table)

    def connect(self) -> None:
        """The straight line between two networks of one seed, centered."""
        from featprune.engine.objective import Objective
        from featprune.features.connectivity import measure_barriers

        first, second, initial = (self.values() for _ in range(3))
        measure_barriers(self.network, first, second, [0], self.data, Objective(self.case.loss, 1.0), initial)

    def compress(self) -> None:
        """A saved run, without the training of its shared values."""
        from featprune.compression.runs import compress_run

        files = self.folder / "mask.safetensors", self.folder / "weights.safetensors", self.folder / "fpz"
        compress_run(*files, self.network, self.data, self.settings(steps=0), [(5, 5)])

    def tune(self, steps: int = 20) -> None:
        """Training of the shared values of what `compress` has written."""
        from featprune.compression.codec import load_fpz
        from featprune.compression.tuning import fine_tune
        from featprune.engine.evaluation import no_reference, split_data

        splits = split_data(self.data, no_reference(1, self.network.widths[-1]))
        quantized = load_fpz(self.folder / "fpz" / "seed=0.fpz")
        fine_tune(quantized, self.network, splits, self.settings(steps=steps))

    def table(self, runs: int = 2) -> Path:
        """A table of as many runs of two seeds and of their dense run."""
        import pandas as pd

        from featprune.storage import save_table
        from featprune.tables.performance import build_summary
        from featprune.tables.writing import save_content

        rows = [(seed, *row) for seed in SEEDS for row in [(0, "validation"), *((1, s) for s in SPLITS)]]
        history = pd.DataFrame(rows, columns=["seed", "step", "split"]).assign(loss=1.0)
        history["accuracy"] = 0.9 + 0.01 * history["seed"]
        histories: list[str] = []
        densities: list[str] = []
        for number in range(runs + 1):
            kind = "criterion=magnitude/rewind=init" if number else "criterion=dense/rewind=dense"
            run = self.folder / f"experiment=e/alpha=1/lr=1/{kind}/round={number}/seeds=0-1"
            density = pd.DataFrame(
                {"seed": SEEDS, "layer": 1, "weights": 2**runs, "weights_remaining": 2 ** (runs - number)}
            )
            for name, frame, files in (("history", history, histories), ("density", density, densities)):
                files.append(str(run / f"{name}.parquet"))
                save_table(files[-1], frame)
        behind = {kind: [0] * (runs + 1) for kind in ("dense/dense", "magnitude/init")}

        def build() -> None:
            for name, table in build_summary(histories, densities, behind, {}).items():
                save_content(self.folder / name, table)

        self.build = build
        self.build()
        return self.folder / "tuned.parquet"

    def claims(self, options: dict) -> None:
        """The verdicts from a small table."""
        from featprune.claims.table import build_claims

        build_claims(options, [1, 2], tuned=str(self.table()))

    def figure(self) -> None:
        """A figure of a small table, in both formats."""
        from featprune.figures import FIGURES, save
        from featprune.storage import load_table

        drawn = FIGURES["accuracy_vs_density"].draw({"tuned": load_table(self.table()).to_pandas()})
        save(drawn, [self.folder / "figure.png", self.folder / "figure.svg"])


def start(kind: str, claims: dict) -> None:
    """Do what a job of a kind does first, on a tiny case; for the seconds of this process."""
    from snakemake.script import Snakemake  # noqa: F401  what every script begins with

    with TemporaryDirectory() as folder:
        tiny = Pieces(TINY, folder)
        first: dict[str, list[Callable[[], object]]] = {
            "train": [tiny.run],
            "prune": [lambda: tiny.mask("magnitude")],
            "score": [lambda: tiny.mask("snip")],
            "dump": [tiny.dump],
            "richness": [tiny.dump, tiny.richness],
            "compare": [tiny.dump, tiny.compare],
            "connect": [tiny.connect],
            "compress": [tiny.run, tiny.compress, tiny.tune],
            "table": [tiny.table],
            "claims": [lambda: tiny.claims(claims)],
            "figure": [tiny.figure],
        }
        for function in first[kind]:
            function()


def measure(wanted: Wanted) -> Costs:
    """The costs of a case."""
    with TemporaryDirectory() as folder:
        pieces = Pieces(wanted.case, folder)
        times = {counts: pieces.train(counts) for counts in sorted(wanted.counts, reverse=True)}
        found: dict[str, Any] = {
            "step": {counts: step for counts, (step, _) in times.items()},
            "sample": {counts: sample for counts, (_, sample) in times.items()},
            "run": mean_seconds(pieces.run) / len(SEEDS),
            "mask": {name: mean_seconds(partial(pieces.mask, name), 0.01) for name in wanted.criteria},
        }
        if wanted.studied:
            found["dump"] = mean_seconds(pieces.dump)
            found["richness"] = {
                counts: mean_seconds(partial(pieces.richness, counts)) / 2 for counts in wanted.measured
            }
            found["compare"] = mean_seconds(pieces.compare)
        if wanted.connected:
            found["connect"] = mean_seconds(pieces.connect)
        if wanted.compressed:
            start("compress", {})
            pieces.run([0], min(wanted.counts))
            found["compress"] = seconds_of(pieces.compress)
            found["compress_step"] = mean_seconds(partial(pieces.tune, 20)) / 20
    return Costs(**found)


def read() -> float:
    """Seconds a run's file that a table is made from."""
    with TemporaryDirectory() as folder:
        tiny, runs = Pieces(TINY, folder), 20
        tiny.table(runs)
        return mean_seconds(tiny.build) / (2 * (runs + 1))


def in_processes(tasks: Sequence[tuple[str, tuple]]) -> list[tuple[Any, float]]:
    """Of functions of this module, named beside their arguments, what each returns in a process of its own, and the CPU
    seconds of that; as many at a time as there are cores."""
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        return list(pool.map(lambda task: in_fresh_process(__name__, task[0], *task[1]), tasks))
