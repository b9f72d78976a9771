"""Checks of the arguments of `prune_and_train`: errors name the argument, and the way out."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import is_dataclass, replace
from functools import wraps
from math import inf, log
from typing import Any

import numpy as np

from featprune.criteria import CRITERIA
from featprune.datasets.dataset import Dataset
from featprune.engine.objective import LOSSES
from featprune.errors import FeatpruneError, lookup
from featprune.network import MLP
from featprune.pruning.criterion import AfterTraining, Criterion
from featprune.pruning.masks import Schedule
from featprune.pruning.problem import Problem, Score
from featprune.rewind import conflicts

OPTIMIZERS = ("adam", "sgd")
PROTOCOL = ("masks", "source", "rewinds", "repair", "sees_data")


def named(argument: str, name: str, known: Collection[str]) -> str:
    """The name, if it is a known one."""
    return lookup({entry: entry for entry in known}, name, argument)


def within(argument: str, value: float, low: float, high: float = inf) -> float:
    """The value as a float, if it lies strictly between the bounds."""
    if not isinstance(value, (int, float, np.number)) or not low < value < high:
        bound = f"> {low}" + (f" and < {high}" if high < inf else "")
        raise FeatpruneError(f"{argument}: {value!r} is out of range (must be a number {bound})")
    return float(value)


def whole(argument: str, values: Sequence[int], least: int = 1, most: float = inf) -> list[int]:
    """The values, at least one and distinct where they are seeds, as whole numbers within the bounds."""
    values = list(np.atleast_1d(np.asarray(values, object)))
    for value in values:
        if isinstance(value, bool) or not isinstance(value, (int, np.integer)) or not least <= value <= most:
            bound = f">= {least}" + (f" and <= {most}, the training samples" if most < inf else "")
            raise FeatpruneError(f"{argument}: {value!r} is out of range (must be a whole number {bound})")
    if not values or (argument == "seeds" and len(set(values)) < len(values)):
        raise FeatpruneError(f"{argument}: {values} must be distinct numbers, at least one")
    return [int(value) for value in values]


def points(steps: int | Sequence[int]) -> int | tuple[int, ...]:
    """A number of log-spaced steps, or the steps, as `log_grid` takes them."""
    return int(steps) if isinstance(steps, (int, np.integer)) else tuple(int(step) for step in steps)


def choose_loss(loss: str | None, data: Dataset) -> str:
    """The loss, or the usual one of the labels."""
    kind = "classification" if data.classification else "regression"
    if loss is None:
        return next(name for name, entry in LOSSES.items() if entry.kind == kind)
    if lookup(LOSSES, loss, "loss").kind != kind:
        way = "pass integers as y" if kind == "regression" else "pass floats as y, such as one-hot rows"
        raise FeatpruneError(f"loss: {loss} is not for a {kind}, which y is; {way}, or leave loss out")
    return loss


def choose_round(schedule: Schedule, network: MLP, density: float | None, round: int | None) -> int:
    """The round asked for, or that whose density is nearest in ratio; one that leaves no weight is out of range."""
    if (density is None) == (round is None):
        raise FeatpruneError("density: give either density, a share of the weights, or round, how many rounds to prune")
    sizes = [out * fan_in for out, fan_in in network.shapes]
    if round is not None:
        (last,) = whole("round", [round], least=0)
        if min(schedule.counts(sizes, last)) < 1:
            raise FeatpruneError(
                f"round: {last} leaves a layer without any weight; prune fewer rounds, or wider layers"
            )
        return last
    wanted = within("density", 1.0 if density == 1 else density, 0, 1.000001)  # type: ignore[arg-type]
    reached = [1.0]
    while reached[-1] > wanted and min(counts := schedule.counts(sizes, len(reached))) >= 1:
        reached.append(sum(counts) / sum(sizes))
    return min(range(len(reached)), key=lambda r: abs(log(reached[r] / wanted)))


def check_rewind(rewind: str, center: bool, optimizer: str, late_step: int | None, steps: int) -> None:
    """Whether a rewind goes with the other arguments."""
    if rewind == "late" and not (isinstance(late_step, int) and 0 <= late_step < steps):
        raise FeatpruneError(f"late_step: {late_step} is no step before {steps}; the rewind 'late' goes back to one")
    for key, text in conflicts(rewind, center, optimizer):
        raise FeatpruneError(f"{key}: {text}")


def as_criterion(given: str | Criterion | Score) -> Criterion:
    """A registered criterion, a criterion whose score is checked, or the one that a score alone stands for."""
    if isinstance(given, str):
        return lookup(CRITERIA, given, "criterion")
    if all(hasattr(given, name) for name in PROTOCOL):
        own = is_dataclass(given) and callable(getattr(given, "score", None))
        return replace(given, score=checked(given.score)) if own else given  # type: ignore
    if callable(given):
        return AfterTraining(checked(given))
    way = "give a name, a Criterion, or a function score(problem, masks, batch, generator)"
    raise FeatpruneError(f"criterion: {given!r} is none; {way}")


def checked(score: Score) -> Score:
    """The score, with an error where it isn't an array a layer of its weights' shape; tensors without their graph."""

    @wraps(score)
    def wrapped(problem: Problem, masks: Sequence[Any], batch: Any, generator: np.random.Generator) -> list[Any]:
        scores = score(problem, masks, batch, generator)
        wanted = [tuple(w.shape) for w in problem.weights]
        found = [tuple(np.shape(s)) for s in scores] if isinstance(scores, (list, tuple)) else type(scores).__name__
        if found != wanted:
            name = getattr(score, "__name__", "score")
            raise FeatpruneError(
                f"criterion: {name} returned {found}; it must return an array a layer, shaped {wanted}"
            )
        return [_plain(s) for s in scores]

    return wrapped


def _plain(values: Any) -> Any:
    detach: Callable[[], Any] | None = getattr(values, "detach", None)
    return detach() if detach else values
