"""How well every run does: learning curves, their summary, and the summary at the rates chosen on validation."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import pandas as pd

from featprune.tables.frames import RUN
from featprune.tables.reading import batches, read_density, read_runs
from featprune.tables.tuning import tune

SUMMARY_TYPES = {
    "experiment": "str",
    "alpha": "float64",
    "lr": "float64",
    "criterion": "str",
    "rewind": "str",
    "round": "int32",
    "seed": "int32",
    "density": "float64",
    "weights_remaining": "int64",
    "steps": "int32",
    "total_steps": "int64",
    "test_accuracy": "float64",
    "test_loss": "float64",
    "validation_accuracy": "float64",
    "validation_loss": "float64",
    "early_stop_step": "Int32",
    "early_stop_test_accuracy": "float64",
    "diverged": "bool",
}


def build_summary(
    histories: Sequence[str],
    densities: Sequence[str],
    behind: Mapping[str, Sequence[int]],
    selection: Mapping[str, Any],
) -> dict[str, pd.DataFrame | Iterator[pd.DataFrame]]:
    """The tables `learning_curves`, `summary` and `tuned`; `behind` as for `summarize`, `selection` keywords of `tune`.

    `tuned` alone leaves out the seeds that only choose. The files are in one order of runs. Histories are read twice,
    some at a time: all together are many times what a summary takes.
    """

    def curves() -> Iterator[pd.DataFrame]:
        for some, theirs in batches(histories, densities):
            yield learning_curves(read_runs(some), read_density(theirs))

    summary = pd.concat([summarize(some, behind) for some in curves()]).sort_values(RUN, ignore_index=True)
    return {
        "learning_curves.parquet": curves(),
        "summary.parquet": summary,
        "tuned.parquet": tune(summary, ["lr"], **selection),
    }


def learning_curves(histories: pd.DataFrame, density: pd.DataFrame) -> pd.DataFrame:
    """Every run's history with its density."""
    curves = histories.astype({"loss": "float64", "accuracy": "float64"})
    curves = curves.merge(density, on=RUN, validate="many_to_one")
    return curves[[*RUN, "density", "weights_remaining", "step", "split", "loss", "accuracy"]]


def summarize(curves: pd.DataFrame, behind: Mapping[str, Sequence[int]]) -> pd.DataFrame:
    """One row a run and seed, with the columns of SUMMARY_TYPES, from `learning_curves`.

    behind: "criterion/rewind" -> of each round, the steps that lie behind the start of its runs.

    `steps` are those of the run itself, whatever the number of its first step. Metrics are those of the last step; a
    diverged run has null metrics. The early stop is the evaluated step with the smallest validation loss.
    """
    first, final_step = (curves.groupby(RUN)["step"].transform(which) for which in ("min", "max"))
    curves, last = curves.assign(steps=final_step - first), curves["step"] == final_step
    table = curves[[*RUN, "density", "weights_remaining"]].drop_duplicates()
    for split in ("test", "validation"):
        final = curves[last & (curves["split"] == split)].rename(
            columns={"accuracy": f"{split}_accuracy", "loss": f"{split}_loss"}
        )
        wanted = [f"{split}_accuracy", f"{split}_loss"] + (["steps"] if split == "test" else [])
        table = table.merge(final[RUN + wanted], on=RUN, validate="one_to_one")
    runs = zip(table["criterion"], table["rewind"], table["round"], strict=True)
    table["total_steps"] = table["steps"] + [behind[f"{c}/{w}"][r] for c, w, r in runs]
    table["diverged"] = table["test_loss"].isna()
    table = table.merge(_early_stop(curves), on=RUN, how="left", validate="one_to_one")
    stopped = ["early_stop_step", "early_stop_test_accuracy"]
    table[stopped] = table[stopped].mask(table["diverged"])
    return table.astype(SUMMARY_TYPES)[list(SUMMARY_TYPES)].sort_values(RUN, ignore_index=True)


def _early_stop(curves: pd.DataFrame) -> pd.DataFrame:
    """Step and test accuracy at the smallest validation loss (the first such step), where there is one."""
    validation = curves[(curves["split"] == "validation") & curves["loss"].notna()]
    best = validation.loc[validation.groupby(RUN)["loss"].idxmin(), [*RUN, "step"]]
    test = curves.loc[curves["split"] == "test", [*RUN, "step", "accuracy"]]
    found = best.merge(test, on=[*RUN, "step"], validate="one_to_one")
    return found.rename(columns={"step": "early_stop_step", "accuracy": "early_stop_test_accuracy"})
