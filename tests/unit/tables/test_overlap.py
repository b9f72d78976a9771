"""Runs beside the teacher, from their saved snapshots."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from featprune.data import prepare_dataset
from featprune.errors import FeatpruneError
from featprune.features.overlap import measure_overlap
from featprune.network import network_for
from featprune.pruning.masks import all_ones
from featprune.runs.files import pack_snapshots
from featprune.storage import save_arrays
from featprune.tables.overlap import build_overlap
from tests.unit.tables.made import files, run_folder, write_mask

DATA = prepare_dataset("teacher", {"inputs": 5, "units": 2, "train": 10, "validation": 10, "test": 10})
MODEL = {"hidden": [3], "activation": "relu", "init": "he_normal", "parametrization": "standard"}
NETWORK = network_for(MODEL, DATA)


def write(root, rewind, round):
    """Snapshots of a dense run, or of one that has lost an input."""
    folder = run_folder(root, "magnitude" if round else "dense", rewind, round)
    masks = all_ones(NETWORK.shapes, 2)
    masks[0][:, :, 0] = round == 0
    snapshots = {step: NETWORK.initial([0, 1], step).masked(masks) for step in (0, 5)}
    write_mask(folder, masks)
    save_arrays(
        folder / "snapshots.safetensors", pack_snapshots(snapshots, masks) | {"seeds": np.array([0, 1], np.int32)}
    )
    return folder, masks, snapshots


def build(folders, data):
    names = ("snapshots.safetensors", "mask.safetensors", "density.parquet")
    return pd.concat(build_overlap(*(files(folders, name) for name in names), str(data), MODEL)["overlap.parquet"])


def test_saved_runs_come_with_their_axes_and_density(tmp_path):
    DATA.save(tmp_path / "data.safetensors")
    dense, _, _ = write(tmp_path, "dense", 0)
    ticket, masks, snapshots = write(tmp_path, "init", 2)
    table = build([dense, ticket], tmp_path / "data.safetensors")
    assert set(zip(table["round"], table["rewind"], table["density"], table["survivors"], strict=True)) == {
        (0, "dense", 1.0, 5),
        (2, "init", 15 / 18, 4),
    }
    assert set(table["alpha"]) == {0.3} and set(table["seed"]) == {0, 1} and len(table) == 2 * 2 * 2 * 3 * 2
    keys = ["step", "seed", "unit", "teacher_unit"]
    expected = measure_overlap(NETWORK, snapshots, masks, [0, 1], DATA.teacher[:2]).sort_values(keys)
    found = table[table["round"] == 2].sort_values(keys)
    np.testing.assert_allclose(found["overlap"], expected["overlap"])


def test_a_dataset_without_a_teacher_is_named(tmp_path):
    replace(DATA, teacher=None).save(tmp_path / "data.safetensors")
    with pytest.raises(FeatpruneError, match=r"data\.safetensors: has no teacher"):
        build([write(tmp_path, "dense", 0)[0]], tmp_path / "data.safetensors")
