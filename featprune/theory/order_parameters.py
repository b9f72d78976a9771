"""Student and teacher in a few numbers: gradient flow closes in the overlaps of their units (Saad & Solla 1995).

f(x) = sum_i a_i sigma(w_i . x) learns y(x) = sum_k v_k sigma(u_k . x) from Gaussian inputs, so that all that enters are
averages over the jointly Gaussian fields w_i . x and u_k . x, whose covariance C has the blocks Q = w . w, R = w . u
and T = u . u (Saad & Solla 1995; Goldt et al. 2019 for readouts that learn, too).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import pi

import numpy as np
import pandas as pd
from scipy.integrate import solve_ivp

from featprune.datasets.dataset import Dataset
from featprune.datasets.teacher import prepare_teacher
from featprune.errors import lookup
from featprune.network import MLP, Parameters
from featprune.theory.curves import largest
from featprune.theory.laws import fit_law, gather
from featprune.theory.runs import dataset, descent, doubled, evenly, follow, rms

Array = np.ndarray
OVERLAP, ERROR, DISTANCE = "overlap", "error", "distance"
COLUMNS = ["activation", "samples", "seed", "quantity", "unit", "teacher_unit", "time", "value", "exact"]
SNAPSHOTS = 61


@dataclass(frozen=True)
class Averages:
    """Of fields with covariance C (n, n), at [i, j] and [i, k, j]: second <s(i) s(j)>, third <s'(i) field(k) s(j)>."""

    second: Callable[[Array], Array]
    third: Callable[[Array], Array]


def erf_second(c: Array) -> Array:
    """(2 / pi) arcsin(2 C_ij / sqrt((1 + 2 C_ii) (1 + 2 C_jj))).

    Saad & Solla's I2, whose units are erf(z / sqrt(2)): here fields count sqrt(2) times, covariances twice.
    """
    diagonal = 1 + 2 * np.diag(c)
    return 2 / pi * np.arcsin(2 * c / np.sqrt(np.outer(diagonal, diagonal)))


def erf_third(c: Array) -> Array:
    """Saad & Solla's I3 of twice the covariances: (2 / pi) (C_kj (1 + C_ii) - C_ik C_ij) / ((1 + C_ii) sqrt(Lambda)),
    Lambda = (1 + C_ii) (1 + C_jj) - C_ij^2, indexed [i, k, j]."""
    c = 2 * c
    own = 1 + np.diag(c)
    root = np.sqrt(np.outer(own, own) - c**2)
    above = c[None] * own[:, None, None] - c[:, :, None] * c[:, None, :]
    return 2 / pi * above / (own[:, None, None] * root[:, None, :])


AVERAGES: dict[str, Averages] = {
    "erf": Averages(erf_second, erf_third),
    "linear": Averages(lambda c: c, lambda c: np.broadcast_to(c, (len(c), *c.shape))),
}


@dataclass(frozen=True)
class State:
    """Readouts a (K,) and the covariance C (K + M, K + M) of the fields of K student's and M teacher's units."""

    readouts: Array
    covariance: Array

    @property
    def overlaps(self) -> Array:
        """R = w . u, (K, M)."""
        return self.covariance[: len(self.readouts), len(self.readouts) :]


def state_of(student: Parameters, teacher: Array) -> State:
    """Of one network (R = 1); teacher: the units u, (M, inputs)."""
    directions = np.concatenate([student.weights[0][0], teacher])
    return State(student.weights[1][0, 0].copy(), directions @ directions.T)


def generalization(state: State, outputs: Array, averages: Averages) -> float:
    """The population's mean of (f - y)^2; outputs: v, (M,)."""
    signs = np.concatenate([state.readouts, -outputs])
    return float(signs @ averages.second(state.covariance) @ signs)


def velocity(state: State, outputs: Array, averages: Averages) -> State:
    """The state's change under gradient flow of `generalization`, in time lr times steps.

    da_i/dt = -2 sum_j c_j <s(i) s(j)> and w_i' . field(k) = -2 a_i sum_j c_j <s'(i) field(k) s(j)>, with c = (a, -v).
    """
    count = len(state.readouts)
    signs = np.concatenate([state.readouts, -outputs])
    moved = np.zeros_like(state.covariance)
    moved[:count] = -2 * state.readouts[:, None] * (averages.third(state.covariance)[:count] @ signs)
    return State(-2 * (averages.second(state.covariance) @ signs)[:count], moved + moved.T)


def solve(start: State, outputs: Array, averages: Averages, times: Array) -> list[State]:
    """The states at these times, the first of which is 0."""
    count, shape = len(start.readouts), start.covariance.shape

    def unpack(flat: Array) -> State:
        return State(flat[:count], flat[count:].reshape(shape))

    def pack(state: State) -> Array:
        return np.concatenate([state.readouts, state.covariance.ravel()])

    def change(_: float, flat: Array) -> Array:
        return pack(velocity(unpack(flat), outputs, averages))

    solved = solve_ivp(change, (0, times[-1]), pack(start), "LSODA", times, rtol=1e-9, atol=1e-11)
    return [unpack(flat) for flat in solved.y.T]


def measure(
    *,
    seeds: int,
    activations: Sequence[str],
    samples: Sequence[int],
    inputs: int,
    units: int,
    width: int,
    lr: float,
    steps: int,
) -> pd.DataFrame:
    """Students trained on finite samples beside the solution for the population: rows of COLUMNS.

    quantity overlap: w_i . u_k of student and teacher (unit, teacher_unit). error: that of the population. distance: of
    all readouts and covariances from the solution, root mean square; exact is 0 there.
    """
    rows = []
    for activation in activations:
        averages, network = lookup(AVERAGES, activation, "activation"), MLP((inputs, width, 1), activation, "ntk")
        for seed in range(seeds):
            start = doubled(network.initial([seed], "order_parameters"))
            drawn = [sample(activation, inputs, units, size, seed) for size in samples]
            teacher = drawn[0][1]  # the same for all sizes, and so is what students of all of them tend to
            first = state_of(start, teacher)
            # Targets are standardized by the sample; these are by the population.
            outputs = np.full(units, averages.second(first.covariance[width:, width:]).sum() ** -0.5)
            shown = evenly(steps, SNAPSHOTS)
            times = lr * np.array(shown)
            solution = solve(first, outputs, averages, times)
            for size, (data, _) in zip(samples, drawn, strict=True):
                settings = descent(lr, steps, size, center=False, snapshots=shown)
                states = follow(network, start, data, settings)
                pairs = zip(states.values(), solution, strict=True)
                for time, (student, theirs) in zip(times, pairs, strict=True):
                    mine, place = state_of(student, teacher), (activation, size, seed)
                    rows += [
                        (*place, OVERLAP, *pair, time, mine.overlaps[pair], theirs.overlaps[pair])
                        for pair in np.ndindex(mine.overlaps.shape)
                    ]
                    errors = (generalization(state, outputs, averages) for state in (mine, theirs))
                    rows.append((*place, ERROR, -1, -1, time, *errors))
                    rows.append((*place, DISTANCE, -1, -1, time, apart(mine, theirs), 0.0))
    return pd.DataFrame(rows, columns=COLUMNS)


def sample(activation: str, inputs: int, units: int, size: int, seed: int) -> tuple[Dataset, Array]:
    """The toy dataset of a seed with so many training samples, and its teacher's units (M, inputs)."""
    drawn = prepare_teacher(
        inputs=inputs, units=units, activation=activation, train=size, validation=1, test=1, teachers=1, seed=seed
    ).of(0)
    assert drawn.teacher is not None
    return dataset(drawn.train_x, drawn.train_y, drawn.test_x, drawn.test_y), drawn.teacher.astype(np.float64)


def apart(one: State, other: State) -> float:
    """Root mean square difference of all readouts and covariances."""
    pairs = ((one.readouts, other.readouts), (one.covariance, other.covariance))
    return rms(np.concatenate([(a - b).ravel() for a, b in pairs]))


def farthest(table: pd.DataFrame) -> pd.DataFrame:
    """The largest distance of each run along training: activation, samples, seed, value."""
    return largest(table[table["quantity"] == DISTANCE], "activation", "samples", "seed")


def laws(table: pd.DataFrame) -> pd.DataFrame:
    """The distance of the overlaps of a student from the population's solution falls as samples^(-1/2)."""
    return gather(
        fit_law(f"largest distance of overlaps against samples, {activation}", -0.5, rows, "samples", "value")
        for activation, rows in farthest(table).groupby("activation", sort=False)
    )
