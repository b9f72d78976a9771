"""What pruning does to the modes of a linear network: which are lost first, and why. Our own question."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import pandas as pd
from scipy import stats

from featprune.criteria import CRITERIA
from featprune.network import MLP, Parameters
from featprune.pruning.criterion import Context
from featprune.pruning.masks import Masks, Schedule, all_ones
from featprune.pruning.rounds import extract_masks
from featprune.randomness import numpy_generator
from featprune.rewind import REWINDS
from featprune.theory.curves import crossing
from featprune.theory.deep_linear import duration, seeds_of_modes
from featprune.theory.modes import Modes, make_modes
from featprune.theory.runs import descent, doubled, follow, scaled

PRUNED, RETRAINED = "pruned", "retrained"
MAGNITUDE, RANDOM = "magnitude_one_shot", "random"
LEARNED = 0.999  # of the weakest mode, once dense training ends
LOST = 0.5  # of its strength, below which a mode counts as lost
PLACE = ["vectors", "criterion", "stage"]
COLUMNS = [*PLACE, "seed", "density", "singular", "value", "kept", "alone"]


def measure(
    *,
    seeds: int,
    vectors: Sequence[str],
    singular: Sequence[float],
    inputs: int,
    width: int,
    samples: int,
    scale: float,
    lr: float,
    rate: float,
    rounds: int,
    patience: float,
) -> pd.DataFrame:
    """How much of each mode is left in pruned networks: rows of COLUMNS.

    value: u^T W2 W1 v / s, right after pruning a trained network at once (stage pruned), or once the survivors have
    been trained from their initial values, `patience` times as long (retrained: the ticket). Each layer keeps a share
    (1 - rate)^round. kept: the product over layers of the share of the squared weights that is left. alone: that of
    what each layer's mask alone leaves of the mode.
    """
    rows = []
    network = MLP((inputs, width, len(singular)), "linear", "ntk")
    for kind in vectors:
        for seed in range(seeds):
            generator = numpy_generator(seed, "theory", "pruned_modes")
            modes = make_modes(singular, inputs, samples, generator, kind)
            start = scaled(doubled(network.initial([seed])), scale)
            initial = seeds_of_modes(modes, start).min()
            steps = int(np.ceil(max(duration(s, initial, LEARNED, modes.tau, 2) for s in modes.singular) / lr))
            dense = follow(network, start, modes.data, descent(lr, steps, samples, center=False))[steps]
            longer = descent(lr, int(patience * steps), samples, center=False, snapshots=2)
            for criterion, masks in masks_of(network, modes, seed, dense, rate, rounds):
                pruned = dense.masked(masks)
                ticket = follow(network, start, modes.data, longer, masks)[longer.steps]
                density = np.mean(np.concatenate([m.ravel() for m in masks]))
                for stage, state in ((PRUNED, pruned), (RETRAINED, ticket)):
                    place = (kind, criterion, stage, seed, density)
                    shares = modes.strengths(network, state)[0] / modes.singular
                    found = zip(modes.singular, shares, alone(modes, pruned, dense), strict=True)
                    rows += [(*place, s, share, energy(pruned, dense), layers) for s, share, layers in found]
    return pd.DataFrame(rows, columns=COLUMNS)


def masks_of(
    network: MLP, modes: Modes, seed: int, dense: Parameters, rate: float, rounds: int
) -> Iterator[tuple[str, Masks]]:
    """The masks of both criteria at all densities, as any study of the package would have them."""
    schedule = Schedule("per_layer", {"hidden": rate, "output": rate})
    first = Context(network, modes.data, [seed], schedule, REWINDS["init"], 1, all_ones(network.shapes, 1), dense)
    for criterion in (MAGNITUDE, RANDOM):
        for mask in extract_masks(CRITERIA[criterion], first, range(1, rounds + 1)):
            yield criterion, mask.layers


def energy(pruned: Parameters, dense: Parameters) -> float:
    """The product over layers of the share of the squared weights that is left.

    It is what masking leaves of every mode alike where weights are Gaussian sums of many parts, whatever is chosen by
    |w|: the part c of a weight w is on average cov(c, w) / var(w) times what is left of w (Bussgang's theorem).
    """
    pairs = zip(pruned.weights, dense.weights, strict=True)
    return float(np.prod([np.square(left).sum() / np.square(w).sum() for left, w in pairs]))


def alone(modes: Modes, pruned: Parameters, dense: Parameters) -> np.ndarray:
    """The product over both layers of what is left of a mode if only that layer is pruned, (K,).

    It is less than what both masks leave together, if both keep the weights of the same hidden units.
    """
    (first, second), (whole, outer) = ([w[0] for w in state.weights] for state in (pruned, dense))

    def share(w2: np.ndarray, w1: np.ndarray) -> np.ndarray:
        return np.einsum("ok,oh,hi,ik->k", modes.left, w2, w1, modes.right)

    dense_share = share(outer, whole)
    return share(outer, first) / dense_share * share(second, whole) / dense_share


def lost_at(table: pd.DataFrame) -> pd.DataFrame:
    """The density at which each mode falls below LOST: the columns of PLACE, seed, singular and density.

    The first such density on the way down, between two by the logarithm; where a mode never does, the lowest one.
    """
    found = []
    for place, rows in table.groupby([*PLACE, "seed", "singular"], sort=False):
        rows = rows.sort_values("density", ascending=False)
        value, density = (np.concatenate([[1.0], rows[name]]) for name in ("value", "density"))
        lost = crossing(np.log(density), value, LOST)
        found.append((*place, density[-1] if np.isnan(lost) else np.exp(lost)))
    return pd.DataFrame(found, columns=[*PLACE, "seed", "singular", "density"])


def orders(table: pd.DataFrame) -> pd.DataFrame:
    """Spearman's rank correlation of singular value and density at which the mode is lost: PLACE, seed, correlation.

    Below zero: the weak modes are lost first; 0 also where all are lost at one density.
    """

    def order(rows: pd.DataFrame) -> float:
        tied = len(set(rows["density"])) == 1
        return 0.0 if tied else stats.spearmanr(rows["singular"], rows["density"]).statistic

    seeds = lost_at(table).groupby([*PLACE, "seed"], sort=False)
    return pd.DataFrame([(*place, order(rows)) for place, rows in seeds], columns=[*PLACE, "seed", "correlation"])
