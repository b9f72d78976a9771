import itertools

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from featprune.datasets.dataset import Dataset
from featprune.errors import FeatpruneError
from featprune.features.comparison import compare_features, compare_with_targets, read_features
from featprune.features.preactivations import dump_preactivations, schema
from featprune.features.similarity import compare
from featprune.network import MLP
from tests.unit.features.turning import N, P, noise, turning

NETWORK = MLP((6, 5, 4, 3), "tanh")


def compare_files(run, dense):
    return compare_features(read_features(run), read_features(dense))


def dumped(path, seeds=(4, 5), steps=(0, 1, 4, 16), size=12, purpose="a"):
    """The preactivations of untrained networks, other ones at each step."""
    rng = np.random.default_rng(0)
    x, y = rng.standard_normal((40, 6)).astype(np.float32), rng.integers(0, 3, 40)
    snapshots = {step: NETWORK.initial(seeds, purpose, step) for step in steps}
    dump_preactivations(path, NETWORK, snapshots, seeds, Dataset(x, y, x, y, x, y), size)
    return path


def write(path, runs, samples=P):
    """A preactivation file of seed -> layers -> step -> H."""
    table_schema = schema([N] * len(next(iter(runs.values()))))
    with pq.ParquetWriter(path, table_schema) as writer:
        for seed, layers in runs.items():
            for layer, matrices in enumerate(layers, 1):
                h = np.concatenate(list(matrices.values())).astype(np.float32)
                columns = [
                    pa.array(np.full(len(h), seed, np.int32)),
                    pa.array(np.repeat(np.array(list(matrices), np.int32), samples)),
                    pa.array(np.full(len(h), layer, np.int8)),
                    pa.array(np.tile(np.arange(samples, dtype=np.int32), len(matrices))),
                    pa.FixedSizeListArray.from_arrays(pa.array(h.ravel()), N),
                ]
                writer.write_table(pa.Table.from_arrays(columns, schema=table_schema))
    return path


def test_a_run_is_like_itself_at_every_step_and_not_ahead(tmp_path):
    steps = (0, 1, 4, 16, 64, 256)
    path = dumped(tmp_path / "a.parquet", steps=steps)
    features, shifts = compare_files(path, path)
    assert features[["seed", "layer", "step"]].to_numpy().tolist() == [
        list(key) for key in itertools.product((4, 5), (1, 2, 3), steps)
    ]
    for measure in ("correlation", "assigned_correlation", "cka", "kernel_alignment"):
        np.testing.assert_allclose(features[measure], 1, atol=1e-9)
    assert (features["frobenius"] == 0).all() and (features["shared"] == features["units"]).all()
    assert shifts["seed"].tolist() == [4, 5] and (shifts["shift"] == 0).all()
    np.testing.assert_allclose(shifts[["correlation", "shifted_correlation"]], 1, atol=1e-9)


def test_rows_are_those_of_the_matrices_in_the_files(tmp_path):
    run, dense = turning(1.7), turning()
    features, _ = compare_files(write(tmp_path / "a", {3: run}), write(tmp_path / "b", {3: dense}))
    for row in features.to_dict("records"):
        a, b = (side[row["layer"] - 1][row["step"]].astype(np.float32) for side in (run, dense))
        assert compare(a, b).row().items() <= row.items()
    changes = ["change_correlation", "change_shared", "change_alive", "movement"]
    assert list(features.columns) == ["seed", "step", "layer", *compare(a, b).row(), *changes]
    assert features[["seed", "step", "layer"]].dtypes.astype(str).tolist() == ["int32", "int32", "int8"]


def test_change_correlation_is_that_of_what_training_added(tmp_path):
    dense = turning()
    # Another start, then the same changes but for the first unit's, which are opposite.
    signs = np.where(np.arange(N) == 0, -1.0, 1.0)
    run = [{step: noise(h) + signs * (h - layer[0]) for step, h in layer.items()} for layer in dense]
    features, _ = compare_files(write(tmp_path / "a", {0: run}), write(tmp_path / "b", {0: dense}))
    change = features.set_index("step")["change_correlation"]
    assert change[0].isna().all()
    np.testing.assert_allclose(change.drop(0), (N - 2) / N, atol=1e-5)
    assert features["correlation"].max() < 0.5


def test_movement_and_live_changes_are_those_of_the_target(tmp_path):
    run, dense = turning(), turning(1.5)
    for h in run[0].values():
        h[:, 0] = 1  # dead in the run from the start on
    for step, h in dense[0].items():
        h[:, 1] = dense[0][0][:, 1] + 0.25 * step  # moves, but equally for all inputs
    features, _ = compare_files(write(tmp_path / "a", {0: run}), write(tmp_path / "b", {0: dense}))
    for row in features.to_dict("records"):
        h, start = (dense[row["layer"] - 1][step].astype(np.float32) for step in (row["step"], 0))
        assert row["movement"] == pytest.approx(np.linalg.norm(h.astype(float) - start), rel=1e-12)
        counts = (0, 0) if row["step"] == 0 else (N - 2, N - 1) if row["layer"] == 1 else (N, N)
        assert (row["change_shared"], row["change_alive"]) == counts
        assert np.isnan(row["change_correlation"]) == (row["step"] == 0)
    assert features["movement"].dtype == np.float64


def test_every_target_has_rows_of_its_own(tmp_path):
    run, dense, reordered = (
        read_features(write(tmp_path / name, {0: turning(faster)}))
        for name, faster in (("run", 2.0), ("dense", 1.0), ("reordered", 0.5))
    )
    tables = compare_with_targets(run, {"dense": dense, "reordered": reordered})
    for table, number in zip(tables, range(2), strict=True):
        assert table["target"].unique().tolist() == ["dense", "reordered"]
        for name, target in (("dense", dense), ("reordered", reordered)):
            mine = table[table["target"] == name].drop(columns="target").reset_index(drop=True)
            pd.testing.assert_frame_equal(mine, compare_features(run, target)[number])


def test_only_steps_that_both_have_are_compared(tmp_path):
    a, b = dumped(tmp_path / "a", steps=(0, 4, 16)), dumped(tmp_path / "b", steps=(0, 5, 16), purpose="b")
    features, _ = compare_files(a, b)
    assert set(features["step"]) == {0, 16}


@pytest.mark.parametrize("other", [{"seeds": (4,)}, {"seeds": (4, 6)}, {"size": 13}], ids=str)
def test_files_of_other_seeds_or_samples_are_refused_by_name(tmp_path, other):
    a, b = dumped(tmp_path / "run.parquet"), dumped(tmp_path / "dense.parquet", **other)
    with pytest.raises(FeatpruneError, match=r"run\.parquet: seeds, layers or samples differ .*dense\.parquet"):
        compare_files(a, b)


def test_a_broken_file_is_named(tmp_path):
    a, b = dumped(tmp_path / "run.parquet"), dumped(tmp_path / "dense.parquet")
    b.write_bytes(b.read_bytes()[:-20])
    with pytest.raises(FeatpruneError, match=r"dense\.parquet: missing, truncated"):
        compare_files(a, b)
