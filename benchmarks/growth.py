"""How cost grows: `python -m benchmarks.growth`, on one thread, in about two minutes.

Each size grows alone, the others fixed: seeds, rounds and steps of whole runs on made data of MNIST's shape; width and
density by the step. Times are CPU seconds, the least of a few. An exponent is the slope of log seconds against log size
by least squares, with its standard error. Writes results/benchmarks/growth.parquet.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import redirect_stdout
from dataclasses import replace
from io import StringIO
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from scipy.stats import linregress

from benchmarks.common import BATCH, SETTINGS, made_data, one_thread
from featprune.datasets.dataset import Dataset
from featprune.engine.evaluation import Split, no_reference
from featprune.engine.replica import Replica
from featprune.engine.training import data_order
from featprune.network import MLP
from featprune.pruning.masks import Mask, Masks, all_ones, keep_highest
from featprune.rewind import REWINDS
from featprune.runs.chain import Trainer, train_rounds
from featprune.storage import save_table

OUTPUT = Path("results/benchmarks/growth.parquet")
WIDTH, DENSITY, STEPS, REPEATS = 300, 0.2, 500, 3
POINTS: dict[str, tuple[float, ...]] = {
    "seeds": (1, 2, 4, 8),
    "rounds": (1, 2, 4, 8),
    "steps": (250, 500, 1000, 2000, 4000),
    "width, dense": (300, 600, 1200, 3000),
    "width, 20 % left": (300, 600, 1200, 3000),
    "density": (0.3, 0.1, 0.03, 0.01),
}
WHY = {
    "seeds": "Linear: seeds train one after the other and share nothing.",
    "rounds": "Linear at a fixed density; in a chain, whose density falls, later rounds cost less.",
    "steps": "Linear beyond a fixed part that bends the first points: initial values, reference outputs, evaluations.",
    "width, dense": "Below 2: of the weights only those between hidden layers grow as the square, and the inputs stay.",
    "width, 20 % left": "Below 2 for the same reason; activations and biases, a unit each, grow linearly.",
    "density": "Below 1: gathering a batch, activations and the calls themselves cost the same at every density.",
}


def exponent(sizes: Sequence[float] | np.ndarray, seconds: Sequence[float] | np.ndarray) -> tuple[float, float]:
    """The slope of log seconds against log size by least squares, and its standard error."""
    fit = linregress(np.log(sizes), np.log(seconds))
    return float(fit.slope), float(fit.stderr)


def network(width: float) -> MLP:
    """Two hidden layers, the second a third of the first, as in the lottery-ticket paper."""
    return MLP((784, int(width), int(width) // 3, 10))


def random_masks(shape: MLP, density: float, seeds: int = 1) -> Masks:
    """Masks with the same share of every layer."""
    rng, full = np.random.default_rng(0), all_ones(shape.shapes, seeds)
    return keep_highest(
        [rng.random(m.shape, dtype=np.float32) for m in full], full, [round(density * m[0].size) for m in full]
    )


def least_seconds(function: Callable[[], object]) -> float:
    """CPU seconds of a call, the least of a few after one that doesn't count."""
    function()
    found = []
    for _ in range(REPEATS):
        begun = time.process_time()
        function()
        found.append(time.process_time() - begun)
    return min(found)


def run_seconds(data: Dataset, seeds: int = 1, rounds: int = 1, steps: int = STEPS) -> float:
    """CPU seconds of consecutive rounds of whole centered runs, all at one density."""
    shape, numbers = network(WIDTH), range(1, rounds + 1)
    settings = replace(SETTINGS, steps=steps, center=True, evaluate_at=(0, steps), evaluation_samples=1000)
    mask = Mask(random_masks(shape, DENSITY, seeds), np.ones(seeds, bool))
    trainer, rewind = Trainer(shape, data, range(seeds)), REWINDS["init"]

    def run() -> None:
        with redirect_stdout(StringIO()):
            list(train_rounds(trainer, rewind, [mask] * rounds, dict.fromkeys(numbers, settings)))

    return least_seconds(run)


def step_seconds(data: Dataset, width: float = WIDTH, density: float = 1.0) -> float:
    """CPU seconds of a training step."""
    shape, calls = network(width), max(5, round(100 * (WIDTH / width) ** 1.5))
    x, y = torch.from_numpy(data.train_x), torch.from_numpy(data.train_y)
    trained = Replica(shape, shape.initial([0]), random_masks(shape, density), SETTINGS)
    order = torch.from_numpy(data_order(0, len(x), BATCH, calls * (REPEATS + 1)))
    trained.bind(Split(x, y, no_reference(1, 10)), order[None])

    def steps() -> None:
        for _ in range(calls):
            trained.step()

    return least_seconds(steps) / calls


def measured(data: Dataset) -> Iterator[dict]:
    """A row a point: what grows, its size, and CPU seconds."""
    ways: dict[str, Callable[[float], float]] = {
        "seeds": lambda n: run_seconds(data, seeds=int(n)),
        "rounds": lambda n: run_seconds(data, rounds=int(n)),
        "steps": lambda n: run_seconds(data, steps=int(n)),
        "width, dense": lambda n: step_seconds(data, width=n),
        "width, 20 % left": lambda n: step_seconds(data, width=n, density=DENSITY),
        "density": lambda n: step_seconds(data, density=n),
    }
    for grows, sizes in POINTS.items():
        for size in sizes:
            yield {"grows": grows, "size": size, "seconds": ways[grows](size)}


def fitted(table: pd.DataFrame) -> pd.DataFrame:
    """The same with the columns exponent and standard_error, of all points of what grows."""
    fits = {grows: exponent(part["size"].tolist(), part["seconds"].tolist()) for grows, part in table.groupby("grows")}
    slopes, errors = (table["grows"].map({grows: fit[i] for grows, fit in fits.items()}) for i in range(2))
    return table.assign(exponent=slopes, standard_error=errors)


def main() -> None:
    one_thread()
    x, y = made_data(12_000)
    splits = [slice(0, 8000), slice(8000, 10_000), slice(10_000, None)]
    data = Dataset(*(part[split] for split in splits for part in (x, y)))
    table = fitted(pd.DataFrame(measured(data)))
    for grows, part in table.groupby("grows", sort=False):
        times = ", ".join(f"{size:g}: {1e3 * s:.3g}" for size, s in zip(part["size"], part["seconds"], strict=True))
        fit = part.iloc[0]
        print(f"{grows:17} {fit['exponent']:.2f} ± {fit['standard_error']:.2f}   ms at {times}")
        print(f"{'':17} {WHY[str(grows)]}")
    save_table(OUTPUT, table)
    print(f"written to {OUTPUT}")


if __name__ == "__main__":
    main()
