"""What training a cell in memory leaves, the attributes of a study's run (`featprune.api.run.Run`) among it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from featprune.api.outcome import RunOutcome
from featprune.network import MLP, Parameters
from featprune.pruning.masks import Masks, remaining


@dataclass(frozen=True, eq=False)
class Trained(RunOutcome):
    """A run that was trained here, a `RunOutcome`; round: 0 is the dense network. diverged: bool (R,)."""

    round: int
    seeds: list[int]
    masks: Masks
    parameters: Parameters
    snapshots: dict[int, Parameters]
    diverged: np.ndarray
    history: pd.DataFrame


@dataclass(frozen=True, eq=False)
class CellResult(Trained):
    """What `prune_and_train` gives: the run of the round asked for, and those that led to it.

    runs: round -> run, of the dense network and of every round that had to be trained. network: what was trained.
    """

    network: MLP
    runs: Mapping[int, Trained]

    @property
    def dense(self) -> Trained:
        """The dense network."""
        return self.runs[0]

    @property
    def table(self) -> pd.DataFrame:
        """A row a round and seed at the last step: round, seed, density, weights_remaining, loss and accuracy by split
        (`test_loss`, `test_accuracy`, ...), diverged."""
        frames = []
        for round, run in self.runs.items():
            columns = {"round": round, "seed": run.seeds, "density": run.density}
            columns |= {"weights_remaining": remaining(run.masks)}
            for split in ("train", "validation", "test"):
                last = run.last(split)
                columns |= {f"{split}_{metric}": last[metric].to_numpy() for metric in ("loss", "accuracy")}
            frames.append(pd.DataFrame(columns | {"diverged": run.diverged}))
        return pd.concat(frames, ignore_index=True)
