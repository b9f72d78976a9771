"""The file that a prepared dataset is kept in."""

import numpy as np
import pytest
from safetensors import safe_open

from featprune.data import prepare_dataset
from featprune.datasets.dataset import load_dataset
from featprune.errors import FeatpruneError
from featprune.storage import save_arrays
from tests.unit.datasets.prepared import TEACHER, arrays, assert_identical


@pytest.mark.parametrize(("name", "options"), [("digits", {}), ("teacher", TEACHER)])
def test_round_trip_is_exact(name, options, tmp_path):
    dataset = prepare_dataset(name, options)
    path = tmp_path / "folder" / "dataset.safetensors"
    dataset.save(path)
    assert_identical(load_dataset(path), dataset)
    with safe_open(path, framework="numpy") as file:
        assert set(file.keys()) == arrays(dataset).keys() | {"outputs"}
        np.testing.assert_array_equal(file.get_tensor("outputs"), np.array([dataset.outputs]), strict=True)


@pytest.mark.parametrize("keep", [0, 100, -1])
def test_a_truncated_file_is_named(keep, tmp_path):
    path = tmp_path / "dataset.safetensors"
    prepare_dataset("teacher", TEACHER).save(path)
    path.write_bytes(path.read_bytes()[:keep])
    with pytest.raises(FeatpruneError, match=r"dataset\.safetensors"):
        load_dataset(path)


@pytest.mark.parametrize("contents", [["outputs", "train_x"], ["train_x"], ["outputs", "weights"]])
def test_a_file_of_something_else_is_named(contents, tmp_path):
    path = tmp_path / "dataset.safetensors"
    save_arrays(path, {name: np.zeros((1, 1)) for name in contents})
    with pytest.raises(FeatpruneError, match=r"dataset\.safetensors"):
        load_dataset(path)
    with pytest.raises(FeatpruneError, match=r"absent\.safetensors"):
        load_dataset(tmp_path / "absent.safetensors")
