"""What the extraction of a round's mask finds on disk: the run before it, and the tickets' masks. Needs no torch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from featprune.datasets.dataset import Dataset
from featprune.network import MLP
from featprune.pruning.criterion import Context
from featprune.pruning.masks import Mask, Schedule, all_ones
from featprune.rewind import REWINDS
from featprune.runs.files import FilePath, load_mask, load_run


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
    if mask_file is not None and weights_file is not None:
        run = load_run(mask_file, weights_file, seeds)
        previous, trained = run.masks, run.parameters
    return Context(
        network,
        data,
        seeds,
        Schedule(**params["schedule"]),
        REWINDS[params["rewind"]],
        params["rounds"][0],
        all_ones(network.shapes, len(seeds)) if previous is None else previous,
        trained,
        samples=params["samples"],
        **params["objective"],
    )


def tickets_of(mask_files: Sequence[FilePath], seeds: Sequence[int]) -> list[Mask]:
    """The tickets' masks of consecutive rounds; none where there are no files."""
    return [load_mask(file, seeds)[1] for file in mask_files]
