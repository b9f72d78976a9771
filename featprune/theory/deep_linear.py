"""Deep linear networks learn a mode at a time, each along an exact sigmoid (Saxe, McClelland & Ganguli 2014)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd
from scipy.integrate import quad, solve_ivp

from featprune.network import MLP, Parameters
from featprune.randomness import numpy_generator
from featprune.theory.curves import crossing
from featprune.theory.laws import fit_law, gather
from featprune.theory.modes import Modes, make_modes, orthonormal
from featprune.theory.runs import descent, doubled, evenly, follow, scaled

ALIGNED, RANDOM = "aligned", "random"  # the two kinds of starts
SNAPSHOTS = 201
LEARNED = 0.99  # runs end once the weakest mode should have this share of its strength
COLUMNS = ["start", "layers", "width", "seed", "singular", "initial", "time", "value", "exact"]


def sigmoid(time: np.ndarray, singular: float, initial: float, tau: float) -> np.ndarray:
    """a(t) of a mode of two layers of weights: s e^(2st/tau) / (e^(2st/tau) - 1 + s/a0) (Saxe et al., equation 12)."""
    return singular / (1 + (singular / initial - 1) * np.exp(-2 * singular * time / tau))


def mode(time: np.ndarray, singular: float, initial: float, tau: float, layers: int) -> np.ndarray:
    """a(t) of so many layers of weights: tau da/dt = L a^(2 - 2/L) (s - a), where all of them have their equal part."""
    if layers == 2:
        return sigmoid(time, singular, initial, tau)
    speed = speed_of(singular, tau, layers)
    solved = solve_ivp(lambda _, a: speed(a), (0, time[-1]), [initial], "LSODA", time, rtol=1e-9, atol=1e-12)
    return solved.y[0]


def duration(singular: float, initial: float, share: float, tau: float, layers: int) -> float:
    """The time in which a mode comes from its initial strength to a share of s."""
    speed = speed_of(singular, tau, layers)
    # In log a, where the beginning is not a needle.
    ends = np.log(initial), np.log(share * singular)
    return quad(lambda log: np.exp(log) / speed(np.exp(log)), *ends, limit=200)[0]


def speed_of(singular: float, tau: float, layers: int) -> Callable[[Any], Any]:
    """da/dt as a function of a."""
    return lambda a: layers * a ** (2 - 2 / layers) * (singular - a) / tau


def aligned(modes: Modes, widths: Sequence[int], initial: float, generator: np.random.Generator) -> Parameters:
    """Weights whose product is initial * U V^T, through random orthonormal directions in each hidden layer."""
    frames = [modes.right, *(orthonormal(generator.standard_normal((n, len(modes.singular)))) for n in widths[1:-1])]
    frames.append(modes.left)
    part = initial ** (1 / (len(frames) - 1))
    weights = [part * out @ into.T for into, out in pairwise(frames)]
    return Parameters(tuple(w[None] for w in weights), tuple(np.zeros((1, n)) for n in widths[1:]))


def seeds_of_modes(modes: Modes, parameters: Parameters) -> np.ndarray:
    """What grows of each mode in a small random network of two layers, |W1 v + W2^T u|^2 / 4 (R, K).

    While W is small, W1 v and W2^T u drive each other: their mean grows as e^(st/tau), their difference decays.
    """
    first, second = parameters.weights
    grown = (first @ modes.right + second.swapaxes(1, 2) @ modes.left) / 2
    return np.square(grown).sum(1)


def measure(
    *,
    seeds: int,
    singular: Sequence[float],
    layers: Sequence[int],
    inputs: int,
    widths: Sequence[int],
    samples: int,
    initial: float,
    scale: float,
    lr: float,
) -> pd.DataFrame:
    """The strength of each mode along training: rows of COLUMNS.

    start: aligned (one seed of the first width, for each number of layers of weights) or random (several seeds of each
    width, two layers). initial: a0 of the mode. time: lr times steps over tau. value: u^T W v of the network. exact:
    a(t) of the theory, which of random starts supposes that modes don't meet in the hidden layer.
    """
    rows = []
    for seed in range(seeds):
        generator = numpy_generator(seed, "theory", "deep_linear")
        modes = make_modes(singular, inputs, samples, generator)
        for depth in layers if seed == 0 else ():
            network = MLP((inputs, *[widths[0]] * (depth - 1), len(singular)), "linear", "ntk")
            parameters = aligned(modes, network.widths, initial, generator)
            found = follow_modes(modes, network, parameters, np.full(len(singular), initial), lr)
            rows.append(found.assign(start=ALIGNED, seed=seed))
        for width in widths:
            network = MLP((inputs, width, len(singular)), "linear", "ntk")
            parameters = scaled(doubled(network.initial([seed])), scale)
            found = follow_modes(modes, network, parameters, seeds_of_modes(modes, parameters)[0], lr)
            rows.append(found.assign(start=RANDOM, seed=seed))
    return gather(rows)[COLUMNS]


def follow_modes(modes: Modes, network: MLP, parameters: Parameters, initial: np.ndarray, lr: float) -> pd.DataFrame:
    """One run's rows, until the weakest mode should be learned."""
    depth, tau = len(network.shapes), modes.tau
    steps = int(np.ceil(max(duration(s, initial.min(), LEARNED, tau, depth) for s in modes.singular) / lr))
    settings = descent(lr, steps, len(modes.data.train_x), center=False, snapshots=evenly(steps, SNAPSHOTS))
    states = follow(network, parameters, modes.data, settings)
    time = lr * np.array(list(states))
    found = np.stack([modes.strengths(network, state)[0] for state in states.values()])
    parts = []
    for s, a0, values in zip(modes.singular, initial, found.T, strict=True):
        curve = {"time": time / tau, "value": values, "exact": mode(time, s, a0, tau, depth)}
        parts.append(pd.DataFrame(curve).assign(layers=depth, width=network.widths[1], singular=s, initial=a0))
    return gather(parts)


def half_times(table: pd.DataFrame) -> pd.DataFrame:
    """When each mode of random starts reaches half its strength: width, seed, singular, time, predicted, corrected.

    predicted: ln(s/a0 - 1) / (2s), that of the sigmoid. corrected: time over that logarithm.
    """
    found = []
    for place, rows in table[table["start"] == RANDOM].groupby(["width", "seed", "singular", "initial"]):
        width, seed, s, a0 = np.array(place)
        share = rows["value"].to_numpy() / s
        # Between two snapshots the logit is straight, as it is throughout on the sigmoid; it has ends at 0 and 1.
        share = np.clip(share, 1e-9, 1 - 1e-9)
        time = crossing(rows["time"].to_numpy(), np.log(1 / share - 1), 0.0)
        logarithm = np.log(s / a0 - 1)
        found.append((int(width), int(seed), s, time, logarithm / (2 * s), time / logarithm))
    return pd.DataFrame(found, columns=["width", "seed", "singular", "time", "predicted", "corrected"])


def laws(table: pd.DataFrame) -> pd.DataFrame:
    """The time to learn a mode falls as 1 / s, but for the logarithm of s over what it starts from."""
    rows = []
    for width, times in half_times(table).groupby("width"):
        rows.append(fit_law(f"time to half of a mode against s, width {width}", -1.0, times, "singular", "time"))
        what = f"the same over ln(s/a0 - 1), width {width}"
        rows.append(fit_law(what, -1.0, times, "singular", "corrected"))
    return gather(rows)
