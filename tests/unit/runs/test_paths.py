import pytest

from featprune.errors import FeatpruneError
from featprune.runs.paths import DENSE, TICKET, Cell, Kind, RunPath

RUN = RunPath(Cell("mnist", "0.30", "1e-1", "magnitude", "none"), 7, "4-7")
FOLDER = "out/runs/experiment=mnist/alpha=0.30/lr=1e-1/criterion=magnitude/rewind=none/round=7/seeds=4-7"


def test_a_run_lies_where_the_contract_says():
    assert RUN.folder("out") == FOLDER
    assert RUN.file("out", "history.parquet") == f"{FOLDER}/history.parquet"
    assert RUN.folder("out", "logs/retrain") == FOLDER.replace("/runs/", "/logs/retrain/")


@pytest.mark.parametrize("path", [FOLDER, f"{FOLDER}/weights.safetensors", f"/elsewhere/{FOLDER}/fpz/seed4.fpz"])
def test_what_is_formatted_is_parsed(path):
    assert RunPath.parse(path) == RUN


def test_axes_are_numbers_and_a_block_is_its_seeds():
    assert RUN.axes() == {
        "experiment": "mnist",
        "alpha": 0.3,
        "lr": 0.1,
        "criterion": "magnitude",
        "rewind": "none",
        "round": 7,
    }
    assert RUN.seeds == [4, 5, 6, 7]


@pytest.mark.parametrize("path", ["results/tables/mnist/summary.parquet", FOLDER.replace("round=7", "round=x")])
def test_what_is_no_run_is_an_error_that_names_the_path(path):
    with pytest.raises(FeatpruneError, match="not the path of a run") as error:
        RunPath.parse(path)
    assert path in str(error.value)


def test_a_cell_has_siblings_of_other_kinds():
    assert RUN.cell.kind == Kind("magnitude", "none")
    assert RUN.cell.of(TICKET) == Cell("mnist", "0.30", "1e-1", "magnitude", "init")
    assert RUN.cell.of(DENSE).kind == DENSE
