"""Which weights survive: exact counts, stable ranking, nested masks.

A mask is a list of bool arrays, one a layer, shaped like the weights: (R, out, in). Nothing here needs torch.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import floor

import numpy as np

SCOPES = ("per_layer", "global")

Masks = list[np.ndarray]


@dataclass(frozen=True, eq=False)
class Mask:
    """A round's mask of all replicas.

    layers: bool (R, out, in) a layer. sound: bool (R,), False where the values that the mask was to be made from
    weren't finite: the replica's chain has diverged, and what trains under its mask counts as diverged too.
    """

    layers: Masks
    sound: np.ndarray


@dataclass(frozen=True)
class Schedule:
    """How many weights are kept at each round.

    `per_layer` keeps a share (1 - rate)^round of every layer, with a rate for the hidden layers and one for the
    output layer (LTH: 20 % and 10 %); `global` keeps that share of all weights, wherever they are. `rates` has the keys
    hidden and output, or global.
    """

    scope: str
    rates: Mapping[str, float]

    def counts(self, sizes: Sequence[int], round: int) -> list[int]:
        """Weights kept at a round: one count a layer, or a single count for the global scope."""
        if self.scope == "global":
            return [kept(sum(sizes), self.rates["global"], round)]
        rates = [self.rates["hidden"]] * (len(sizes) - 1) + [self.rates["output"]]
        return [kept(size, rate, round) for size, rate in zip(sizes, rates, strict=True)]


def kept(size: int, rate: float, round: int) -> int:
    """size * (1 - rate)^round to the nearest integer, halves up, in exact arithmetic of the rate as it is written."""
    return floor(size * (1 - Fraction(str(rate))) ** round + Fraction(1, 2))


def keep_highest(scores: Sequence[np.ndarray], previous: Sequence[np.ndarray], counts: Sequence[int]) -> Masks:
    """Keep the highest scores among the survivors of `previous`.

    scores, previous: one array a layer, (R, out, in). counts: one a layer, or a single one for all layers together.
    Replicas are ranked one by one; ties go to the lower index (layers in order, then row by row). Returns bool arrays
    with exactly the counts. Raises ValueError where more weights are asked for than survive.
    """
    if len(counts) == len(scores):
        groups = [(scores[i : i + 1], previous[i : i + 1], count) for i, count in enumerate(counts)]
    else:
        (count,) = counts
        groups = [(scores, previous, count)]
    return [mask for group in groups for mask in _highest(*group)]


def _highest(scores: Sequence[np.ndarray], previous: Sequence[np.ndarray], count: int) -> Masks:
    """One ranking over all given layers, for each replica."""
    flat_scores, alive = (np.concatenate([a.reshape(len(a), -1) for a in arrays], 1) for arrays in (scores, previous))
    mask = np.zeros(flat_scores.shape, bool)
    for row, (score, candidate) in enumerate(zip(flat_scores, alive, strict=True)):
        survivors = np.flatnonzero(candidate)
        if count > len(survivors):
            raise ValueError(f"{count} weights asked for, only {len(survivors)} survive")
        if count:
            # What a stable descending sort would choose, in linear time: all above the last score, then ties in order.
            values = score[survivors]
            last = np.partition(values, len(values) - count)[len(values) - count]
            ties = np.flatnonzero(values == last)
            above = values > last
            above[ties[: count - above.sum()]] = True
            mask[row, survivors[above]] = True
    edges = np.cumsum([a[0].size for a in scores])[:-1]
    return [part.reshape(s.shape) for part, s in zip(np.split(mask, edges, axis=1), scores, strict=True)]


def all_ones(shapes: Sequence[tuple[int, int]], replicas: int) -> Masks:
    """The dense network's mask."""
    return [np.ones((replicas, *shape), bool) for shape in shapes]


def densities(masks: Sequence[np.ndarray]) -> list[np.ndarray]:
    """The share of each layer's weights that survive, (R,) a layer; of a layer without any, as if it had one."""
    return [np.maximum(m.reshape(len(m), -1).mean(1), 1 / m[0].size) for m in masks]


def remaining(masks: Sequence[np.ndarray]) -> np.ndarray:
    """Surviving weights of each replica, (R,) int64."""
    return np.stack([m.reshape(len(m), -1).sum(1, dtype=np.int64) for m in masks]).sum(0)
