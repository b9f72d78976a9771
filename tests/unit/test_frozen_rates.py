"""A study whose seeds are split, and one whose rates another study has tuned."""

import pytest
import yaml

from featprune.config import resolve
from featprune.errors import FeatpruneError
from featprune.experiment import Seeds
from featprune.runs.paths import DENSE, TICKET, Cell, Kind
from featprune.study import Study
from tests.unit.test_study import CHOICES, SCHEMA

CONFIG = """
results: out
seeds: {count: 3, block: 2}
experiments:
  a:
    dataset: digits
    model: {hidden: [12, 8]}
    training: {lr: 0.1, steps: 100, snapshot_steps: [10]}
    alphas: [0.3, 1]
    lrs: [0.33, 1, 3]
    pruning: {rewinds: [init, none], rounds: 4}
    features: {rounds: [0, 3]}
    compression: {rounds: [3], rewinds: [none]}
"""
RATES = """alpha,criterion,rewind,lr,edge,validation_accuracy
0.30,dense,dense,3.3,False,0.9
0.30,magnitude,init,1,True,0.9
0.30,magnitude,none,3.30,False,0.9
0.30,ticket,init,10,False,0.9
1,dense,dense,0.5,False,0.9
1,magnitude,init,0.5,False,0.9
1,magnitude,none,0.5,False,0.9
1,ticket,init,7,True,0.9
"""


def study(**overlay):
    raw = yaml.safe_load(CONFIG)
    seeds = raw["seeds"] | overlay.pop("seeds", {})
    raw["experiments"]["a"] |= overlay
    return Study(resolve(raw | {"seeds": seeds}, SCHEMA, CHOICES))


@pytest.fixture
def frozen(tmp_path):
    file = tmp_path / "rates.csv"
    file.write_text(RATES)
    return str(file)


@pytest.mark.parametrize(
    ("seeds", "blocks"),
    [
        ((5, 2, 0, 0), ("0-1", "2-3", "4-4")),
        ((5, 2, 10, 0), ("10-11", "12-13", "14-14")),
        ((6, 4, 10, 2), ("10-11", "12-15")),
        ((6, 2, 10, 3), ("10-11", "12-12", "13-14", "15-15")),
    ],
)
def test_blocks_begin_with_the_first_seed_and_hold_no_tuning_seed_beside_others(seeds, blocks):
    assert Seeds(*seeds).blocks == blocks


def test_of_tuning_seeds_there_is_performance_and_no_more():
    made = study(seeds={"first": 20, "count": 5, "tuning": 2, "block": 3})
    assert {run.block for run in made.runs("a")} == {"20-21", "22-24"}
    for selection in ("reported", "compared", "measured", "drawn", "compressed"):
        assert {run.block for run in made.select("a", selection)} == {"22-24"}, selection
    assert made.table_options("a", "summary")["selection"] == {"seeds": [20, 21], "rates": None}
    histories = made.table_inputs("a", "summary")["histories"]
    assert any("seeds=20-21" in file for file in histories)
    assert not any("seeds=20-21" in file for file in made.table_inputs("a", "masks")["masks"])


def test_an_alpha_is_run_at_the_rates_frozen_for_any_of_its_kinds(frozen):
    e = study(rates=frozen).experiments["a"]
    assert [cell[1:3] for cell in e.dense_cells] == [("0.3", "1"), ("0.3", "3.3"), ("1", "0.5")]
    assert set(e.chains) == {cell.of(kind) for cell in e.dense_cells for kind in (TICKET, Kind("magnitude", "none"))}


def test_features_are_compared_at_the_tickets_rate(frozen):
    made = study(rates=frozen)
    for selection in ("compared", "measured", "compressed"):
        places = {(run.cell.alpha, run.cell.lr) for run in made.select("a", selection)}
        assert places == {("0.3", "1"), ("1", "0.5")}, selection
    assert {(run.cell.alpha, run.cell.lr) for run in made.select("a", "drawn")} == {("1", "0.5")}
    e = made.experiments["a"]
    snapshots = {lr: e.settings(Cell("a", "0.3", lr, *DENSE), 0)["snapshot_at"] for lr in ("1", "3.3")}
    assert snapshots == {"1": (0, 10, 100), "3.3": ()}


def test_tables_know_the_frozen_rates_of_their_own_kinds(frozen):
    selection = study(rates=frozen).table_options("a", "summary")["selection"]
    assert selection["seeds"] == [] and len(selection["rates"]) == 2 * 3
    assert {"alpha": 0.3, "criterion": "magnitude", "rewind": "none", "lr": 3.3, "edge": False} in selection["rates"]


def test_a_kind_without_a_rate_is_one_line_before_anything_runs(frozen):
    made = study(rates=frozen, pruning={"rewinds": ["init", "none", "random"], "rounds": 4})
    with pytest.raises(FeatpruneError) as caught:
        _ = made.figure_files
    where = "criterion magnitude, rewind random at alpha 0.3"
    assert str(caught.value) == f"{frozen}: no rate for {where}; tune it too, or leave it out"


def test_borrowed_tickets_are_those_at_the_lenders_own_rate(frozen):
    raw = yaml.safe_load(CONFIG)
    raw["experiments"]["a"]["rates"] = frozen
    raw["experiments"]["b"] = {
        "inherit": "a",
        "alphas": [1],
        "tickets_from": {"experiment": "a", "alpha": 0.3},
        "pruning": {"criteria": ["ticket"], "rewinds": ["init"]},
        "features": {"rounds": []},
        "compression": None,
    }
    made = Study(resolve(raw, SCHEMA, CHOICES))
    (cell,) = made.experiments["b"].chains
    assert cell == Cell("b", "1", "7", "ticket", "init")
    assert made.ticket_cell(cell) == Cell("a", "0.3", "1", *TICKET)
    options = made.table_options("a", "transfer")["selections"]
    assert [row["lr"] for row in options["b"]["rates"]] == [7.0] and len(options["a"]["rates"]) == 6


def test_the_rounds_that_decide_are_all_unless_named():
    assert study().experiments["a"].decide_at == (1, 2, 3, 4)
    assert study(decide_at=[3, 2]).table_options("a", "rates")["decide_at"] == [2, 3]
