"""Stacked networks trained as one batched computation: the way of a GPU, where one small network leaves it idle.

The plain statement of what `featprune.engine.replica.Replica` computes by hand, by autograd and torch's own optimizers.
Being that, it also trains weights that are functions of something else (`featprune.compression.tuning`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np
import torch
from torch import Tensor

from featprune.engine.distillation import Target
from featprune.engine.evaluation import Split
from featprune.engine.settings import Settings
from featprune.network import MLP, Parameters
from featprune.pruning.masks import densities

CHUNK = 2000  # samples of a forward pass outside training

# From what is trained, one tensor a layer, to the weights (R, out, in) that it stands for; differentiable.
Weights = Callable[[list[Tensor]], list[Tensor]]


class Stack:
    """R networks, and the state of their optimizer, on one device.

    trained, biases: what is trained, one array a layer. weights: makes the weights of what is trained. scales: how many
    times the rate each layer of each network learns at, (R, 1, 1) a layer.
    """

    def __init__(
        self,
        network: MLP,
        trained: Sequence[np.ndarray],
        biases: Sequence[np.ndarray],
        weights: Weights,
        settings: Settings,
        device: str = "cpu",
        scales: Sequence[Tensor] = (),
    ) -> None:
        self.network, self.settings, self.device, self.steps = network, settings, device, 0
        self.trained, self.biases = (
            [torch.from_numpy(a).to(device, copy=True).requires_grad_() for a in group] for group in (trained, biases)
        )
        self.weights, self.scales = weights, scales
        leaves, lr = self.trained + self.biases, settings.step_size(0)
        if settings.optimizer == "adam":
            self.optimizer: torch.optim.Optimizer = torch.optim.Adam(leaves, lr=lr, eps=settings.epsilon, fused=True)
        else:
            self.optimizer = torch.optim.SGD(leaves, lr=lr, momentum=settings.momentum, fused=True)

    @staticmethod
    def pruned(
        network: MLP, start: Parameters, masks: Sequence[np.ndarray], settings: Settings, device: str = "cpu"
    ) -> Stack:
        """Networks whose weights themselves are trained, under masks (R, out, in); what these remove is zero."""
        kept = [torch.from_numpy(m).to(device) for m in masks]

        def masked(weights: list[Tensor]) -> list[Tensor]:
            return [torch.where(m, w, 0) for w, m in zip(weights, kept, strict=True)]

        scales = [torch.from_numpy(1 / density)[:, None, None].to(device) for density in densities(masks)]
        used = scales if settings.density_rates else ()
        return Stack(network, start.weights, start.biases, masked, settings, device, used)

    def bind(self, data: Split, order: Tensor) -> None:
        """Take the training data, and the batches' indices into it, (R, steps, B)."""
        self.x, self.y, self.reference, self.order = (
            t.to(self.device) for t in (data.x, data.y, data.reference, order)
        )
        self.targets = [Target(t.layer, t.value.to(self.device), t.variance.to(self.device)) for t in data.targets]
        self.replica = torch.arange(len(order), device=self.device)[:, None]

    def step(self) -> None:
        """The next step of every replica, each on its own batch."""
        batch, objective = self.order[:, self.steps], self.settings.objective
        weights = self.weights(self.trained)
        z = self.network.preactivations(weights, self.biases, self.x[batch])
        f = objective.f(z[-1], self.reference[self.replica, batch])
        # Summed over replicas, which share nothing: each gets its own gradient.
        loss = objective.training_losses(f, self.y[batch]).sum()
        for target in self.targets:
            distance = z[target.layer] - target.value[self.replica, batch]
            loss = loss + self.settings.pull / 2 * (distance.square().mean((-2, -1)) / target.variance).sum()
        if self.settings.decay:
            # Of the weights, not of what stands for them: in the loss and not in the optimizer.
            loss = loss + self.settings.decay / 2 * sum(p.square().sum() for p in (*weights, *self.biases))
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()
        for group in self.optimizer.param_groups:
            group["lr"] = self.settings.step_size(self.steps)
        before = [p.detach().clone() for p in self.trained] if self.scales else []
        self.optimizer.step()
        for p, old, scale in zip(self.trained, before, self.scales, strict=False):
            # A step is proportional to its rate.
            p.data = torch.lerp(old, p.detach(), scale.to(p.dtype))
        self.steps += 1

    @torch.no_grad()
    def output(self, x: Tensor) -> Tensor:
        """h(x) of all samples, (R, n, outputs), on the CPU."""
        weights = self.weights(self.trained)
        parts = [self.network.output(weights, self.biases, part.to(self.device)).cpu() for part in x.split(CHUNK)]
        return torch.cat(parts, dim=1)

    @torch.no_grad()
    def parameters(self) -> Parameters:
        """Copies of the present values, with exact zeros where a weight is pruned."""
        groups = self.weights(self.trained), self.biases
        weights, biases = (tuple(t.cpu().numpy().copy() for t in group) for group in groups)
        return Parameters(weights, biases)

    def state(self) -> dict[str, np.ndarray]:
        """All that lasts from step to step, on the CPU."""
        held = {f"values.{i}": p.detach() for i, p in enumerate(self.trained + self.biases)}
        for i, values in self.optimizer.state_dict()["state"].items():
            held |= {f"optimizer.{i}.{name}": t for name, t in values.items() if t is not None}
        return {"steps": np.array(self.steps), **{name: t.cpu().numpy() for name, t in held.items()}}

    @torch.no_grad()
    def restore(self, state: Mapping[str, np.ndarray]) -> None:
        """Go on from a state."""
        whole = self.optimizer.state_dict()
        optimizer: dict[int, dict[str, Tensor]] = {}
        for name, array in state.items():
            match name.split("."):
                case "values", i:
                    (self.trained + self.biases)[int(i)].copy_(torch.from_numpy(array))
                case "optimizer", i, value:
                    optimizer.setdefault(int(i), {})[value] = torch.from_numpy(array)
        self.optimizer.load_state_dict(whole | {"state": optimizer})
        self.steps = int(state["steps"])
