"""How much a run's features moved: weights, empirical neural tangent kernel, and departure from the linearized model.

All of it along training and against the run's own start. alpha cancels in every measure, because f is alpha times h
up to a constant.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
import torch
from torch.autograd.functional import jvp  # torch.func's loads torch's compiler, for four seconds

from featprune.activations import ACTIVATIONS
from featprune.engine.linearized import Linearized
from featprune.network import MLP, Parameters

# One network: its weights (out, in), then its biases (out,), layer by layer.
Tensors = tuple[torch.Tensor, ...]


def measure_richness(
    network: MLP,
    snapshots: Mapping[int, Parameters],
    masks: Sequence[np.ndarray],
    seeds: Sequence[int],
    x: np.ndarray,
    kernel_samples: int,
) -> pd.DataFrame:
    """All measures at every snapshot step of every seed.

    x: probe inputs (P, inputs); the kernel is that of the first `kernel_samples` of them. masks: bool (R, out, in) a
    layer; pruned weights take no part in the kernel.

    Returns a frame with the columns seed, step, layer (0: the whole network), measure and value. Measures are
    `weight_movement` (each layer and whole), `kernel_movement`, `kernel_trace` (its ratio) and `linearization_error`,
    which like the kernel's measures has no meaning for a layer; NaN where f has not moved at all.
    """
    torch.set_num_threads(1)
    inputs = torch.from_numpy(x)
    rows = []
    for replica, seed in enumerate(seeds):
        here = network.replica(replica)
        alive = [torch.from_numpy(np.ascontiguousarray(m[replica])) for m in masks]
        states = {step: one_network(snapshots[step], replica) for step in sorted(snapshots)}
        first = next(iter(states.values()))
        kernel = tangent_kernel(here, first, alive, inputs[:kernel_samples])
        for step, state in states.items():
            measured = {(layer, "weight_movement"): value for layer, value in weight_movement(first, state).items()}
            now = kernel if state is first else tangent_kernel(here, state, alive, inputs[:kernel_samples])
            measured[0, "kernel_movement"] = 1 - float((now * kernel).sum() / (now.norm() * kernel.norm()))
            measured[0, "kernel_trace"] = float(now.trace() / kernel.trace())
            measured[0, "linearization_error"] = linearization_error(here, first, state, inputs)
            rows += [(seed, step, layer, name, value) for (layer, name), value in measured.items()]
    frame = pd.DataFrame(rows, columns=["seed", "step", "layer", "measure", "value"])
    return frame.astype({"seed": "int32", "step": "int32", "layer": "int8", "value": "float64"})


def one_network(parameters: Parameters, replica: int) -> Tensors:
    """The tensors of one of the stacked networks."""
    return tensors(parameters.replicas(replica))


def tensors(parameters: Parameters) -> Tensors:
    """Those of a network's values, without an axis of stacked networks."""
    return tuple(torch.from_numpy(np.ascontiguousarray(a)) for a in (*parameters.weights, *parameters.biases))


def output(network: MLP, state: Tensors, x: torch.Tensor) -> torch.Tensor:
    """h(x), (P, outputs)."""
    depth = len(state) // 2
    return network.output(state[:depth], state[depth:], x)


def weight_movement(start: Tensors, now: Tensors) -> dict[int, float]:
    """|theta(t) - theta(0)| / |theta(0)| of the weights of each layer, from 1, and of all weights together, 0."""
    depth = len(start) // 2
    moved = np.array([float((b - a).double().square().sum()) for a, b in zip(start[:depth], now[:depth], strict=True)])
    size = np.array([float(a.double().square().sum()) for a in start[:depth]])
    with np.errstate(invalid="ignore", divide="ignore"):
        each = np.sqrt(moved / size)
        return {0: float(np.sqrt(moved.sum() / size.sum()))} | dict(enumerate(each.tolist(), 1))


def tangent_kernel(network: MLP, state: Tensors, masks: Sequence[torch.Tensor], x: torch.Tensor) -> torch.Tensor:
    """The empirical NTK summed over outputs, K(x, x') = sum_c <dh_c(x)/dtheta, dh_c(x')/dtheta>, (P, P) (Jacot 2018).

    theta are the surviving weights and all biases.
    """
    return torch.stack(tangent_kernels(network, state, masks, x)).sum(0)


def tangent_kernels(network: MLP, state: Tensors, masks: Sequence[torch.Tensor], x: torch.Tensor) -> list[torch.Tensor]:
    """What the parameters of each layer add to `tangent_kernel`, (P, P) float64 each.

    The gradient of a weight is factor delta_i a_j, with delta = dh_c/dz of its layer, that of a bias is delta: so no
    layer's gradients need a tensor (P, out, in).
    """
    if isinstance(network, Linearized):  # has the gradients that the network has at the anchor
        state, network = tensors(network.anchor), network.plain
    depth, sigma = len(masks), ACTIVATIONS[network.activation].tensor
    z = network.preactivations([w.detach().requires_grad_() for w in state[:depth]], state[depth:], x)
    inputs = [x, *(sigma(h).detach() for h in z[:-1])]
    kernels = [torch.zeros(len(x), len(x), dtype=torch.float64) for _ in masks]
    for unit in range(network.widths[-1]):
        deltas = torch.autograd.grad(z[-1][:, unit].sum(), z, retain_graph=True)
        parts = zip(kernels, deltas, inputs, masks, network.multipliers, strict=True)
        for kernel, delta, a, mask, factor in parts:
            of_biases = delta @ delta.T
            if mask.all():
                of_weights = of_biases * (a @ a.T)
            else:
                out, fan_in = mask.nonzero(as_tuple=True)
                gradient = delta[:, out] * a[:, fan_in]
                of_weights = gradient @ gradient.T
            kernel += (of_biases + factor**2 * of_weights).double()
    return kernels


def linearization_error(network: MLP, start: Tensors, now: Tensors, x: torch.Tensor) -> float:
    """|h_t - h_t^lin| / |h_t - h_0| over the inputs, with h^lin linear in theta around the start (Lee et al. 2019)."""
    change = tuple(b - a for a, b in zip(start, now, strict=True))
    before, slope = jvp(lambda *state: output(network, state, x), start, change)
    after = output(network, now, x)
    moved = float((after - before).norm())
    return float((after - before - slope).norm()) / moved if moved > 0 else float("nan")
