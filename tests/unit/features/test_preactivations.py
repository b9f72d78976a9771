import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from featprune.datasets.dataset import Dataset
from featprune.errors import FeatpruneError
from featprune.features.preactivations import dump_preactivations, probe_set, read_preactivations
from featprune.network import MLP

NETWORK = MLP((6, 5, 4, 3), "tanh")
STEPS = (0, 3, 10)


def made_data(counts=(40, 25, 5)) -> Dataset:
    rng = np.random.default_rng(0)
    y = rng.permutation(np.repeat(np.arange(len(counts)), counts))
    x = rng.standard_normal((len(y), 6)).astype(np.float32)
    return Dataset(x, y, x, y, x, y)


@pytest.fixture
def dumped(tmp_path):
    data = made_data()
    snapshots = {step: NETWORK.initial([4, 5], step) for step in STEPS}
    path = tmp_path / "preactivations.parquet"
    dump_preactivations(path, NETWORK, snapshots, [4, 5], data, 12)
    return path, data, snapshots


def test_probe_set_is_balanced_and_fixed():
    data = made_data()
    probe = probe_set(data, 15)
    assert np.bincount(data.test_y[probe]).tolist() == [5, 5, 5]
    # A class that runs out leaves its places to the others.
    assert np.bincount(data.test_y[probe_set(data, 21)]).tolist() == [8, 8, 5]
    np.testing.assert_array_equal(probe, probe_set(data, 15))
    assert (np.diff(probe) > 0).all()


def test_probe_larger_than_the_test_split_is_an_error():
    with pytest.raises(FeatpruneError, match=r"features\.probe: 71 is larger than the test split \(70"):
        probe_set(made_data(), 71)


def test_schema_and_order_are_the_contracts(dumped):
    path, _, _ = dumped
    schema = pq.read_schema(path)
    assert schema.names == ["seed", "step", "layer", "sample", "preactivation"]
    assert [schema.field(i).type for i in range(4)] == [pa.int32(), pa.int32(), pa.int8(), pa.int32()]
    assert schema.field(4).type == pa.list_(pa.float32(), 5)
    table = pq.read_table(path, partitioning=None).to_pandas()
    keys = table[["seed", "layer", "step", "sample"]]
    assert keys.equals(keys.sort_values(["seed", "layer", "step", "sample"], ignore_index=True))
    assert len(table) == 2 * 3 * 3 * 12


def test_values_are_the_networks_preactivations(dumped):
    path, data, snapshots = dumped
    probe = probe_set(data, 12)
    seen = 0
    for seed, layer, step, sample, h in read_preactivations(path):
        np.testing.assert_array_equal(sample, probe)
        p = snapshots[step]
        a = data.test_x[probe]
        for below in range(layer):
            z = a @ p.weights[below][seed - 4].T + p.biases[below][seed - 4]
            a = np.tanh(z)
        np.testing.assert_allclose(h, z, rtol=1e-5, atol=1e-6)
        seen += 1
    assert seen == 2 * 3 * 3


def test_entries_behind_a_layers_units_are_null(dumped):
    table = pq.read_table(dumped[0], partitioning=None).to_pandas()
    row = table[table["layer"] == 3]["preactivation"].iloc[0]
    assert np.isnan(row[3:].astype(float)).all() and np.isfinite(row[:3].astype(float)).all()


def test_one_seed_can_be_read_alone(dumped):
    assert {seed for seed, *_ in read_preactivations(dumped[0], seed=5)} == {5}


def test_a_truncated_file_is_named(dumped):
    path = dumped[0]
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(FeatpruneError, match=r"preactivations\.parquet: missing, truncated"):
        list(read_preactivations(path))
