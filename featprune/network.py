"""The multilayer perceptron: its shape, initial values and forward pass, and the parameters that travel with it.

Replicas (seeds) are stacked on a leading axis: a weight has shape (R, out, in), a bias (R, out), inputs are shared,
(P, in), and a layer's preactivations are (R, P, out). Layers count from 1; the output is the last layer's
preactivation.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from math import sqrt
from typing import TYPE_CHECKING

import numpy as np

from featprune.activations import ACTIVATIONS
from featprune.errors import lookup
from featprune.randomness import torch_generator

if TYPE_CHECKING:
    from featprune.datasets.dataset import Dataset

# Deviation of the effective weight, by (fan_in, fan_out, is_output); biases start at zero.
INITIALIZATIONS: dict[str, Callable[[int, int, bool], float]] = {
    # Glorot & Bengio 2010, drawn from a normal truncated at two deviations: the LTH paper's.
    "glorot_normal_truncated": lambda fan_in, fan_out, output: sqrt(2 / (fan_in + fan_out)),
    "he_normal": lambda fan_in, fan_out, output: sqrt(2 / fan_in),  # He et al. 2015
    "ntk": lambda fan_in, fan_out, output: 1 / sqrt(fan_in),  # Jacot et al. 2018
    "mean_field": lambda fan_in, fan_out, output: 1 / fan_in if output else 1 / sqrt(fan_in),  # Mei et al. 2018
}

# Factor between a stored weight and the effective weight that multiplies its input, by (fan_in, is_output).
PARAMETRIZATIONS: dict[str, Callable[[int, bool], float]] = {
    "standard": lambda fan_in, output: 1.0,
    "ntk": lambda fan_in, output: 1 / sqrt(fan_in),
    "mean_field": lambda fan_in, output: 1 / fan_in if output else 1 / sqrt(fan_in),
}

# Deviation of a standard normal truncated to [-2, 2]: dividing by it gives the truncated draw the wanted deviation.
TRUNCATED_DEVIATION = 0.8796256610342398


@dataclass(frozen=True)
class Parameters:
    """All weights (R, out, in) and biases (R, out) of R stacked networks, one array a layer."""

    weights: tuple[np.ndarray, ...]
    biases: tuple[np.ndarray, ...]

    def each(self, function: Callable[..., np.ndarray], *others: Parameters) -> Parameters:
        """What a function makes of each array, and of the same array of others."""
        groups = zip(*((p.weights, p.biases) for p in (self, *others)), strict=True)
        return Parameters(*(tuple(map(function, *group)) for group in groups))

    def replicas(self, indices: Sequence[int] | int) -> Parameters:
        """Some of the networks, still with a leading axis; by a number one of them, without."""
        return self.each(lambda array: array[indices])

    def masked(self, masks: Sequence[np.ndarray]) -> Parameters:
        """The same with pruned weights exactly zero (never NaN, even where the weight is); masks are bool."""
        return Parameters(
            tuple(np.where(m, w, w.dtype.type(0)) for w, m in zip(self.weights, masks, strict=True)),
            self.biases,
        )

    def finite(self) -> np.ndarray:
        """Bool (R,): whether every entry of a replica is finite."""
        arrays = (*self.weights, *self.biases)
        return np.all([np.isfinite(a).reshape(len(a), -1).all(1) for a in arrays], axis=0)

    def where(self, chosen: np.ndarray, others: Parameters) -> Parameters:
        """These networks where `chosen`, bool (R,), and the others elsewhere."""

        def pick(mine: np.ndarray, theirs: np.ndarray) -> np.ndarray:
            return np.where(chosen.reshape(-1, *[1] * (mine.ndim - 1)), mine, theirs)

        return self.each(pick, others)

    def named(self) -> dict[str, np.ndarray]:
        """The arrays by names: "weight1", "bias1", ..."""
        groups = {"weight": self.weights, "bias": self.biases}
        return {f"{name}{i}": array for name, group in groups.items() for i, array in enumerate(group, 1)}

    @staticmethod
    def from_named(arrays: Mapping[str, np.ndarray]) -> Parameters | None:
        """The inverse of `named`, of arrays that may have others beside them; None where there are none."""
        layers = range(1, 1 + sum(name.startswith("weight") for name in arrays))
        groups = (tuple(arrays[f"{name}{i}"] for i in layers) for name in ("weight", "bias"))
        return Parameters(*groups) if layers else None

    @staticmethod
    def stack(replicas: Sequence[Parameters]) -> Parameters:
        return Parameters(
            tuple(np.concatenate(group) for group in zip(*(p.weights for p in replicas), strict=True)),
            tuple(np.concatenate(group) for group in zip(*(p.biases for p in replicas), strict=True)),
        )


@dataclass(frozen=True)
class MLP:
    """A multilayer perceptron's description; `widths` runs from the inputs over the hidden layers to the outputs."""

    widths: tuple[int, ...]
    activation: str = "relu"
    init: str = "glorot_normal_truncated"
    parametrization: str = "standard"

    @property
    def shapes(self) -> list[tuple[int, int]]:
        """(out, in) of each layer."""
        return list(zip(self.widths[1:], self.widths[:-1], strict=True))

    @property
    def multipliers(self) -> list[float]:
        """Each layer's factor between stored and effective weight."""
        factor = lookup(PARAMETRIZATIONS, self.parametrization, "parametrization")
        last = len(self.shapes) - 1
        return [factor(fan_in, layer == last) for layer, (_, fan_in) in enumerate(self.shapes)]

    def initial(self, seeds: Sequence[int], *purpose: str | int) -> Parameters:
        """Draw initial parameters, one replica a seed; `purpose` sets apart several draws of one seed."""
        import torch

        deviation = lookup(INITIALIZATIONS, self.init, "initialization")
        last = len(self.shapes) - 1

        def draw(seed: int) -> Parameters:
            generator = torch_generator(seed, "initialization", *purpose)
            weights = []
            for layer, ((fan_out, fan_in), factor) in enumerate(zip(self.shapes, self.multipliers, strict=True)):
                weight = torch.empty(1, fan_out, fan_in)
                scale = deviation(fan_in, fan_out, layer == last) / factor
                if self.init.endswith("truncated"):
                    scale /= TRUNCATED_DEVIATION
                    torch.nn.init.trunc_normal_(weight, 0, scale, -2 * scale, 2 * scale, generator=generator)
                else:
                    weight.normal_(0, scale, generator=generator)
                weights.append(weight.numpy())
            return Parameters(tuple(weights), tuple(np.zeros((1, n), np.float32) for n in self.widths[1:]))

        return Parameters.stack([draw(seed) for seed in seeds])

    def replica(self, number: int) -> MLP:
        """What one of several stacked networks is: all are alike, but where they hold values of their own."""
        return self

    def preactivations(self, weights: Sequence, biases: Sequence, x) -> list:
        """Every layer's preactivations (R, P, out), in the inputs' own precision.

        Of torch tensors, differentiably, or of numpy arrays, without torch. The reference that the training kernels
        are tested against, and what all measures use.
        """
        result: list = []
        for layer, (weight, bias) in enumerate(zip(weights, biases, strict=True)):
            result.append(self.layer(layer, weight, bias, result[-1] if layer else x))
        return result

    def layer(self, number: int, weight, bias, h):
        """One layer's preactivations (R, P, out), the first being number 0, from those of the layer before it."""
        activation = lookup(ACTIVATIONS, self.activation, "activation")
        sigma = activation.array if isinstance(h, np.ndarray) else activation.tensor
        a = sigma(h) if number else h
        return a @ weight.swapaxes(-1, -2) * self.multipliers[number] + bias[..., None, :]

    def output(self, weights: Sequence, biases: Sequence, x):
        """The raw output h(x), (R, P, outputs)."""
        return self.preactivations(weights, biases, x)[-1]


def network_for(model: dict, data: Dataset) -> MLP:
    """The network that a config's `model` describes, with as many inputs and outputs as the data."""
    widths = (data.inputs, *model["hidden"], data.outputs)
    return MLP(widths, model["activation"], model["init"], model["parametrization"])
