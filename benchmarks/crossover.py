"""Where the loops over surviving weights overtake whole products: `python -m benchmarks.crossover`.

Times one layer's forward and backward pass and its Adam update, dense and sparse, at several densities. The constants
CROSSOVER and SMALL in featprune/engine/layers.py come from here. They suit AVX-512 and AVX2 alike: what each machine
chose for itself would change the last bits of its results.
"""

from __future__ import annotations

import numpy as np
import torch

from benchmarks.common import BATCH, NETWORK, SETTINGS, best_ms, one_thread
from featprune.engine.layers import DenseLayer, SparseLayer, Units
from featprune.engine.replica import make_rule

DENSITIES = (1.0, 0.9, 0.8, 0.7, 0.64, 0.5, 0.33, 0.2)


def work(kind, out: int, fan_in: int, density: float, need_input: bool):
    """A function that does all that a step does in one layer."""
    mask = torch.rand(out, fan_in) < density
    x, z = (Units.zeros(n, BATCH, torch.float32) for n in (fan_in, out))
    x.value.normal_()
    z.delta.normal_()
    x.rows = None if need_input else x.value.t().contiguous()
    layer = kind(torch.randn(out, fan_in) * mask, torch.zeros(out), mask, 1.0, x, z)
    rule = make_rule(SETTINGS)(0, 1)

    def step() -> None:
        layer.forward()
        if need_input:
            layer.backward()
        layer.update(rule, rule)

    return step


def main() -> None:
    one_thread()
    print("layer     density  dense us  sparse us")
    for index, (out, fan_in) in enumerate(NETWORK.shapes):
        crossover = np.nan
        for density in DENSITIES:
            kinds = [work(kind, out, fan_in, density, index > 0) for kind in (DenseLayer, SparseLayer)]
            dense, sparse = (1e3 * ms for ms in best_ms(kinds, 100))
            if sparse < dense and np.isnan(crossover):
                crossover = density
            print(f"{out}x{fan_in:<6} {density:7.2f} {dense:9.1f} {sparse:10.1f}")
        print(f"{out}x{fan_in}: sparse is faster from density {crossover:g} down\n")


if __name__ == "__main__":
    main()
