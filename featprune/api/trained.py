"""What training a cell in memory leaves: the same attributes as of a run of a study (`featprune.api.run.Run`)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from featprune.network import MLP, Parameters
from featprune.pruning.masks import Masks, remaining


@dataclass(frozen=True, eq=False)
class Trained:
    """A run that was trained here, its R seeds on the leading axis; the attributes are those of a saved run.

    round: 0 is the dense network. masks: bool (R, out, in) a layer, the output layer last. parameters: weights (R, out,
    in), exactly zero where pruned, and biases (R, out), float32. snapshots: step -> such parameters. diverged: bool
    (R,). history: a row a seed, step and split, with loss (the mean over samples) and accuracy (a share).
    """

    round: int
    seeds: list[int]
    masks: Masks
    parameters: Parameters
    snapshots: dict[int, Parameters]
    diverged: np.ndarray
    history: pd.DataFrame

    @property
    def weights(self) -> tuple[np.ndarray, ...]:
        """Trained weights, float32 (R, out, in) a layer."""
        return self.parameters.weights

    @property
    def biases(self) -> tuple[np.ndarray, ...]:
        """Trained biases, float32 (R, out) a layer."""
        return self.parameters.biases

    @property
    def density(self) -> np.ndarray:
        """The share of weights that survive, float64 (R,)."""
        return remaining(self.masks) / sum(mask[0].size for mask in self.masks)

    @property
    def accuracy(self) -> np.ndarray:
        """Test accuracy at the last step, a share, float64 (R,); NaN of a diverged network and in a regression."""
        return self.last("test")["accuracy"].to_numpy()

    @property
    def loss(self) -> np.ndarray:
        """Test loss at the last step, float64 (R,); NaN of a diverged network."""
        return self.last("test")["loss"].to_numpy()

    def last(self, split: str) -> pd.DataFrame:
        """The last step's rows of a split, a row a seed."""
        mine = self.history[(self.history["split"] == split) & (self.history["step"] == self.history["step"].max())]
        return mine.set_index("seed").loc[self.seeds].reset_index()


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
