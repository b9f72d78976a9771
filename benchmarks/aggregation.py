"""What tables of many runs take: `python -m benchmarks.aggregation [--runs 100 1000 10000]`.

Made runs, in folders as the workflow's with the files that tables read, small: 2 seeds, 20 evaluations, 400 weights.
Each table is made and saved by itself in a fresh process, as its job does. A row says how many megabytes that process
held at most beside what it held after its imports and a table of two batches of runs; how many the tables take that it
keeps in memory (`summary` and `tuned`, a row a run and seed; the others keep none); the table's files on disk; and CPU
seconds.
"""

from __future__ import annotations

import argparse
import os
import resource
import time
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pandas as pd

from benchmarks.fresh import in_fresh_process
from featprune.runs.paths import (
    CONNECTIVITY,
    DENSITY,
    FEATURES,
    HISTORY,
    MASK,
    RICHNESS,
    TIME_SHIFT,
    Cell,
    Kind,
    RunPath,
)
from featprune.storage import load_table, save_arrays, save_table
from featprune.tables.reading import BATCH
from featprune.tables.registry import TABLES, RunFiles
from featprune.tables.writing import save_content

MODULE = "benchmarks.aggregation"  # also where this is the program
SEEDS, EVALUATIONS, WIDTHS = 2, 20, (20, 16, 5)
KINDS = (Kind("magnitude", "init"), Kind("magnitude", "random"), Kind("magnitude", "none"), Kind("snip", "init"))
ROUNDS = 25
MEASURED = ("summary", "masks", "features", "richness", "connectivity")
OPTIONS = {"behind": {"/".join(kind): [0] * (ROUNDS + 1) for kind in KINDS}, "selection": {}}


def made_files(folder: Path) -> dict[str, Path]:
    """A file of each name, as a run of two seeds has them."""
    seeds, steps = np.arange(SEEDS, dtype=np.int32), np.arange(EVALUATIONS, dtype=np.int32)
    curve = pd.MultiIndex.from_product([seeds, steps, ["train", "validation", "test"]], names=["seed", "step", "split"])
    history = curve.to_frame(index=False)
    layers = pd.MultiIndex.from_product([seeds, np.arange(1, len(WIDTHS), dtype=np.int8)], names=["seed", "layer"])
    weights = np.tile(np.multiply(WIDTHS[1:], WIDTHS[:-1]), SEEDS)
    density = layers.to_frame(index=False).assign(weights=weights, weights_remaining=weights // 2)
    measured = history[history["split"] != "train"].rename(columns={"split": "target"}).assign(correlation=0.5)
    frames = {
        HISTORY: history.assign(loss=1.0, accuracy=0.9),
        DENSITY: density,
        FEATURES: measured.assign(layer=np.int8(1)),
        TIME_SHIFT: measured.assign(shift=1.0),
        RICHNESS: measured,
        CONNECTIVITY: measured.assign(pair="ticket_dense", round=1, density=0.5),
    }
    for name, frame in frames.items():
        save_table(folder / name, frame)
    shapes = zip(WIDTHS[1:], WIDTHS[:-1], strict=True)
    masks = {f"mask{number}": np.ones((SEEDS, *shape), bool) for number, shape in enumerate(shapes, 1)}
    save_arrays(folder / MASK, masks | {"seeds": seeds, "sound": np.ones(SEEDS, bool)})
    return {name: folder / name for name in (*frames, MASK)}


def made_runs(root: Path, count: int) -> list[RunPath]:
    """So many run folders: every file is another name of the one that was made."""
    files = made_files(root / "one")
    cells = len(KINDS) * ROUNDS
    runs = [
        RunPath(Cell("e", str(1 + i // cells), "1", *KINDS[i // ROUNDS % len(KINDS)]), 1 + i % ROUNDS, f"0-{SEEDS - 1}")
        for i in range(count)
    ]
    for run in runs:
        Path(run.folder(str(root))).mkdir(parents=True)
        for name, file in files.items():
            os.link(file, run.file(str(root), name))
    return runs


def inputs_of(name: str, root: Path, runs: Sequence[RunPath]) -> dict[str, list[str]]:
    """The files that a table of these runs is made from."""
    wanted = TABLES[name].inputs.items()
    return {key: [r.file(str(root), files.file) for r in runs] for key, files in wanted if isinstance(files, RunFiles)}


def make(name: str, inputs: dict[str, list[str]], folder: Path) -> None:
    """Make a table and save it, as `workflow/scripts/aggregate_table.py` does."""
    made = TABLES[name].make(inputs, {option: OPTIONS[option] for option in TABLES[name].options})
    for file, content in made.items():
        save_content(folder / file, content)


def peak() -> float:
    """The most megabytes that this process has held: of itself, where Linux tells, since what `getrusage` tells has the
    memory of the process that started this one."""
    status = Path("/proc/self/status")
    if status.is_file():
        (held,) = (line.split()[1] for line in status.read_text().splitlines() if line.startswith("VmHWM"))
        return int(held) / 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def measure(name: str, root: Path, runs: Sequence[RunPath]) -> dict[str, float]:
    """Megabytes and seconds of a table in this process, which has done nothing yet."""
    import_module(TABLES[name].module)
    make(name, inputs_of(name, root, runs[: 2 * BATCH]), root / "first")
    before, begun = peak(), time.process_time()
    make(name, inputs_of(name, root, runs), root / "tables")
    seconds, more = time.process_time() - begun, peak() - before
    files = [root / "tables" / file for file in TABLES[name].files(name)]
    kept = [load_table(file).to_pandas() for file in files if file.stem in ("summary", "tuned")]
    return {
        "peak_mb": more,
        "kept_mb": sum(frame.memory_usage(deep=True).sum() for frame in kept) / 1e6,
        "disk_mb": sum(file.stat().st_size for file in files) / 1e6,
        "seconds": seconds,
    }


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.aggregation", description="What tables of runs take")
    parser.add_argument("--runs", nargs="+", type=int, default=[100, 1000, 10_000])
    parser.add_argument("--tables", nargs="+", choices=MEASURED, default=MEASURED)
    given = parser.parse_args()
    for count in given.runs:
        with TemporaryDirectory() as folder:
            runs = made_runs(Path(folder), count)
            task = MODULE, "measure"
            made = [in_fresh_process(*task, name, Path(folder), runs)[0] for name in given.tables]
        rows = [{"table": name, "runs": count} | row for name, row in zip(given.tables, made, strict=True)]
        print(pd.DataFrame(rows).round(1).to_string(index=False), flush=True)


if __name__ == "__main__":
    main()
