import itertools

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from featprune.datasets.dataset import Dataset
from featprune.errors import FeatpruneError
from featprune.features.comparison import MAX_SHIFT, SHIFTS, compare_features, read_features, time_shift
from featprune.features.preactivations import dump_preactivations, schema
from featprune.features.similarity import compare
from featprune.network import MLP

P, N = 30, 6
NETWORK = MLP((6, 5, 4, 3), "tanh")
STEPS = (0, *(2**k for k in range(9)))
SPEED = 0.4  # radians that the made features turn by in a doubling of time
GRID = SHIFTS[1] - SHIFTS[0]


def compare_files(run, dense):
    return compare_features(read_features(run), read_features(dense))


def dumped(path, seeds=(4, 5), steps=(0, 1, 4, 16), size=12, purpose="a"):
    """The preactivations of untrained networks, other ones at each step."""
    rng = np.random.default_rng(0)
    x, y = rng.standard_normal((40, 6)).astype(np.float32), rng.integers(0, 3, 40)
    snapshots = {step: NETWORK.initial(seeds, purpose, step) for step in steps}
    dump_preactivations(path, NETWORK, snapshots, seeds, Dataset(x, y, x, y, x, y), size)
    return path


def turning(faster=1.0, seed=0, steps=STEPS, layers=2):
    """Each layer's step -> H, whose units turn evenly in log time: correlation of two times cos(SPEED log2 ratio)."""
    rng, made = np.random.default_rng(seed), []
    for _ in range(layers):
        h = rng.standard_normal((P, 2 * N))
        # Centered and orthogonal, so that correlations are cosines of angles.
        first, second = np.split(np.linalg.qr(h - h.mean(0))[0], 2, axis=1)
        angles = {step: SPEED * np.log2(max(step, 0.5) * faster) for step in steps}
        made.append({step: np.cos(angle) * first + np.sin(angle) * second for step, angle in angles.items()})
    return made


def noise(like, seed=9):
    return np.random.default_rng(seed).standard_normal(like.shape)


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
    path = dumped(tmp_path / "a.parquet")
    features, shifts = compare_files(path, path)
    assert features[["seed", "layer", "step"]].to_numpy().tolist() == [
        list(key) for key in itertools.product((4, 5), (1, 2, 3), (0, 1, 4, 16))
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
    assert list(features.columns) == ["seed", "step", "layer", *compare(a, b).row(), "change_correlation"]
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


@pytest.mark.parametrize("shift", [-1.0, -0.5, 0.0, 0.3, 1.0, 1.5])
def test_a_planted_shift_is_found(tmp_path, shift):
    run, dense = ({seed: turning(faster, seed) for seed in (0, 1)} for faster in (2**shift, 1))
    _, shifts = compare_files(write(tmp_path / "a", run), write(tmp_path / "b", dense))
    assert shifts["shift"].to_numpy() == pytest.approx([shift] * 2, abs=GRID + 1e-9)
    # The correlation of two states is known; float32 files and interpolation cost little.
    np.testing.assert_allclose(shifts["correlation"], np.cos(SPEED * shift), atol=1e-4)
    assert (shifts["shifted_correlation"] > 0.995).all()


def test_whole_doublings_are_found_exactly():
    for shift in (-1, 1):
        found = time_shift(turning(2.0**shift), turning())
        assert found["shift"] == pytest.approx(shift, abs=1e-9) and found["shifted_correlation"] == pytest.approx(1)


def test_shifts_stop_at_the_largest():
    assert time_shift(turning(2.0**3), turning())["shift"] == MAX_SHIFT
    assert time_shift(turning(2.0**-3), turning())["shift"] == -MAX_SHIFT


def test_between_its_steps_the_dense_network_is_interpolated_in_log_time():
    # Of the dense network only 2 and 32 are there: at 8, its features are the mean of both.
    rng = np.random.default_rng(0)
    ends = rng.standard_normal((2, P, N))
    found = time_shift([{0: ends[0], 8: ends.mean(0), 32: ends[1]}], [{0: ends[0], 2: ends[0], 32: ends[1]}])
    assert found["shift"] == pytest.approx(0, abs=1e-9) and found["correlation"] == pytest.approx(1)


def test_only_hidden_layers_and_inner_steps_decide_the_shift(tmp_path):
    run, dense = turning(2.0, layers=3), turning(layers=3)
    expected = time_shift(run[:2], dense[:2])
    for layer in run:
        layer |= {step: noise(h) for step, h in layer.items() if not 4 <= step <= max(STEPS) / 4}
    run[2] = {step: noise(h, step) for step, h in run[2].items()}
    _, shifts = compare_files(write(tmp_path / "a", {0: run}), write(tmp_path / "b", {0: dense}))
    assert shifts.iloc[0].drop("seed").to_dict() == pytest.approx(expected, rel=1e-6)


def test_a_shift_is_the_mean_over_layers_and_steps():
    run, dense = turning(2.0), turning()
    inner = [step for step in STEPS if 4 <= step <= max(STEPS) / 4]
    run[1] = {step: noise(h, step) for step, h in run[1].items()}
    pairs = [compare(a[t], b[t]).correlation for a, b in zip(run, dense, strict=True) for t in inner]
    assert time_shift(run, dense)["correlation"] == pytest.approx(np.mean(pairs))


def test_dead_units_take_no_part_in_a_shift():
    run, dense = turning(2.0), turning()
    for h in run[0].values():
        h[:, 0] = 0.5
    # Nor does a unit that was dead at one step only: its ups and downs say nothing on time.
    dense[0][16][:, 1] = 0
    found = time_shift(run, dense)
    assert found["shift"] == pytest.approx(1) and found["shifted_correlation"] == pytest.approx(1)


def test_without_an_inner_step_or_a_unit_alive_there_is_no_shift():
    short = turning(steps=(0, 1, 2, 4, 8))
    assert np.isnan(list(time_shift(short, short).values())).all()
    shortest = turning(steps=(0, 1, 2, 4, 8, 16))
    assert time_shift(shortest, shortest)["shift"] == 0
    dead = [{step: np.zeros((P, N)) for step in STEPS}]
    assert np.isnan(list(time_shift(dead, turning(layers=1)).values())).all()
