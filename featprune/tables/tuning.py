"""The choice that the validation split makes: the one place where anything is chosen by its results."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from featprune.tables.frames import AXES
from featprune.tables.reading import read_frame

PLACE = ["alpha", "criterion", "rewind"]  # what a frozen rate is for
QUALITY = "quality"  # of a frozen rate, on the validation split of the seeds that it was tuned on


def tune(
    summary: pd.DataFrame,
    over: Sequence[str],
    seeds: Collection[int] = (),
    rates: Sequence[Mapping[str, Any]] | None = None,
) -> pd.DataFrame:
    """The rows of `summary` at the best value of the axes `over`, for each combination of the other axes.

    Best is the highest mean validation accuracy over seeds (the lowest validation loss for regression); a value at
    which any seed diverged loses to all others; ties go to the smaller value. Test columns take no part.

    Args:
        seeds: those that choose, and of which no row is returned; without any, all choose and all are returned.
        rates: frozen rates, a mapping with the keys of PLACE, lr, edge and quality for each place. With them nothing
            chooses an lr: only rows at these are looked at; and an alpha is chosen by their quality where all have
            one, so that no seed of the summary chooses.

    Returns:
        The rows, with a column `edge`: whether their lr is the smallest or largest of the several that were tried
        there, so that a better one may lie beyond. False where there was only one, which is no choice.
    """
    runs = _with_edges(summary) if rates is None else summary.merge(pd.DataFrame(rates), on=[*PLACE, "lr"])
    kept = [axis for axis in AXES if axis not in over]
    choosing = runs["seed"].isin(seeds)
    best = _scored(runs[choosing] if len(seeds) else runs, [*kept, *over]).drop_duplicates(kept)
    found = runs[~choosing].merge(best[[*kept, *over]], on=[*kept, *over])
    return found.drop(columns=QUALITY, errors="ignore").sort_values([*AXES, "seed"], ignore_index=True)


def _with_edges(summary: pd.DataFrame) -> pd.DataFrame:
    """The rows with the column `edge` of `tune`."""
    grid = summary.groupby([axis for axis in AXES if axis != "lr"])["lr"]
    low, high = grid.transform("min"), grid.transform("max")
    return summary.assign(edge=(low < high) & ((summary["lr"] == low) | (summary["lr"] == high)))


def _scored(runs: pd.DataFrame, axes: Sequence[str]) -> pd.DataFrame:
    """Each combination of the axes with its mean `quality` on validation: the best first, ties by the axes."""
    accuracy = runs["validation_accuracy"]
    quality = accuracy if accuracy.notna().any() else -runs["validation_loss"]
    if QUALITY in runs and runs[QUALITY].notna().all():
        quality = runs[QUALITY]
    scored = runs.assign(quality=quality.fillna(-np.inf)).groupby([*axes])[["quality"]].mean().reset_index()
    return scored.sort_values("quality", ascending=False, kind="stable")


def build_best_of(summary: str, decide_at: Sequence[int]) -> dict[str, pd.DataFrame]:
    """The table `best_of`, from the experiment's summary."""
    return {"best_of.parquet": best_of(read_frame(summary), decide_at)}


def best_of(summary: pd.DataFrame, decide_at: Sequence[int]) -> pd.DataFrame:
    """How good the best of k rates is on validation, in expectation over which k of the n that were run one tries.

    The mean over seeds and deciding rounds (0 of dense runs) is what is best, as for `rates`; a draw is with
    replacement: the expectation of the maximum of k from the empirical distribution (Dodge et al. 2019). A row an
    experiment, alpha, criterion, rewind and k from 1 to n; validation accuracy, or minus the loss for regression. A
    rate at which a seed diverged counts as -inf.
    """
    place_of = ["experiment", *PLACE]
    scored = _scored(summary[summary["round"].isin([0, *decide_at])], [*place_of, "lr"])
    rows = []
    for place, tried in scored.groupby(place_of):
        values = np.sort(tried["quality"].to_numpy())
        n = len(values)
        for k in range(1, n + 1):
            shares = np.diff((np.arange(n + 1) / n) ** k)
            rows.append((*place, k, n, float(values @ shares)))
    return pd.DataFrame(rows, columns=[*place_of, "k", "n", "expected"])


def build_rates(summary: str, decide_at: Sequence[int], selection: Mapping[str, Any]) -> dict[str, str]:
    """The table `rates` as CSV, from the experiment's summary; alpha and lr as short as they can be written."""
    table = rates(read_frame(summary), decide_at, selection["seeds"])
    written = {axis: table[axis].map("{:.12g}".format) for axis in ("alpha", "lr")}
    return {"rates.csv": table.assign(**written).to_csv(index=False, float_format="%.6g")}


def rates(summary: pd.DataFrame, decide_at: Sequence[int], seeds: Collection[int] = ()) -> pd.DataFrame:
    """One rate for all densities: the best by the mean over seeds and over the rounds `decide_at` (0 of dense runs).

    A row an alpha, criterion and rewind. Columns: those of PLACE, lr, edge (as for `tune`), validation_accuracy and
    validation_loss (means at that rate), and deficit: by how much less the runner-up is good, in accuracy, or in loss
    for regression; empty where there is none. seeds: those that choose; without any, all.
    """
    runs = _with_edges(summary[summary["round"].isin([0, *decide_at])])
    runs = runs[runs["seed"].isin(seeds)] if len(seeds) else runs
    scored = _scored(runs, [*PLACE, "lr"])
    quality = scored.groupby(PLACE)["quality"]
    scored["deficit"] = scored["quality"] - quality.shift(-1)
    means = runs.groupby([*PLACE, "lr", "edge"])[["validation_accuracy", "validation_loss"]].mean().reset_index()
    best = scored.drop_duplicates(PLACE).merge(means, on=[*PLACE, "lr"], validate="one_to_one")
    columns = [*PLACE, "lr", "edge", "validation_accuracy", "validation_loss", "deficit"]
    return best[columns].sort_values(PLACE, ignore_index=True)
