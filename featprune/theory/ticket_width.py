"""Is a ticket more like its dense parent, or like a dense network of its own effective width?

In mean-field parametrization width alone changes little (Vyas et al. 2023). A ticket shares its initial values with its
parent, which another draw of the parent doesn't, and neither does a network of another width.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np
import pandas as pd

from featprune.criteria import CRITERIA
from featprune.datasets.dataset import Dataset
from featprune.engine.settings import Settings
from featprune.features.similarity import unbiased_cka
from featprune.network import MLP, Parameters
from featprune.pruning.criterion import Context
from featprune.pruning.masks import Masks, Schedule, remaining
from featprune.rewind import REWINDS
from featprune.runs.chain import Trainer, dense_mask, train_chain, train_dense
from featprune.theory.runs import descent, follow
from featprune.theory.widths import ALPHAS, Seen, digits, network, see

COLUMNS = ["seed", "round", "density", "width", "a", "b", "step", "layer", "measure", "value"]
PARENT, ANOTHER = "parent", "another"  # draws of the dense network
TICKET, RANDOM = "ticket", "random"  # masks of it, with the parent's initial values
# Dense networks with as many weights, in mean-field and in NTK parametrization, and with as many units, as the ticket.
NARROW, NTK, UNITS = "narrow", "narrow_ntk", "units"
CRITERION = {TICKET: "magnitude", RANDOM: "random"}
PAIRS = [
    *((TICKET, other) for other in (PARENT, ANOTHER, NARROW, NTK, UNITS)),
    *((RANDOM, other) for other in (PARENT, ANOTHER, NARROW)),
    (NARROW, ANOTHER),
    (PARENT, ANOTHER),
]


def measure(
    *, seeds: int, width: int, rate: float, rounds: int, alpha: float, lr: float, batch: int, steps: int
) -> pd.DataFrame:
    """How far tickets, and what they are compared with, are apart: rows of COLUMNS, a and b being networks of a pair.

    All networks of a seed see the same batches. rate: the share of each layer that a round prunes. density, width: of
    the ticket, and of the dense network with as many weights. Measures: `distance`, |f_a - f_b| over the norm of the
    targets; `nearest`, the smallest to b at any step, since a ticket may be where b was earlier; `dissimilarity`, 1 -
    linear CKA of a hidden layer's preactivations; and of a alone `test_loss`.
    """
    data = digits()
    settings = descent(lr, steps, batch, alpha=alpha, snapshots=14)
    trainer = Trainer(network(data, width, width), data, range(seeds))
    rows: list[tuple] = []
    for number, masks, networks in train_all(trainer, settings, rate, rounds):
        left = int(remaining(masks)[0])
        here = number, left / sum(m[0].size for m in masks), equal_width(trainer.network, left)
        for seed in range(seeds):
            own = {kind: seen[seed] for kind, seen in networks.items()}
            rows += [(seed, *here, *row) for row in compare(own, data.test_y)]
    return pd.DataFrame(rows, columns=COLUMNS)


def train_all(
    trainer: Trainer, settings: Settings, rate: float, rounds: int
) -> Iterator[tuple[int, Masks, dict[str, list[Seen]]]]:
    """Of each round its number, the tickets' masks, and all networks, one a seed."""
    parent, data, seeds = trainer.network, trainer.data, list(trainer.seeds)
    outcome = train_dense(trainer, settings)[1]

    def dense(
        hidden: Sequence[int], purpose: str, chosen: Sequence[int], parametrization: str = "mean_field"
    ) -> list[Seen]:
        model = network(data, *hidden)
        # Where layers differ, alpha goes with the geometric mean of their widths.
        factor = ALPHAS[parametrization](float(np.sqrt(np.prod(hidden))) / parent.widths[1])
        own = replace(settings, alpha=settings.alpha * factor)
        return each(model, follow(model, model.initial(chosen, purpose), data, own, seeds=chosen), own, data)

    shared = {
        PARENT: each(parent, outcome.snapshots, settings, data),
        ANOTHER: dense(parent.widths[1:-1], ANOTHER, seeds),
    }
    chains = {}
    for kind, name in CRITERION.items():
        schedule = Schedule("per_layer", {"hidden": rate, "output": rate})
        context = Context(
            parent, data, seeds, schedule, REWINDS["init"], 1, dense_mask(parent, seeds).layers, outcome.parameters
        )
        chains[kind] = train_chain(trainer, CRITERIA[name], context, dict.fromkeys(range(1, rounds + 1), settings))
    for number, pruned in enumerate(zip(*chains.values(), strict=True), 1):
        found = dict(zip(chains, pruned, strict=True))
        masks = found[TICKET][0].layers
        narrow = equal_width(parent, int(remaining(masks)[0]))
        networks = {kind: each(parent, run.snapshots, settings, data) for kind, (_, run) in found.items()}
        networks[NARROW] = dense((narrow, narrow), NARROW, seeds)
        networks[NTK] = dense((narrow, narrow), NARROW, seeds, "ntk")
        networks[UNITS] = [
            seen
            for seed, hidden in zip(seeds, living_units(masks), strict=True)
            for seen in dense(hidden, UNITS, [seed])
        ]
        yield number, masks, shared | networks


def each(model: MLP, states: dict[int, Parameters], settings: Settings, data: Dataset) -> list[Seen]:
    """What networks, one a seed, make of the test inputs."""
    seen = see(model, states, settings, data.test_x)
    return [seen.one(number) for number in range(len(seen.f[0]))]


def equal_width(parent: MLP, weights: int) -> int:
    """The width of the dense network with two hidden layers, and the parent's inputs and outputs, that comes nearest
    to this number of weights: of n^2 + (inputs + outputs) n = weights the solution, rounded; at least 1."""
    ends = parent.widths[0] + parent.widths[-1]
    return max(1, round((np.sqrt(ends**2 + 4 * weights) - ends) / 2))


def living_units(masks: Masks) -> list[list[int]]:
    """How many units of each hidden layer have weights on both sides, for each network; at least 1."""
    fed = [m.any(2) for m in masks[:-1]]
    heard = [m.any(1) for m in masks[1:]]
    counts = [(a & b).sum(1) for a, b in zip(fed, heard, strict=True)]
    return np.maximum(1, np.stack(counts, 1)).tolist()


def compare(networks: dict[str, Seen], y: np.ndarray) -> Iterator[tuple]:
    """All measures of one seed's networks: a, b, step, layer, measure, value."""
    for a, seen in networks.items():
        for step, f in seen.f.items():
            yield a, "", step, 0, "test_loss", float(np.square(f - y).mean())
    for a, b in PAIRS:
        one, other = networks[a], networks[b]
        for step, f in one.f.items():
            apart = {then: float(np.linalg.norm(f - g) / np.linalg.norm(y)) for then, g in other.f.items()}
            yield a, b, step, 0, "distance", apart[step]
            yield a, b, step, 0, "nearest", min(apart.values())
            for layer, (g, h) in enumerate(zip(one.layers[step], other.layers[step], strict=True), 1):
                yield a, b, step, layer, "dissimilarity", 1 - unbiased_cka(g, h)


def differences(table: pd.DataFrame, to: str, beside: str = NARROW) -> pd.DataFrame:
    """At the last step d(ticket, beside) - d(ticket, to), above zero where the ticket is more like `to`.

    Also of test losses, |log L_a / L_b|, as measure `test_loss`. Rows of round, density, measure, layer, seed
    and value.
    """
    keys = ["round", "density", "measure", "layer", "seed"]
    last = table[table["step"] == table["step"].max()]
    alone = last[last["measure"] == "test_loss"]
    apart = {}
    for name in (beside, to):
        pairs = last[(last["a"] == TICKET) & (last["b"] == name)].set_index(keys)["value"]
        losses = (np.log(alone[alone["a"] == kind].set_index(keys)["value"]) for kind in (TICKET, name))
        apart[name] = pd.concat([pairs, abs(next(losses) - next(losses))])
    return (apart[beside] - apart[to]).rename("value").reset_index()
