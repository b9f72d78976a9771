"""What a trained run leaves, whether it was saved by a study or trained here."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from featprune.network import Parameters
from featprune.pruning.masks import Masks, remaining


class RunOutcome:
    """R networks, one a seed, on the leading axis of all arrays.

    seeds: in the order of that axis. masks: which weights survive, bool (R, out, in) a layer, the output layer last.
    parameters: weights and biases after training. snapshots: step -> weights and biases there. history: a row a seed,
    step and split, with loss (the mean over samples) and accuracy (a share; NaN in a regression): the validation split
    along training, all splits at the last step, and the test split at the early stop.
    """

    if TYPE_CHECKING:  # each class has these in its own way, loaded or kept

        @property
        def seeds(self) -> list[int]: ...

        @property
        def masks(self) -> Masks: ...

        @property
        def parameters(self) -> Parameters: ...

        @property
        def snapshots(self) -> dict[int, Parameters]: ...

        @property
        def history(self) -> pd.DataFrame: ...

    @property
    def weights(self) -> tuple[np.ndarray, ...]:
        """Trained weights, float32 (R, out, in) a layer, exactly zero where pruned."""
        return self.parameters.weights

    @property
    def biases(self) -> tuple[np.ndarray, ...]:
        """Trained biases, float32 (R, out) a layer; never pruned."""
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
