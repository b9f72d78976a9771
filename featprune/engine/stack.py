"""Stacked networks trained as one batched computation: the way of a GPU, where one small network leaves it idle.

The plain statement of what `featprune.engine.replica.Replica` computes by hand, by autograd and torch's own optimizers.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from featprune.network import MLP, Parameters

CHUNK = 2000  # samples of a forward pass outside training


class Stack:
    """R networks under their masks, and the state of their optimizer, on one device."""

    def __init__(self, network: MLP, start: Parameters, masks: Sequence[np.ndarray], settings, device: str) -> None:
        self.network, self.settings, self.device, self.steps = network, settings, device, 0
        self.masks = [torch.from_numpy(m).to(device) for m in masks]
        self.weights = [torch.from_numpy(w).to(device, copy=True).requires_grad_() for w in start.weights]
        self.biases = [torch.from_numpy(b).to(device, copy=True).requires_grad_() for b in start.biases]
        common = {"lr": settings.step_size(0), "weight_decay": settings.weight_decay, "fused": True}
        parameters = self.weights + self.biases
        if settings.optimizer == "adam":
            self.optimizer: torch.optim.Optimizer = torch.optim.Adam(parameters, **common)
        else:
            self.optimizer = torch.optim.SGD(parameters, momentum=settings.momentum, **common)

    def bind(self, x: Tensor, y: Tensor, offset: Tensor, order: Tensor) -> None:
        """Take the training data: inputs (n, in), labels, reference outputs (R, n, outputs), batches (R, steps, B)."""
        self.x, self.y, self.offset, self.order = (t.to(self.device) for t in (x, y, offset, order))
        self.replica = torch.arange(len(order), device=self.device)[:, None]

    def step(self) -> None:
        """The next step of every replica, each on its own batch."""
        batch = self.order[:, self.steps]
        h = self.network.output(self.weights, self.biases, self.x[batch])
        f = self.settings.alpha * (h - self.offset[self.replica, batch])
        # Summed over replicas, which share nothing: each gets its own gradient.
        loss = replica_losses(self.settings.loss, f, self.y[batch]).sum() / self.settings.alpha**2
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()
        for weight, mask in zip(self.weights, self.masks, strict=True):
            weight.grad *= mask
        for group in self.optimizer.param_groups:
            group["lr"] = self.settings.step_size(self.steps)
        self.optimizer.step()
        self.steps += 1

    @torch.no_grad()
    def output(self, x: Tensor) -> Tensor:
        """h(x) of all samples, (R, n, outputs), on the CPU."""
        parts = [self.network.output(self.weights, self.biases, part.to(self.device)).cpu() for part in x.split(CHUNK)]
        return torch.cat(parts, dim=1)

    def parameters(self) -> Parameters:
        """Copies of the present values, with exact zeros where a weight is pruned."""
        groups = ([t.detach().cpu().numpy().copy() for t in group] for group in (self.weights, self.biases))
        weights, biases = map(tuple, groups)
        return Parameters(weights, biases).masked([m.cpu().numpy() for m in self.masks])


def replica_losses(loss: str, f: Tensor, y: Tensor) -> Tensor:
    """The mean loss of each replica, (R,): f (R, n, outputs); y (R, n) or (R, n, outputs), or without R if shared."""
    if loss == "squared_error":
        return (f - y).square().mean((1, 2))
    each = torch.nn.functional.cross_entropy(f.flatten(0, 1), y.expand(f.shape[:2]).flatten(), reduction="none")
    return each.view(f.shape[:2]).mean(1)
