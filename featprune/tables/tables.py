"""Tidy tables from saved runs. Light: nothing here needs torch.

Every function takes paths or frames and returns a frame; the axes of the sweep come from the runs' paths.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from scipy import stats

from featprune.criteria import CRITERIA
from featprune.pruning.masks import remaining
from featprune.rewind import REWINDS
from featprune.runs.files import load_masks
from featprune.runs.paths import DENSE
from featprune.storage import load_table

CELL = ["alpha", "lr", "criterion", "rewind", "round"]

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


def axes(folder: Path) -> dict:
    """The axes that a run's path names, as values: {"experiment": ..., "alpha": 0.3, ..., "round": 2}."""
    named = dict(part.split("=", 1) for part in Path(folder).parts if "=" in part)
    named.pop("seeds")
    return named | {"alpha": float(named["alpha"]), "lr": float(named["lr"]), "round": int(named["round"])}


def densities(folders: Iterable[Path]) -> pd.DataFrame:
    """A row a run and seed: the axes, seed, density and weights_remaining."""
    rows = []
    for folder in folders:
        seeds, masks = load_masks(folder)
        size = sum(m[0].size for m in masks)
        for seed, count in zip(seeds, remaining(masks).tolist(), strict=True):
            rows.append(axes(folder) | {"seed": seed, "density": count / size, "weights_remaining": count})
    return pd.DataFrame(rows)


def learning_curves(folders: Sequence[Path]) -> pd.DataFrame:
    """Every run's history with its axes and density."""
    frames = [load_table(Path(folder) / "history.parquet").to_pandas().assign(**axes(folder)) for folder in folders]
    curves = pd.concat(frames, ignore_index=True).astype({"loss": "float64", "accuracy": "float64"})
    keys = ["experiment", *CELL, "seed"]
    curves = curves.merge(densities(folders), on=keys, validate="many_to_one")
    return curves[[*keys, "density", "weights_remaining", "step", "split", "loss", "accuracy"]]


def summarize(curves: pd.DataFrame, late_step: int | None) -> pd.DataFrame:
    """One row a run and seed, with the columns of SUMMARY_TYPES, from `learning_curves`.

    Metrics are those of the last step; a diverged run has null metrics. The early stop is the evaluated step with
    the smallest validation loss.
    """
    keys = ["experiment", *CELL, "seed"]
    last = curves["step"] == curves.groupby(keys)["step"].transform("max")
    table = curves[[*keys, "density", "weights_remaining"]].drop_duplicates()
    for split in ("test", "validation"):
        final = curves[last & (curves["split"] == split)].rename(
            columns={"accuracy": f"{split}_accuracy", "loss": f"{split}_loss", "step": "steps"}
        )
        wanted = [f"{split}_accuracy", f"{split}_loss"] + (["steps"] if split == "test" else [])
        table = table.merge(final[keys + wanted], on=keys, validate="one_to_one")
    behind = [
        0 if (c, w) == DENSE else REWINDS[w].trained(1 if CRITERIA[c].one_shot else r, s, late_step)
        for c, w, r, s in zip(table["criterion"], table["rewind"], table["round"], table["steps"], strict=True)
    ]
    table["total_steps"] = table["steps"] + behind
    table["diverged"] = table["test_loss"].isna()
    table = table.merge(_early_stop(curves, keys), on=keys, how="left", validate="one_to_one")
    stopped = ["early_stop_step", "early_stop_test_accuracy"]
    table[stopped] = table[stopped].mask(table["diverged"])
    return table.astype(SUMMARY_TYPES)[list(SUMMARY_TYPES)].sort_values(keys, ignore_index=True)


def _early_stop(curves: pd.DataFrame, keys: list[str]) -> pd.DataFrame:
    """Step and test accuracy at the smallest validation loss (the first such step), where there is one."""
    validation = curves[(curves["split"] == "validation") & curves["loss"].notna()]
    best = validation.loc[validation.groupby(keys)["loss"].idxmin(), [*keys, "step"]]
    test = curves.loc[curves["split"] == "test", [*keys, "step", "accuracy"]]
    found = best.merge(test, on=[*keys, "step"], validate="one_to_one")
    return found.rename(columns={"step": "early_stop_step", "accuracy": "early_stop_test_accuracy"})


def tune(summary: pd.DataFrame, over: Sequence[str]) -> pd.DataFrame:
    """The rows of `summary` at the best value of the axes `over`, for each combination of the other axes.

    Best is the highest mean validation accuracy over seeds (the lowest validation loss for regression); a value at
    which any seed diverged loses to all others; ties go to the smaller value. Test columns take no part.
    """
    kept = [axis for axis in CELL if axis not in over]
    if summary["validation_accuracy"].notna().any():
        quality = summary["validation_accuracy"]
    else:
        quality = -summary["validation_loss"]
    scored = summary.assign(quality=quality.fillna(-np.inf)).groupby([*kept, *over], as_index=False)["quality"].mean()
    best = scored.sort_values("quality", ascending=False, kind="stable").drop_duplicates(kept)
    return summary.merge(best[[*kept, *over]], on=[*kept, *over]).sort_values([*CELL, "seed"], ignore_index=True)


def headline(ours: pd.DataFrame, baseline: pd.DataFrame) -> pd.DataFrame:
    """The two sides' winning tickets, each tuned on validation at every round: lr for both, and alpha for ours."""

    def tickets(summary: pd.DataFrame) -> pd.DataFrame:
        return summary[
            (summary["round"] == 0) | ((summary["criterion"] == "magnitude") & (summary["rewind"] == "init"))
        ]

    sides = {"baseline": tune(tickets(baseline), ["lr"]), "ours": tune(tickets(ours), ["alpha", "lr"])}
    table = pd.concat([side.assign(side=name) for name, side in sides.items()], ignore_index=True)
    columns = ["side", "round", "density", "seed", "alpha", "lr"]
    return table[[*columns, "validation_accuracy", "test_accuracy"]]


def paired_gains(headline: pd.DataFrame) -> dict[tuple[int, float], pd.Series]:
    """(round, density) -> ours minus baseline in test accuracy, of each seed that both have."""
    wide = headline.pivot(index=["round", "density", "seed"], columns="side", values="test_accuracy").dropna()
    return dict(list((wide["ours"] - wide["baseline"]).groupby(level=["round", "density"])))


def headline_difference(headline: pd.DataFrame) -> pd.DataFrame:
    """Ours minus baseline in test accuracy, paired by seed: mean, 95 % Student-t interval, p of the paired t test.

    A row a round that both sides have; nulls where fewer than two seeds have both.
    """
    rows = []
    for (round, density), gain in paired_gains(headline).items():
        row = {"round": round, "density": density, "n_seeds": len(gain), "difference": gain.mean()}
        row["ci_low"] = row["ci_high"] = row["p_value"] = np.nan
        if len(gain) > 1:
            test = stats.ttest_1samp(gain, 0)
            row["p_value"] = test.pvalue
            row["ci_low"], row["ci_high"] = test.confidence_interval(0.95)
        rows.append(row)
    types = {"round": "int32", "n_seeds": "int32"}
    columns = ["round", "density", "n_seeds", "difference", "ci_low", "ci_high", "p_value"]
    return pd.DataFrame(rows, columns=columns).astype(types)


def layers(folders: Sequence[Path]) -> pd.DataFrame:
    """Density of every layer: a row a run, seed and layer (from 1); `collapsed` where a layer has no weights left."""
    overall = densities(folders)
    rows = []
    for folder in folders:
        point = axes(folder)
        seeds, masks = load_masks(folder)
        for layer, mask in enumerate(masks, 1):
            for seed, share in zip(seeds, mask.mean((1, 2)).tolist(), strict=True):
                rows.append(point | {"seed": seed, "layer": layer, "layer_density": share, "collapsed": share == 0})
    keys = ["experiment", *CELL, "seed"]
    return pd.DataFrame(rows).merge(overall[[*keys, "density"]], on=keys, validate="many_to_one")


def transfer(own: pd.DataFrame, others: pd.DataFrame, mask_alphas: Mapping[str, float]) -> pd.DataFrame:
    """Tickets trained at other alphas than the one their mask was found at (`mask_alpha`), tuned over lr.

    own: the summary of the experiment whose tickets they are, which gives the diagonal. others: the summaries of the
    experiments that train them at each alpha, with the alpha of each one's masks in `mask_alphas`.
    """
    borrowed = others[(others["criterion"] == "ticket") & (others["rewind"] == "init")]
    borrowed = borrowed.assign(mask_alpha=borrowed["experiment"].map(mask_alphas))
    tickets = own[(own["criterion"] == "magnitude") & (own["rewind"] == "init")]
    shared = {axis: tickets[axis].isin(borrowed[axis].unique()) for axis in ("alpha", "lr", "round")}
    tickets = tickets[shared["alpha"] & shared["lr"] & shared["round"]]
    table = pd.concat([tickets.assign(mask_alpha=tickets["alpha"]), borrowed], ignore_index=True)
    # A ticket that went round by another experiment and came back to its own alpha is the same run again.
    table = table.drop_duplicates(["mask_alpha", "alpha", "lr", "round", "seed"])
    table = pd.concat([tune(group, ["lr"]) for _, group in table.groupby("mask_alpha")], ignore_index=True)
    metrics = ["test_accuracy", "validation_accuracy", "test_loss", "validation_loss"]
    table = table.assign(experiment=own["experiment"].iloc[0])
    return table[["experiment", "mask_alpha", "alpha", "lr", "round", "density", "seed", *metrics]]


def compression(folders: Sequence[Path], summary: pd.DataFrame) -> pd.DataFrame:
    """The compressed runs' sizes and accuracies, with density and the accuracy of the dense network they come from."""
    frames = [load_table(Path(f) / "compression.parquet").to_pandas().assign(**axes(f)) for f in folders]
    point = ["experiment", *CELL, "seed"]
    table = pd.concat(frames, ignore_index=True).merge(summary[[*point, "density"]], on=point, validate="one_to_one")
    dense = summary[(summary["criterion"] == "dense") & (summary["rewind"] == "dense")]
    dense = dense[["alpha", "lr", "seed", "test_accuracy"]].rename(columns={"test_accuracy": "dense_accuracy"})
    return table.merge(dense, on=["alpha", "lr", "seed"], validate="many_to_one")


def collect(folders: Sequence[Path], file: str) -> pd.DataFrame:
    """A per-seed table that every run has under this name, all together with the axes and density of each run."""
    return with_density(
        (load_table(Path(folder) / file).to_pandas().assign(**axes(folder)) for folder in folders), folders
    )


def with_density(frames: Iterable[pd.DataFrame], folders: Sequence[Path]) -> pd.DataFrame:
    """The rows of all runs (their axes among the columns), with the density of each run and seed."""
    keys = ["experiment", *CELL, "seed"]
    density = densities(folders)[[*keys, "density"]]
    return density.merge(pd.concat(frames, ignore_index=True), on=keys, validate="one_to_many")


def pixel_mask(folders: Sequence[Path]) -> pd.DataFrame:
    """Surviving first-layer weights at each input: a row a run, seed and pixel."""
    density = densities(folders).set_index(["alpha", "lr", "criterion", "rewind", "round", "seed"])["density"]
    frames = []
    for folder in folders:
        point = axes(folder)
        seeds, masks = load_masks(folder)
        for seed, mask in zip(seeds, masks[0], strict=True):
            survivors = mask.sum(0, dtype=np.int32)
            key = tuple(point[axis] for axis in CELL)
            frame = pd.DataFrame({"pixel": np.arange(len(survivors), dtype=np.int32), "survivors": survivors})
            frames.append(frame.assign(**point, seed=seed, density=density[(*key, seed)]))
    table = pd.concat(frames, ignore_index=True)
    return table[["experiment", *CELL, "density", "seed", "pixel", "survivors"]]


def preactivation_sample(folders: Sequence[Path], labels: np.ndarray, layer: int, samples: int) -> pd.DataFrame:
    """A part of the preactivations small enough to draw: each run's first seed, one layer, a few samples, every step.

    labels: of the whole test split. Samples are spread over the probe set ordered by label.
    """
    from featprune.features.preactivations import read_preactivations

    frames = []
    for folder in folders:
        point = axes(folder)
        path = Path(folder) / "preactivations.parquet"
        seed = min(load_masks(folder)[0])
        matrices = {t: (s, h) for _, at, t, s, h in read_preactivations(path, seed) if at == layer}
        for step in sorted(matrices):
            sample, h = matrices[step]
            by_label = np.argsort(labels[sample].reshape(len(sample), -1)[:, 0], kind="stable")
            rows = by_label[np.unique(np.linspace(0, len(sample) - 1, samples).round().astype(int))]
            units = h.shape[1]
            frame = pd.DataFrame(
                {
                    "step": np.int32(step),
                    "layer": np.int8(layer),
                    "sample": np.repeat(sample[rows], units),
                    "label": np.repeat(labels[sample[rows]].reshape(len(rows), -1)[:, 0], units).astype(float),
                    "unit": np.tile(np.arange(units, dtype=np.int32), len(rows)),
                    "preactivation": h[rows].ravel(),
                }
            )
            frames.append(frame.assign(**point, seed=np.int32(seed)))
    return with_density(frames, folders)
