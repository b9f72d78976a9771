"""The runs that aggregation is measured on make every table that is measured."""

import pytest

from benchmarks import aggregation
from benchmarks.aggregation import EVALUATIONS, MEASURED, SEEDS, WIDTHS
from featprune.runs.paths import RunPath
from featprune.storage import load_table

RUNS = 60  # more than one batch
ROWS = {"summary": 1, "tuned": 1, "learning_curves": 3 * EVALUATIONS, "layer_density": 2, "pixel_mask": WIDTHS[0]}


@pytest.mark.parametrize("name", MEASURED)
def test_tables_of_made_runs_have_rows_of_all_runs(name, tmp_path):
    runs = aggregation.made_runs(tmp_path, RUNS)
    assert len({RunPath.parse(run.folder(str(tmp_path))) for run in runs}) == RUNS
    aggregation.make(name, aggregation.inputs_of(name, tmp_path, runs), tmp_path / "tables")
    files = list((tmp_path / "tables").iterdir())
    assert files
    for file in files:
        assert load_table(file).num_rows == RUNS * SEEDS * ROWS.get(file.stem, 2 * EVALUATIONS)
