"""What the extraction of a round's mask finds on disk: the run before it, and the tickets' masks. Needs no torch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from featprune.datasets.dataset import Dataset
from featprune.errors import FeatpruneError
from featprune.network import MLP
from featprune.pruning.criterion import Context
from featprune.pruning.masks import Mask, Masks, Schedule, all_ones
from featprune.rewind import REWINDS
from featprune.runs.files import FilePath, load_mask, load_run
from featprune.runs.paths import DENSE, RunPath


def context_of(
    params: Mapping[str, Any],
    network: MLP,
    data: Dataset,
    mask_file: FilePath | None = None,
    weights_file: FilePath | None = None,
) -> Context:
    """The context of the first of the rounds that a job extracts.

    params: as `Study.extraction_params` gives them. The files are those of the run that the round goes on from; None
    where there is none: then the masks before it are all ones.
    """
    seeds, previous, trained = params["seeds"], None, None
    schedule = Schedule(**params["schedule"])
    if mask_file is not None and weights_file is not None:
        run = load_run(mask_file, weights_file, seeds)
        check_shapes(mask_file, run.masks, network)
        if params["criterion"] != DENSE.criterion:
            check_counts(mask_file, run.masks, schedule)
        previous, trained = run.masks, run.parameters
    return Context(
        network,
        data,
        seeds,
        schedule,
        REWINDS[params["rewind"]],
        params["rounds"][0],
        all_ones(network.shapes, len(seeds)) if previous is None else previous,
        trained,
        samples=params["samples"],
        **params["objective"],
    )


def tickets_of(mask_files: Sequence[FilePath], seeds: Sequence[int], network: MLP) -> list[Mask]:
    """The tickets' masks of consecutive rounds, each nested in the one before; none where there are no files."""
    tickets = masks_of(mask_files, seeds, network)
    for before, ticket, file in zip(tickets, tickets[1:], mask_files[1:], strict=False):
        if any((mask & ~alive).any() for alive, mask in zip(before.layers, ticket.layers, strict=True)):
            raise wrong_mask(file, "keeps weights that the round before it prunes")
    return tickets


def masks_of(mask_files: Sequence[FilePath], seeds: Sequence[int], network: MLP) -> list[Mask]:
    """The masks of several rounds of a network."""
    masks = []
    for file in mask_files:
        masks.append(load_mask(file, seeds)[1])
        check_shapes(file, masks[-1].layers, network)
    return masks


def check_shapes(mask_file: FilePath, masks: Masks, network: MLP) -> None:
    """Raise FeatpruneError unless a mask is one of this network."""
    if [mask.shape[1:] for mask in masks] != network.shapes:
        found = ", ".join(str(mask.shape[1:]) for mask in masks)
        raise wrong_mask(mask_file, f"is of layers {found}, not of {', '.join(map(str, network.shapes))}")


def check_counts(mask_file: FilePath, masks: Masks, schedule: Schedule) -> None:
    """Raise FeatpruneError unless a mask keeps what the schedule keeps in the round that its path names."""
    round = RunPath.parse(mask_file).round if "round=" in str(mask_file) else None
    if round is None:
        return
    wanted = schedule.counts([mask[0].size for mask in masks], int(round))
    layers = np.stack([mask.reshape(len(mask), -1).sum(1) for mask in masks], axis=1)
    found = layers if len(wanted) == len(masks) else layers.sum(1, keepdims=True)
    if (found != wanted).any():
        kept = ", ".join(map(str, found[(found != wanted).any(1)][0]))
        raise wrong_mask(mask_file, f"keeps {kept} weights, where the schedule keeps {', '.join(map(str, wanted))}")


def wrong_mask(mask_file: FilePath, text: str) -> FeatpruneError:
    """An error that says what is wrong with a mask."""
    return FeatpruneError(f"{mask_file}: {text}; delete it and run again to make it anew")
