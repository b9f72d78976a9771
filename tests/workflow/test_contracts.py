"""The results of a study keep the contracts of its paths and files."""

import json
from itertools import pairwise
from math import floor
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.dataset as ds
import pyarrow.parquet as pq
import pytest
import yaml
from safetensors.numpy import load_file

from featprune.runs import files

KINDS = {".gif", ".json", ".log", ".md", ".parquet", ".png", ".rst", ".safetensors", ".svg", ".tsv", ".yaml"}
STRINGS = (pa.string(), pa.large_string())
SUMMARY = {
    "experiment": STRINGS,
    "alpha": (pa.float64(),),
    "lr": (pa.float64(),),
    "criterion": STRINGS,
    "rewind": STRINGS,
    "round": (pa.int32(),),
    "seed": (pa.int32(),),
    "density": (pa.float64(),),
    "weights_remaining": (pa.int64(),),
    "steps": (pa.int32(),),
    "total_steps": (pa.int64(),),
    "test_accuracy": (pa.float64(),),
    "test_loss": (pa.float64(),),
    "validation_accuracy": (pa.float64(),),
    "validation_loss": (pa.float64(),),
    "early_stop_step": (pa.int32(),),
    "early_stop_test_accuracy": (pa.float64(),),
    "diverged": (pa.bool_(),),
}


@pytest.fixture(scope="module")
def results(finished) -> Path:
    return finished.results


@pytest.fixture(scope="module")
def runs(results) -> list[Path]:
    """The folders of all runs."""
    return sorted(file.parent for file in results.glob("runs/**/weights.safetensors"))


def load_run(run: Path) -> files.Run:
    return files.load_run(run / "mask.safetensors", run / "weights.safetensors")


def load_snapshots(run: Path):
    return files.load_snapshots(run / "snapshots.safetensors", run / "mask.safetensors")


def axes(folder: Path) -> dict[str, str]:
    return dict(part.split("=") for part in folder.parts if "=" in part)


def test_the_runs_are_those_of_the_study(runs):
    found = {(a["experiment"], a["alpha"], a["rewind"], a["round"]) for a in map(axes, runs)}
    tiny = {("tiny", alpha, *run) for alpha in ("0.3", "1") for run in (("dense", "0"), ("init", "1"), ("init", "2"))}
    digits = {("digits", "1", rewind, r) for rewind in ("init", "none") for r in ("1", "2")}
    baseline = {("digits_baseline", "1", "init", r) for r in ("1", "2")}
    dense = {(name, "1", "dense", "0") for name in ("digits", "digits_baseline")}
    references = {("tiny", a, kind, "0") for a in ("0.3", "1") for kind in ("reordered", "reinitialized")}
    assert found == tiny | digits | baseline | dense | references
    assert len(runs) == len(found)
    for run in runs:
        assert [part.split("=")[0] for part in run.parts[-7:]] == [
            "experiment",
            "alpha",
            "lr",
            "criterion",
            "rewind",
            "round",
            "seeds",
        ]
        assert {"mask.safetensors", "density.parquet", "weights.safetensors", "history.parquet"} <= {
            file.name for file in run.iterdir()
        }


# Rows of preactivations are as long as an experiment's widest layer, so each experiment is a dataset of its own.
@pytest.mark.parametrize("pattern", ["**/history.parquet", "experiment=tiny/**/preactivations.parquet"])
def test_a_path_gives_the_axes_as_columns(results, pattern):
    found = sorted(map(str, results.glob(f"runs/{pattern}")))
    table = ds.dataset(found, partitioning="hive").to_table()
    frame = table.select(["experiment", "alpha", "lr", "criterion", "rewind", "round", "seeds"]).to_pandas()
    assert set(frame["experiment"]) == {axes(Path(file))["experiment"] for file in found}
    assert {float(alpha) for alpha in frame["alpha"]} == {0.3, 1.0}
    assert {float(lr) for lr in frame["lr"]} == {1.0}
    assert set(frame["criterion"]) == {"dense", "magnitude"}
    assert set(frame["round"]) == {int(axes(Path(file))["round"]) for file in found}
    assert set(frame["seeds"]) == {"0-1"}


def test_the_root_of_the_runs_is_a_dataset(results):
    runs = ds.dataset(str(results / "runs"), partitioning="hive", exclude_invalid_files=True)
    assert runs.count_rows() > 0
    assert {"experiment", "alpha", "lr", "criterion", "rewind", "round"} <= set(runs.schema.names)


def test_the_schema_of_a_history(runs):
    for run in runs:
        table = pq.read_table(run / "history.parquet", partitioning=None)
        assert list(zip(table.schema.names, table.schema.types, strict=True)) == [
            ("seed", pa.int32()),
            ("step", pa.int32()),
            ("split", pa.string()),
            ("loss", pa.float64()),
            ("accuracy", pa.float64()),
        ]
        assert set(table["split"].to_pylist()) == {"train", "validation", "test"}
        assert {0, 30} <= set(table["step"].to_pylist())
        assert table["loss"].null_count == 0
        assert table["accuracy"].null_count == (len(table) if axes(run)["experiment"] == "tiny" else 0)


def test_the_schema_and_the_order_of_preactivations(runs):
    widest = {"tiny": 8, "digits": 12, "digits_baseline": 12}
    probes = {"tiny": 10, "digits": 20, "digits_baseline": 20}
    found = [run for run in runs if (run / "preactivations.parquet").exists()]
    assert len(found) == 2 * (2 + 2) + 2, "dense runs, references and tickets of tiny, dense runs of the others"
    for run in found:
        experiment = axes(run)["experiment"]
        table = pq.read_table(run / "preactivations.parquet", partitioning=None)
        assert list(zip(table.schema.names, table.schema.types, strict=True)) == [
            ("seed", pa.int32()),
            ("step", pa.int32()),
            ("layer", pa.int8()),
            ("sample", pa.int32()),
            ("preactivation", pa.list_(pa.float32(), widest[experiment])),
        ]
        keys = table.select(["seed", "layer", "step", "sample"]).to_pandas()
        assert keys.equals(keys.sort_values(list(keys), ignore_index=True))
        assert not keys.duplicated().any()
        assert (keys.groupby(["seed", "layer", "step"]).size() == probes[experiment]).all()
        assert set(keys["step"]) == set(load_snapshots(run)[1])


def test_the_schema_of_a_summary(results):
    for experiment, rows in {"tiny": 12, "digits": 10, "digits_baseline": 6}.items():
        table = pq.read_table(results / f"tables/{experiment}/summary.parquet", partitioning=None)
        assert table.schema.names == list(SUMMARY)
        for name, types in SUMMARY.items():
            assert table.schema.field(name).type in types, name
        assert len(table) == rows, "cells, rounds, seeds"
        assert set(table["experiment"].to_pylist()) == {experiment}
        for row in table.to_pylist():
            chained = (row["round"] + 1) * 30 if row["rewind"] == "none" else 30
            assert (row["steps"], row["total_steps"], row["diverged"]) == (30, chained, False)


def test_the_schema_of_the_claims(results):
    known = {"tiny": {"1", "2", "3", "hypothesis"}, "digits": {"1", "headline"}, "digits_baseline": {"1"}}
    for experiment, claims in known.items():
        table = pq.read_table(results / f"tables/{experiment}/claims.parquet", partitioning=None)
        strings = ("claim", "rewind", "statistic", "verdict")
        numbers = ("alpha", "density", "estimate", "ci_low", "ci_high", "null_estimate")
        assert all(table.schema.field(name).type in STRINGS for name in strings)
        assert all(table.schema.field(name).type == pa.float64() for name in numbers)
        assert table.schema.field("n_seeds").type == pa.int32()
        assert set(table["claim"].to_pylist()) == claims
        assert set(table["verdict"].to_pylist()) <= {"holds", "fails", "undecided"}
        assert (results / f"tables/{experiment}/claims.md").read_text().startswith(f"# Claims: {experiment}")


def test_a_dense_run_that_differs_in_one_thing_is_null_and_ceiling(results):
    features = pq.read_table(results / "tables/tiny/features.parquet", partitioning=None).to_pandas()
    assert set(zip(features["criterion"], features["rewind"], strict=True)) == {
        ("magnitude", "init"),
        ("dense", "dense"),
        ("dense", "reordered"),
        ("dense", "reinitialized"),
    }
    at_start = features[(features["step"] == 0) & (features["layer"] == 1)]
    start = at_start.groupby(["target", "rewind"])["correlation"].mean()
    for target, ceiling in (("dense", "reordered"), ("reordered", "dense")):
        assert set(start[target].index) == {"init", ceiling, "reinitialized"}, "nothing is compared with itself"
        assert start[target, ceiling] == pytest.approx(1) and abs(start[target, "reinitialized"]) < 0.5
    shifts = pq.read_table(results / "tables/tiny/time_shift.parquet", partitioning=None).to_pandas()
    assert set(shifts["target"]) == {"dense", "reordered"} and shifts["at_bound"].dtype == bool


def test_the_schema_of_the_connectivity(results):
    table = pq.read_table(results / "tables/tiny/connectivity.parquet", partitioning=None)
    frame = table.to_pandas()
    assert set(zip(frame["pair"], frame["round"], strict=True)) == {("dense_dense", 0), ("ticket_dense", 2)}
    assert len(frame) == 2 * 2 * 2 * 2 and set(frame["alpha"]) == {0.3, 1.0}, "pairs, alphas, seeds, splits"
    assert np.isfinite(frame[["loss_first", "loss_second", "loss_barrier"]]).all(axis=None)
    assert frame["error_barrier"].isna().all(), "a regression"
    assert (frame.loc[frame["pair"] == "dense_dense", "density"] == 1).all()


def pruned(weights, masks):
    return np.concatenate([w[~m] for w, m in zip(weights, masks, strict=True)])


def test_pruned_weights_are_zero_wherever_weights_are_saved(runs):
    looked_at = 0
    for run in runs:
        saved = load_run(run)
        snapshots = load_snapshots(run)[1] if (run / "snapshots.safetensors").exists() else {}
        for parameters in (saved.parameters, *snapshots.values()):
            gone = pruned(parameters.weights, saved.masks)
            assert not gone.any()
            looked_at += len(gone)
        for step, parameters in snapshots.items():
            if step == 30:
                assert all(map(np.array_equal, parameters.weights, saved.parameters.weights))
    assert looked_at > 0


def test_masks_are_nested_and_have_the_exact_counts(runs):
    for run in runs:
        round = int(axes(run)["round"])
        masks = load_run(run).masks
        rates = [0.4] * (len(masks) - 1) + [0.2]
        for mask, rate in zip(masks, rates, strict=True):
            assert mask.dtype == bool
            counts = mask.reshape(len(mask), -1).sum(1)
            assert set(counts) == {floor(mask[0].size * (1 - rate) ** round + 0.5)}
    chains = {}
    for run in runs:
        chains.setdefault(run.parent.parent, {})[int(axes(run)["round"])] = load_run(run).masks
    assert sum(len(chain) > 1 for chain in chains.values()) == 2 + 2 + 1
    for chain in chains.values():
        for (_, before), (_, after) in pairwise(sorted(chain.items())):
            assert all((b | ~a).all() for a, b in zip(after, before, strict=True)), "a pruned weight came back"


def test_round_one_prunes_the_smallest_weights_of_the_shared_dense_run(runs):
    (dense,) = (r for r in runs if axes(r)["experiment"] == "digits" and axes(r)["round"] == "0")
    first = [r for r in runs if axes(r)["experiment"] == "digits" and axes(r)["round"] == "1"]
    assert {axes(run)["rewind"] for run in first} == {"init", "none"}
    for run in first:
        for weights, mask in zip(load_run(dense).parameters.weights, load_run(run).masks, strict=True):
            for w, m in zip(np.abs(weights), mask, strict=True):
                assert w[~m].max() <= w[m].min()


def test_files_are_of_the_known_kinds_and_none_is_a_pickle(results):
    found = [file for file in results.rglob("*") if file.is_file()]
    assert {file.suffix for file in found} == KINDS
    starts = {".safetensors": b"", ".parquet": b"PAR1", ".png": b"\x89PNG", ".svg": b"<?xml", ".gif": b"GIF89a"}
    for file in found:
        assert file.stat().st_size > 0 or file.suffix == ".log"
        assert file.read_bytes().startswith(starts.get(file.suffix, b""))
        if file.suffix == ".safetensors":
            assert load_file(file)


def test_every_figure_of_an_experiment_is_there(results):
    usual = {"accuracy_vs_density", "claims", "layerwise_density", "learning_curves", "pixel_mask", "preactivations"}
    features = {
        "connectivity",
        "feature_similarity",
        "feature_similarity_vs_density",
        "richness",
        "teacher_overlap",
        "toy_preactivations",
    }
    classes = usual | {"early_stop"}
    drawn = {"tiny": usual | features | {"alpha_sweep"}, "digits": classes | {"headline"}, "digits_baseline": classes}
    for experiment, names in drawn.items():
        found = {file.name for file in (results / "figures" / experiment).iterdir()}
        animated = {"preactivation_dynamics.gif"} if experiment == "tiny" else set()
        assert found == {f"{name}.{kind}" for name in names for kind in ("png", "svg")} | animated


def test_the_resolved_config_tells_everything(results):
    config = yaml.safe_load((results / "config.yaml").read_text())
    assert list(config["experiments"]) == config["run"] == ["tiny", "digits", "digits_baseline"]
    assert config["experiments"]["tiny"]["alphas"] == ["0.3", "1"]
    baseline = config["experiments"]["digits_baseline"]
    assert baseline["model"] == config["experiments"]["digits"]["model"], "what is inherited is spelled out"
    assert baseline["pruning"]["scope"] == "per_layer", "so are the defaults"


def test_the_provenance_tells_with_what(results):
    told = json.loads((results / "provenance.json").read_text())
    assert {"packages", "commit", "python", "platform"} <= set(told)
    assert {"featprune", "torch", "numpy", "snakemake"} <= set(told["packages"])
    assert all(told["packages"].values())


def test_every_job_has_left_a_log_and_a_benchmark(results):
    for kind in ("logs", "benchmarks"):
        assert len([file for file in (results / kind).rglob("*.log" if kind == "logs" else "*.tsv")]) == 78, kind
