"""What the benchmarks share: the network of the lottery-ticket paper, made data of MNIST's shape, fair timing."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

import numpy as np
import torch

from featprune.engine.settings import Settings
from featprune.network import MLP
from featprune.pruning.masks import Masks, Schedule, all_ones, keep_highest

NETWORK = MLP((784, 300, 100, 10))
SIZES = [out * fan_in for out, fan_in in NETWORK.shapes]
SCHEDULE = Schedule("per_layer", {"hidden": 0.2, "output": 0.1})
BATCH = 60
SETTINGS = Settings(
    loss="cross_entropy",
    optimizer="adam",
    lr=1.2e-3,
    momentum=0.0,
    weight_decay=0.0,
    batch_size=BATCH,
    steps=1000,
    alpha=1.0,
    center=False,
    evaluate_at=(0,),
)


def made_data(samples: int = 20_000) -> tuple[np.ndarray, np.ndarray]:
    """Inputs (samples, 784) float32 and labels that a random linear map gives them: learnable, and no download."""
    rng = np.random.default_rng(0)
    x = rng.standard_normal((samples, NETWORK.widths[0]), dtype=np.float32)
    return x, (x @ rng.standard_normal((NETWORK.widths[0], 10), dtype=np.float32)).argmax(1)


def random_masks(density: float) -> Masks:
    """Masks at the round of the schedule whose density is nearest, shrunk evenly: (1, out, in) bool a layer."""
    rounds = np.log(density) / np.log(1 - SCHEDULE.rates["hidden"])
    counts = [
        max(1, round(size * (1 - SCHEDULE.rates[kind]) ** rounds))
        for size, kind in zip(SIZES, ("hidden", "hidden", "output"), strict=True)
    ]
    rng = np.random.default_rng(0)
    return keep_highest([rng.random((1, *s)) for s in NETWORK.shapes], all_ones(NETWORK.shapes, 1), counts)


def best_ms(functions: Sequence[Callable[[], object]], calls: int, repeats: int = 7) -> list[float]:
    """The least milliseconds a call of each function, measured in turn so that a slow spell hits all alike."""
    for function in functions:
        for _ in range(calls // 10 + 1):
            function()
    best = [np.inf] * len(functions)
    for _ in range(repeats):
        for i, function in enumerate(functions):
            start = time.perf_counter()
            for _ in range(calls):
                function()
            best[i] = min(best[i], (time.perf_counter() - start) / calls * 1e3)
    return best


def one_thread() -> None:
    torch.set_num_threads(1)
