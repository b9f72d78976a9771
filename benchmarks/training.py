"""Milliseconds a training step: `python -m benchmarks.training`, on one thread, in about two minutes.

Compares the plain in-memory loop (nn.Linear, autograd, torch.optim.Adam, weights masked after each step) with
featprune's, and featprune's with the machine's floor: the floating-point operations that the surviving weights need,
at the best rate of a matrix product measured on these shapes. Writes results/benchmarks/training.parquet.
"""

from __future__ import annotations

import resource
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import torch

from benchmarks.common import BATCH, NETWORK, SCHEDULE, SETTINGS, SIZES, best_ms, made_data, one_thread, random_masks
from featprune.engine.evaluation import Split, no_reference
from featprune.engine.products import product_name, product_t
from featprune.engine.replica import Replica
from featprune.engine.training import data_order
from featprune.network import Parameters
from featprune.pruning.masks import all_ones, keep_highest
from featprune.storage import save_table

DENSITIES = (1.0, 0.5, 0.2, 0.1, 0.05, 0.02, 0.01)
CHAIN_ROUNDS = 22
OUTPUT = Path("results/benchmarks/training.parquet")


class PlainLoop:
    """What one writes first: modules, autograd, the default optimizer."""

    def __init__(self, start: Parameters, masks: list[np.ndarray]) -> None:
        self.masks = [torch.from_numpy(m[0]).float() for m in masks]
        self.linears = [torch.nn.Linear(fan_in, out) for out, fan_in in NETWORK.shapes]
        for linear, weight, bias in zip(self.linears, start.weights, start.biases, strict=True):
            linear.weight.data, linear.bias.data = torch.from_numpy(weight[0].copy()), torch.from_numpy(bias[0].copy())
        modules = [module for linear in self.linears for module in (linear, torch.nn.ReLU())]
        self.model = torch.nn.Sequential(*modules[:-1])
        self.optimizer = torch.optim.Adam(self.model.parameters(), lr=SETTINGS.lr)

    def step(self, x: torch.Tensor, y: torch.Tensor) -> None:
        self.optimizer.zero_grad()
        torch.nn.functional.cross_entropy(self.model(x), y).backward()
        self.optimizer.step()
        with torch.no_grad():
            for linear, mask in zip(self.linears, self.masks, strict=True):
                linear.weight *= mask


def stepper(loop, x: torch.Tensor, y: np.ndarray, order: torch.Tensor):
    """A function without arguments that does the loop's next step."""
    labels = torch.from_numpy(y)
    if isinstance(loop, PlainLoop):
        batches = iter(order)

        def step() -> None:
            batch = next(batches)
            loop.step(x[batch], labels[batch])

        return step
    loop.bind(Split(x, labels, no_reference(1, 10)), order[None])
    return loop.step


def best_rate() -> float:
    """The best GFLOP/s of a product on the network's shapes: forward, weight gradient, input gradient."""
    best = 0.0
    product = product_t(torch.float32)
    for out, fan_in in NETWORK.shapes[:2]:
        x, weight, delta = torch.randn(BATCH, fan_in), torch.randn(out, fan_in), torch.randn(BATCH, out)
        ways = [
            lambda x=x, w=weight: product(x, w),
            lambda x=x, d=delta: product(d.t(), x.t()),
            lambda w=weight, d=delta: product(d, w.t()),
            lambda x=x, w=weight: torch.mm(x, w.t()),
            lambda x=x, d=delta: torch.mm(d.t(), x),
        ]
        best = max(best, 2 * BATCH * out * fan_in / min(best_ms(ways, 200)) / 1e6)
    return best


def floor_ms(counts: list[int], gigaflops: float) -> float:
    """Forward and weight gradient at every surviving weight, and the input gradient from the second layer on."""
    operations = 2 * BATCH * (2 * sum(counts) + sum(counts[1:]))
    return operations / gigaflops / 1e6


def peak_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def row(case: str, density: float, plain: float, ours: float, floor: float) -> dict:
    return {
        "case": case,
        "density": density,
        "plain_ms": plain,
        "featprune_ms": ours,
        "ratio": plain / ours,
        "floor_ms": floor,
        "floor_fraction": floor / ours,
        "peak_mb": peak_mb(),
    }


def chain(kind, start: Parameters, x: torch.Tensor, y: np.ndarray, order: torch.Tensor) -> tuple[float, list]:
    """Milliseconds a step of a whole magnitude x init chain, masks included, and its counts of weights by round."""
    masks, counts = all_ones(NETWORK.shapes, 1), []
    begun = time.perf_counter()
    for round in range(CHAIN_ROUNDS + 1):
        loop = kind(start.masked(masks), masks)
        step = stepper(loop, x, y, order)
        for _ in range(len(order)):
            step()
        counts.append([int(m.sum()) for m in masks])
        if isinstance(loop, PlainLoop):
            trained = [linear.weight.detach().numpy()[None] for linear in loop.linears]
        else:
            trained = list(loop.parameters().weights)
        masks = keep_highest([np.abs(w) for w in trained], masks, SCHEDULE.counts(SIZES, round + 1))
    return (time.perf_counter() - begun) * 1e3 / (len(order) * len(counts)), counts


def main() -> None:
    one_thread()
    inputs, y = made_data()
    x, start = torch.from_numpy(inputs), NETWORK.initial([0])
    order = torch.from_numpy(data_order(0, len(x), BATCH, SETTINGS.steps))

    def ours(start: Parameters, masks: list[np.ndarray]) -> Replica:
        return Replica(NETWORK, start, masks, SETTINGS)

    rate = best_rate()
    print(f"products by {product_name()}; the best at {rate:.0f} GFLOP/s\n")
    rows = []
    for density in DENSITIES:
        masks = random_masks(density)
        loops = [kind(start.masked(masks), masks) for kind in (PlainLoop, ours)]
        plain, fast = best_ms([stepper(loop, x, y, order) for loop in loops], 100)
        rows.append(row("density", density, plain, fast, floor_ms([int(m.sum()) for m in masks], rate)))
    plain, _ = chain(PlainLoop, start, x, y, order)
    fast, counts = chain(ours, start, x, y, order)
    rows.append(row("chain", np.nan, plain, fast, float(np.mean([floor_ms(c, rate) for c in counts]))))
    table = pd.DataFrame(rows)
    print(table.to_string(index=False, float_format=lambda value: f"{value:.3f}"))
    reference = Replica(NETWORK, start, all_ones(NETWORK.shapes, 1), replace(SETTINGS, center=True))
    (centering,) = best_ms([lambda: reference.output(x)], 1, 3)
    print(f"\nreference outputs of a centered dense run: {centering / len(x) * 1e3:.2f} us a sample, once a run")
    save_table(OUTPUT, table)
    print(f"written to {OUTPUT}")


if __name__ == "__main__":
    main()
