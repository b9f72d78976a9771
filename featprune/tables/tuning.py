"""The choice that the validation split makes: the one place where anything is chosen by its results."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from featprune.tables.frames import AXES


def tune(summary: pd.DataFrame, over: Sequence[str]) -> pd.DataFrame:
    """The rows of `summary` at the best value of the axes `over`, for each combination of the other axes.

    Best is the highest mean validation accuracy over seeds (the lowest validation loss for regression); a value at
    which any seed diverged loses to all others; ties go to the smaller value. Test columns take no part.
    """
    kept = [axis for axis in AXES if axis not in over]
    if summary["validation_accuracy"].notna().any():
        quality = summary["validation_accuracy"]
    else:
        quality = -summary["validation_loss"]
    scored = summary.assign(quality=quality.fillna(-np.inf)).groupby([*kept, *over])[["quality"]].mean().reset_index()
    best = scored.sort_values("quality", ascending=False, kind="stable").drop_duplicates(kept)
    return summary.merge(best[[*kept, *over]], on=[*kept, *over]).sort_values([*AXES, "seed"], ignore_index=True)
