"""What a run's training depends on: its settings, and where it starts. Light: no torch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from featprune.engine.objective import Objective
from featprune.network import Parameters


@dataclass(frozen=True)
class Start:
    """Values at the first step, and theta_ref, the initialization this run's f is centered on.

    teacher: the dense network's, where the run learns from it (`Settings.teacher`).
    """

    parameters: Parameters
    reference: Parameters
    teacher: Parameters | None = None

    def replicas(self, indices: Sequence[int]) -> Start:
        """Those of some of the networks."""
        teacher = self.teacher and self.teacher.replicas(indices)
        return Start(self.parameters.replicas(indices), self.reference.replicas(indices), teacher)


@dataclass(frozen=True)
class Settings:
    """Everything that one run's training depends on, besides the network, its start and the data.

    `lr` is the learning rate at alpha = 1, the config's base rate times its multiplier; at each of the steps
    `milestones` it falls to a tenth. `behind` counts the steps that the starting values have behind them: the data
    order goes on from there. `evaluation_samples` bounds the validation split where it is evaluated on the way, and the
    training split at the end (None: whole, and as many samples); validation and test are whole there. `order` sets
    apart several data orders of one seed. With `density_rates` a layer's weights learn at the rate over the layer's
    density, as Adam wants it for sparse layers (Dey et al. 2024). `teacher` names the layers whose preactivations are
    pulled to the dense network's, "hidden" or "output" ("": none), and `distillation` is the strength of that. With
    `linearize` the network's exact first-order Taylor expansion around its reference is trained instead of itself.
    """

    loss: str
    optimizer: str
    lr: float
    momentum: float
    weight_decay: float
    batch_size: int
    steps: int
    alpha: float
    center: bool
    evaluate_at: tuple[int, ...]
    snapshot_at: tuple[int, ...] = ()
    evaluation_samples: int | None = None
    behind: int = 0
    milestones: tuple[int, ...] = ()
    order: tuple[str, ...] = ()
    density_rates: bool = False
    teacher: str = ""
    distillation: float = 0.0
    linearize: bool = False

    @property
    def epsilon(self) -> float:
        """Of Adam, which adds it to the root of the gradient's second moment: that scales as 1 / alpha, and so it."""
        return 1e-8 / self.alpha

    @property
    def decay(self) -> float:
        """The factor of theta in its gradient: the penalty weight_decay / 2 |theta|^2 is part of the loss that
        1 / alpha^2 multiplies, so that what is minimized doesn't depend on alpha's scale of time."""
        return self.weight_decay / self.alpha**2

    @property
    def pull(self) -> float:
        """The factor of z - t in the gradient, but for means and variances: 1 / alpha^2 multiplies all of the loss."""
        return self.distillation / self.alpha**2

    @property
    def objective(self) -> Objective:
        """What is minimized."""
        return Objective(self.loss, self.alpha)

    def step_size(self, step: int) -> float:
        """The learning rate of the step with this number, from 0.

        Adam ignores the scale of the loss, 1 / alpha^2, so its rate is divided by alpha instead.
        """
        lr = self.lr * 0.1 ** sum(step >= milestone for milestone in self.milestones)
        return lr / self.alpha if self.optimizer == "adam" else lr
