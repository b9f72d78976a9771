"""Runs on disk: the dense run, the chains that prune it, and the files they leave.

A run's folder holds mask, weights, history and, for the rounds whose features are studied, snapshots. A chain is one
(criterion, rewind): round r's mask comes from round r - 1's weights and mask of the same chain; round 1 of every
chain prunes the one dense run they share.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from featprune.criteria import CRITERIA
from featprune.dataset import Dataset
from featprune.errors import lookup
from featprune.masks import Schedule, all_ones, extract_mask
from featprune.network import MLP, Parameters
from featprune.rewind import REWINDS, Origin, Start
from featprune.runfiles import Run, load_run, save_run
from featprune.training import Settings, train


def network_for(model: dict, data: Dataset) -> MLP:
    """The network that a config's `model` describes, with as many inputs and outputs as the data."""
    widths = (data.inputs, *model["hidden"], data.outputs)
    return MLP(widths, model["activation"], model["init"], model["parametrization"])


def train_dense(
    network: MLP, data: Dataset, seeds: Sequence[int], settings: Settings, folder: Path, device: str = "cpu"
) -> None:
    """Round 0: train every seed without pruning and save the run in `folder`."""
    masks = all_ones(network.shapes, len(seeds))
    initial = network.initial(seeds)
    save_run(
        folder, masks, train(network, Start(initial, initial), masks, data, seeds, settings, device), seeds, settings
    )


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
    mask_folders: dict[int, Path] | None = None,
    device: str = "cpu",
) -> None:
    """Continue a chain from the run in `previous` through consecutive rounds, saving each in its folder.

    folders: round -> folder. mask_folders: round -> folder of the run whose mask is used instead of the chain's own
    (`mask_source: ticket`). A seed that diverges stays in the tables as diverged for the rest of its chain.
    """
    rule, strategy = lookup(CRITERIA, criterion, "criterion"), lookup(REWINDS, rewind, "rewind")
    run = load_run(previous, seeds)
    initial = network.initial(seeds)

    def late() -> Parameters:
        # A run is reproducible bit for bit, so its first steps can be had again for less than storing them.
        return _first_steps(network, initial, data, seeds, settings, late_step, device)

    for round, folder in folders.items():
        sound = run.parameters.finite()
        if mask_folders:
            ticket = load_run(mask_folders[round], seeds)
            masks, sound = ticket.masks, ticket.parameters.finite()
        elif rule.prunes:
            # A diverged replica's scores say nothing; its mask only has to exist, since its chain isn't trained on.
            scores = [np.nan_to_num(s) for s in rule.score(network, run.parameters, seeds, round)]
            masks = extract_mask(scores, run.masks, schedule.counts([m[0].size for m in run.masks], round))
        else:
            masks = run.masks
        draw = ("redraw", round)
        origin = Origin(round, initial, run.parameters, late, lambda draw=draw: network.initial(seeds, *draw))
        start = _poison(strategy.start(origin), sound)
        behind = strategy.trained(round, settings.steps, late_step)
        here = replace(settings, behind=behind, snapshot_at=settings.snapshot_at if round in snapshot_rounds else ())
        outcome = train(network, start, masks, data, seeds, here, device)
        save_run(folder, masks, outcome, seeds, here)
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
