"""The part of the preactivations that is drawn."""

import numpy as np
import pytest

from featprune.data import prepare_dataset
from featprune.features.preactivations import dump_preactivations, probe_set
from featprune.network import MLP
from featprune.tables.preactivations import build_preactivations, sample
from tests.unit.tables.made import files, write_run

DATA = prepare_dataset("digits")
NETWORK = MLP((64, 4, 6, 10), "relu")
SNAPSHOTS = {step: NETWORK.initial([0, 1], step) for step in (0, 7)}


def write(root, **run):
    folder = write_run(root, **run)
    dump_preactivations(folder / "preactivations.parquet", NETWORK, SNAPSHOTS, [0, 1], DATA, 80)
    return folder


def test_a_sample_is_the_first_seeds_and_spread_over_the_labels(tmp_path):
    folder = write(tmp_path)
    table = sample(str(folder / "preactivations.parquet"), DATA.test_y, layer=2, samples=20)
    assert set(table["seed"]) == {0} and set(table["layer"]) == {2} and set(table["step"]) == {0, 7}
    assert len(table) == 2 * 20 * 6
    labels = table.drop_duplicates("sample")["label"]
    assert labels.is_monotonic_increasing and labels.value_counts().max() <= 3 and labels.nunique() == 10
    assert (table["label"] == DATA.test_y[table["sample"]]).all()
    probe = probe_set(DATA, 80)
    for row in table.sample(10, random_state=0).to_dict("records"):
        parameters = SNAPSHOTS[row["step"]]
        h = NETWORK.preactivations(parameters.weights, parameters.biases, DATA.test_x[probe])[1][0]
        expected = h[np.flatnonzero(probe == row["sample"])[0], row["unit"]]
        assert row["preactivation"] == pytest.approx(expected, rel=1e-5)


def test_all_runs_come_with_their_axes_and_density(tmp_path):
    DATA.save(tmp_path / "data.safetensors")
    folders = [write(tmp_path), write(tmp_path, criterion="magnitude", rewind="init", round=2, kept=5)]
    paths = files(folders, "preactivations.parquet"), files(folders, "density.parquet")
    table = build_preactivations(*paths, str(tmp_path / "data.safetensors"))["preactivations.parquet"]
    assert set(zip(table["round"], table["rewind"], table["density"], strict=True)) == {
        (0, "dense", 1.0),
        (2, "init", 5 / 6),
    }
    assert len(table) == 2 * 2 * 60 * 4 and set(table["layer"]) == {1}
