"""Runs on disk: the dense run, the chains that prune it, and the files they leave.

A run's folder holds mask, weights, history and, for the rounds whose features are studied, snapshots. A chain is one
(criterion, rewind): round r's mask comes from round r - 1's weights and mask of the same chain; round 1 of every
chain prunes the one dense run they share.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from featprune.criteria import CRITERIA
from featprune.datasets.dataset import Dataset
from featprune.engine.settings import Settings, Start
from featprune.engine.training import train
from featprune.errors import lookup
from featprune.network import MLP, Parameters
from featprune.pruning.masks import Schedule, all_ones
from featprune.pruning.rounds import from_tickets, prune
from featprune.rewind import REWINDS, Origin
from featprune.runs.files import Run, load_run, save_run
from featprune.runs.paths import DENSE, REINITIALIZED, REORDERED


@dataclass(frozen=True)
class DenseRun:
    """What sets a dense run of a seed apart from others: its draw of the initialization, its data order."""

    draw: tuple[str, ...] = ()
    order: tuple[str, ...] = ()


# The dense run that all chains share, and those that features are compared with besides: each differs in one thing.
DENSE_VARIANTS: dict[str, DenseRun] = {
    DENSE.rewind: DenseRun(),
    REORDERED.rewind: DenseRun(order=("reordered",)),
    REINITIALIZED.rewind: DenseRun(draw=("reinitialized",)),
}


def train_dense(
    network: MLP,
    data: Dataset,
    seeds: Sequence[int],
    settings: Settings,
    folder: Path,
    rewind: str = DENSE[1],
    device: str = "cpu",
) -> None:
    """Round 0: train every seed without pruning and save the run in `folder`.

    rewind: which of the dense runs, a name in DENSE_VARIANTS.
    """
    kind = lookup(DENSE_VARIANTS, rewind, "dense run")
    masks = all_ones(network.shapes, len(seeds))
    initial = network.initial(seeds, *kind.draw)
    settings = replace(settings, order=kind.order)
    outcome = train(network, Start(initial, initial), masks, data, seeds, settings, device)
    save_run(folder, masks, outcome, seeds)


def train_pruned(
    network: MLP,
    data: Dataset,
    seeds: Sequence[int],
    settings: Settings,
    *,
    criterion: str,
    rewind: str,
    schedule: Schedule,
    late_step: int | None,
    previous: Path,
    folders: dict[int, Path],
    snapshot_rounds: Sequence[int] = (),
    tickets: dict[int, Path] | None = None,
    samples: int = 1000,
    device: str = "cpu",
) -> None:
    """Continue a chain from the run in `previous` through consecutive rounds, saving each in its folder.

    previous: the run of the round before, or for a one-shot criterion the dense run. folders: round -> folder.
    tickets: round -> folder of the lottery ticket's run, whose mask is used instead of the chain's own (by criteria
    made of tickets, and by random rewinding with `mask_source: ticket`). samples: how many training samples a criterion
    sees. A seed that diverges stays in the tables as diverged for the rest of its chain.
    """
    rule, strategy = lookup(CRITERIA, criterion, "criterion"), lookup(REWINDS, rewind, "rewind")
    run = load_run(previous, seeds)
    initial = network.initial(seeds)

    def late() -> Parameters:
        # A run is reproducible bit for bit, so its first steps can be had again for less than storing them.
        return _first_steps(network, initial, data, seeds, settings, late_step, device)

    for round, folder in folders.items():
        sound = np.ones(len(seeds), bool) if rule.at == "initial" else run.parameters.finite()
        if tickets:
            ticket = load_run(tickets[round], seeds)
            masks, sound = ticket.masks, ticket.parameters.finite()
            if rule.of_ticket:
                masks = from_tickets(rule, masks, seeds, round)
        elif rule.prunes:
            masks = prune(
                rule, network, run.parameters, initial, run.masks, schedule, round, data, seeds, settings, samples
            )
        else:
            masks = run.masks
        draw = ("redraw", round)
        origin = Origin(round, initial, run.parameters, late, lambda draw=draw: network.initial(seeds, *draw))
        start = _poison(strategy.start(origin), sound)
        here = replace(
            settings,
            behind=strategy.trained(1 if rule.one_shot else round, settings.steps, late_step),
            milestones=settings.milestones if strategy.rewinds_rate else (0,) * len(settings.milestones),
            snapshot_at=settings.snapshot_at if round in snapshot_rounds else (),
        )
        outcome = train(network, start, masks, data, seeds, here, device)
        save_run(folder, masks, outcome, seeds)
        if not rule.one_shot:
            run = Run(list(seeds), masks, outcome.parameters.masked(masks))


def _first_steps(network, initial, data, seeds, settings, steps, device) -> Parameters:
    """The dense run's parameters after its first steps."""
    short = replace(settings, steps=steps, evaluate_at=(0,), snapshot_at=(), behind=0, evaluation_samples=1)
    masks = all_ones(network.shapes, len(seeds))
    return train(network, Start(initial, initial), masks, data, seeds, short, device).parameters


def _poison(start: Start, alive: np.ndarray) -> Start:
    """Mark replicas whose chain has diverged by values that aren't finite, so that they count as diverged here too."""
    biases = tuple(np.where(alive[:, None], b, np.float32(np.nan)) for b in start.parameters.biases)
    return Start(Parameters(start.parameters.weights, biases), start.reference)
