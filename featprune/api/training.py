"""The runs of a cell, trained in memory by what trains them in the workflow's jobs, in their order."""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext, redirect_stdout
from dataclasses import dataclass, replace

import pandas as pd

from featprune.api.trained import Trained
from featprune.criteria import CRITERIA
from featprune.datasets.dataset import Dataset
from featprune.engine.settings import Settings
from featprune.engine.training import Outcome
from featprune.experiment import run_settings, steps_behind
from featprune.network import MLP, Parameters
from featprune.pruning.criterion import Context, Criterion
from featprune.pruning.masks import Mask, Schedule, all_ones
from featprune.pruning.rounds import extract_masks
from featprune.rewind import REWINDS
from featprune.runs.chain import Trainer, train_chain, train_dense, train_rounds
from featprune.runs.paths import TICKET
from featprune.sections import Training


@dataclass(frozen=True, eq=False)
class Cell:
    """A point of a sweep, its data in memory; samples: how many training samples scores and repairs see."""

    network: MLP
    data: Dataset
    seeds: list[int]
    training: Training
    alpha: float
    center: bool
    schedule: Schedule
    samples: int
    late_step: int | None
    device: str
    snapshots: bool

    def runs(self, criterion: Criterion, rewind: str, last: int) -> Iterator[tuple[int, Trained]]:
        """(round, run) of the dense network, and of each round that has to be trained for the last one."""
        trainer = Trainer(self.network, self.data, self.seeds, self.device)
        mask, dense = train_dense(trainer, self.settings())
        yield 0, self.trained(0, mask, dense)
        if last:
            for round, mask, outcome in self.pruned(trainer, dense.parameters, criterion, rewind, last):
                yield round, self.trained(round, mask, outcome)

    def pruned(
        self, trainer: Trainer, dense: Parameters, criterion: Criterion, rewind: str, last: int
    ) -> Iterator[tuple[int, Mask, Outcome]]:
        """(round, mask, outcome) of the pruned rounds; where masks need no training of the chain, and a round none of
        the round before, of the last one only."""
        entry, late = REWINDS[rewind], self.late_step if rewind == "late" else None
        settings = {round: self.settings(criterion, rewind, round) for round in range(1, last + 1)}
        trainer = replace(trainer, teacher=dense if entry.teacher else None)
        context = self.context(rewind, dense if criterion.source in ("chain", "dense") else None)
        if criterion.source == "chain":
            made = train_chain(trainer, criterion, context, settings, (), late)
            yield from ((round, *run) for round, run in zip(settings, made, strict=True))
            return
        tickets: Sequence[Mask] = ()
        if criterion.source == "ticket":
            plain = replace(trainer, teacher=None)
            chain = self.pruned(plain, dense, CRITERIA[TICKET.criterion], TICKET.rewind, last)
            tickets = [mask for _, mask, _ in chain]
        always = criterion.source == "dense"
        needed = list(settings) if entry.continues and not always else [last]
        masks = list(extract_masks(criterion, context, list(settings), tickets))
        trainer = replace(trainer, repair=criterion.repair, samples=self.samples)
        outcomes = train_rounds(
            trainer,
            entry,
            [masks[round - 1] for round in needed],
            {round: settings[round] for round in needed},
            dense if entry.continues else None,
            late,
            always,
        )
        yield from ((round, masks[round - 1], outcome) for round, outcome in zip(needed, outcomes, strict=True))

    def context(self, rewind: str, trained: Parameters | None) -> Context:
        """What the mask of the first round is made from."""
        ones = all_ones(self.network.shapes, len(self.seeds))
        return Context(
            self.network,
            self.data,
            self.seeds,
            self.schedule,
            REWINDS[rewind],
            1,
            ones,
            trained,
            alpha=self.alpha,
            center=self.center,
            loss=self.training.loss,
            samples=self.samples,
        )

    def settings(self, criterion: Criterion | None = None, rewind: str = "", round: int = 0) -> Settings:
        """Those of a chain's round, or of the dense run."""
        entry, steps = (REWINDS[rewind] if criterion else None), self.training.steps
        behind = steps_behind(criterion, entry, round, steps, self.late_step) if criterion and entry else 0
        late_step = (self.late_step or 0) if rewind == "late" else 0
        return Settings(
            **run_settings(
                self.training,
                entry,
                lr=self.training.lr,
                alpha=self.alpha,
                center=self.center,
                behind=behind,
                late_step=late_step,
                snapshots=self.snapshots,
            )
        )

    def trained(self, round: int, mask: Mask, outcome: Outcome) -> Trained:
        """A run as its user sees it."""
        history = pd.DataFrame({"round": round, **outcome.history}).astype({"split": "str"})
        weights = outcome.parameters.masked(mask.layers)
        return Trained(round, self.seeds, mask.layers, weights, outcome.snapshots, outcome.diverged, history)


@contextmanager
def undisturbed(verbose: bool) -> Iterator[None]:
    """Leave torch's number of threads as it was, and unless `verbose` print nothing."""
    import torch

    threads = torch.get_num_threads()
    try:
        with nullcontext() if verbose else redirect_stdout(io.StringIO()):
            yield
    finally:
        torch.set_num_threads(threads)
