"""What was measured of each run's features, all runs together."""

import pandas as pd

from featprune.storage import save_table
from featprune.tables.features import build_connectivity, build_features, build_richness
from tests.unit.tables.made import files, run_folder, write_run


def written(root, name, column):
    """Two runs with a table of this name, of two steps, whose values tell round, seed and step."""
    folders = [write_run(root, "magnitude", "init", r, kept=6 - r) for r in (1, 2)]
    for round, folder in enumerate(folders, 1):
        rows = [{"seed": s, "step": t, column: 100 * round + 10 * s + t} for s in (0, 1) for t in (0, 1)]
        save_table(folder / name, pd.DataFrame(rows).astype({"seed": "int32"}))
    return files(folders, name), files(folders, "density.parquet")


def check(parts, column):
    table = pd.concat(parts)
    assert len(table) == 2 * 2 * 2 and table.groupby("round")["density"].unique().map(list).to_dict() == {
        1: [5 / 6],
        2: [4 / 6],
    }
    assert (table[column] == 100 * table["round"] + 10 * table["seed"] + table["step"]).all()


def test_features_and_shifts_of_all_runs_come_with_their_axes_and_density(tmp_path):
    features, densities = written(tmp_path, "features.parquet", "correlation")
    shifts, _ = written(tmp_path, "time_shift.parquet", "shift")
    tables = build_features(features, shifts, densities)
    check(tables["features.parquet"], "correlation")
    check(tables["time_shift.parquet"], "shift")


def test_so_does_the_richness(tmp_path):
    check(build_richness(*written(tmp_path, "richness.parquet", "value"))["richness.parquet"], "value")


def test_lines_between_runs_come_with_the_sweeps_axes_and_keep_their_own_rounds(tmp_path):
    folders = [run_folder(tmp_path, alpha=alpha) for alpha in ("0.3", "1")]
    rows = pd.DataFrame({"pair": ["dense_dense", "ticket_dense"], "round": [0, 3], "seed": 0, "density": [1.0, 0.5]})
    for folder in folders:
        save_table(folder / "connectivity.parquet", rows)
    (table,) = build_connectivity(files(folders, "connectivity.parquet"))["connectivity.parquet"]
    axes = {"experiment": "e", "lr": 1.0}
    expected = pd.concat([rows.assign(**axes, alpha=alpha) for alpha in (0.3, 1.0)], ignore_index=True)
    pd.testing.assert_frame_equal(table, expected, check_like=True)
