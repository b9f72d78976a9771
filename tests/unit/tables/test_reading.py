"""Runs on disk become frames with their axes and densities."""

import numpy as np
import pytest

from featprune.errors import FeatpruneError
from featprune.tables.frames import RUN
from featprune.tables.reading import read_density, read_frame, read_runs, with_density
from tests.unit.tables.made import files, write_mask, write_run


def test_runs_have_their_axes_beside_their_own_columns(tmp_path):
    folders = [write_run(tmp_path), write_run(tmp_path, "magnitude", "init", 3, alpha="1e-1")]
    table = read_runs(files(folders, "history.parquet"))
    assert list(table.columns) == ["seed", "step", "split", "loss", "accuracy", *RUN[:-1]]
    first, second = (rows for _, rows in table.groupby("round"))
    assert len(first) == len(second) == len(table) / 2
    point = second[RUN[:-1]].drop_duplicates().to_dict("records")
    expected = {"experiment": "e", "alpha": 0.1, "lr": 1.0, "criterion": "magnitude", "rewind": "init", "round": 3}
    assert point == [expected]


def test_density_is_the_share_of_all_weights_of_each_seed(tmp_path):
    folder = write_run(tmp_path, kept=5)
    first = np.array([[[True, True], [True, False]], [[True, False], [False, False]]])
    write_mask(folder, [first, np.ones((2, 1, 2), bool)])
    density = read_density(files([folder], "density.parquet"))
    assert list(density.columns) == [*RUN, "density", "weights_remaining"]
    assert density["weights_remaining"].tolist() == [5, 3]
    assert density["density"].tolist() == [5 / 6, 3 / 6]


def test_rows_get_the_density_of_their_run_and_seed_and_take_its_order(tmp_path):
    folders = [write_run(tmp_path, "magnitude", "init", r, kept=6 - r) for r in (2, 1)]
    rows = read_runs(files(folders[::-1], "history.parquet"))
    table = with_density(rows, read_density(files(folders, "density.parquet")))
    assert len(table) == len(rows) and table["round"].is_monotonic_decreasing
    assert table.groupby("round")["density"].unique().to_dict() == {1: [5 / 6], 2: [4 / 6]}


def test_a_file_that_cannot_be_read_is_named(tmp_path):
    (tmp_path / "broken.parquet").write_bytes(b"PAR1")
    with pytest.raises(FeatpruneError, match=r"broken\.parquet: missing, truncated"):
        read_frame(str(tmp_path / "broken.parquet"))
