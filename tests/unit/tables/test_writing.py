"""Tables of many runs are made and written some runs at a time."""

import weakref
from functools import partial

import numpy as np
import pandas as pd
import pytest

from featprune.errors import FeatpruneError
from featprune.storage import load_table
from featprune.tables import features, masks, performance
from featprune.tables.reading import batches
from featprune.tables.writing import save_content
from tests.unit.tables.made import BEHIND, files, histories_and_densities, write_run


def made_runs(root):
    return [write_run(root), *(write_run(root, "magnitude", "init", r, kept=6 - r) for r in (1, 2, 3))]


def build(folders):
    """Every table of runs, as an iterator of frames."""
    curves, densities = histories_and_densities(folders)
    return {
        **performance.build_summary(curves, densities, BEHIND, {}),
        **features.build_features(curves, curves, densities),
        **features.build_connectivity(curves),
        **masks.build_masks(files(folders, "mask.safetensors"), densities),
    }


@pytest.fixture
def a_run_at_a_time(monkeypatch):
    for module in (performance, features, masks):
        monkeypatch.setattr(module, "batches", partial(batches, size=1))


def whole(tables):
    return {name: table if isinstance(table, pd.DataFrame) else pd.concat(table) for name, table in tables.items()}


def test_tables_are_the_same_however_many_runs_are_read_at_a_time(tmp_path, request):
    together = whole(build(made_runs(tmp_path)))
    request.getfixturevalue("a_run_at_a_time")
    for name, table in whole(build(made_runs(tmp_path))).items():
        pd.testing.assert_frame_equal(table.reset_index(drop=True), together[name].reset_index(drop=True))


def test_a_run_is_read_when_the_rows_before_it_are_taken(tmp_path, a_run_at_a_time):
    folders = made_runs(tmp_path)
    streams = {name: table for name, table in build(folders).items() if not isinstance(table, pd.DataFrame)}
    assert len(streams) == 6
    for name in ("history.parquet", "density.parquet", "mask.safetensors"):
        (folders[2] / name).unlink()
    for rows in streams.values():
        assert {*next(rows)["experiment"], *next(rows)["experiment"]} == {"e"}
        with pytest.raises(FeatpruneError, match="round=2"):
            next(rows)


def test_frames_are_written_one_after_another_and_let_go(tmp_path):
    given = [pd.DataFrame({"run": np.int32(i), "value": [0.5, np.nan if i else 1.5]}) for i in range(5)]
    held: list[weakref.ref] = []

    def parts():
        for i in range(5):
            frame = given[i].copy()
            held.append(weakref.ref(frame))
            yield frame
            del frame
            assert sum(ref() is not None for ref in held) <= 1

    save_content(tmp_path / "table.parquet", parts())
    pd.testing.assert_frame_equal(
        load_table(tmp_path / "table.parquet").to_pandas(), pd.concat(given, ignore_index=True)
    )


def test_nothing_is_left_where_a_run_cannot_be_read(tmp_path, a_run_at_a_time):
    folders = made_runs(tmp_path / "runs")
    curves = build(folders)["learning_curves.parquet"]
    (folders[3] / "history.parquet").write_bytes(b"PAR1")
    with pytest.raises(FeatpruneError, match=r"round=3.*history\.parquet: missing, truncated"):
        save_content(tmp_path / "tables" / "learning_curves.parquet", curves)
    assert not list((tmp_path / "tables").iterdir())


def test_files_of_different_runs_are_an_error(tmp_path):
    with pytest.raises(ValueError, match="different runs"):
        list(batches(["a", "b"], ["a"]))
