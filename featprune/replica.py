"""One network being trained: its state, its forward pass and its step."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch

from featprune.network import MLP, Parameters

CHUNK = 1000


class Replica:
    """A single network (R = 1) under a mask, and the state of its optimizer."""

    def __init__(self, network: MLP, start: Parameters, mask: Sequence[np.ndarray], settings) -> None:
        self.network, self.settings = network, settings
        self.mask = [torch.from_numpy(m[0]) for m in mask]
        self.weights = [torch.from_numpy(w[0]).clone().requires_grad_() for w in start.weights]
        self.biases = [torch.from_numpy(b[0]).clone().requires_grad_() for b in start.biases]
        parameters = self.weights + self.biases
        if settings.optimizer == "adam":
            self.optimizer = torch.optim.Adam(
                parameters, lr=settings.step_size, weight_decay=settings.weight_decay, fused=True
            )
        else:
            self.optimizer = torch.optim.SGD(
                parameters,
                lr=settings.step_size,
                momentum=settings.momentum,
                weight_decay=settings.weight_decay,
            )

    @torch.no_grad()
    def output(self, x: torch.Tensor) -> torch.Tensor:
        return torch.cat([self.network.output(self.weights, self.biases, c) for c in x.split(CHUNK)])

    def step(self, x, y, offset) -> None:
        alpha = self.settings.alpha
        h = self.network.output(self.weights, self.biases, x)
        f = alpha * (h if offset is None else h - offset)
        F = torch.nn.functional
        loss = (F.cross_entropy(f, y) if self.settings.loss == "cross_entropy" else F.mse_loss(f, y)) / alpha**2
        self.optimizer.zero_grad()
        loss.backward()
        for w, m in zip(self.weights, self.mask, strict=True):
            w.grad *= m
        self.optimizer.step()

    def parameters(self) -> Parameters:
        return Parameters(
            tuple(w.detach().numpy()[None].copy() for w in self.weights),
            tuple(b.detach().numpy()[None].copy() for b in self.biases),
        )
