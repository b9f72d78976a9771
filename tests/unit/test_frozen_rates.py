"""A study whose seeds are split, and one whose rates another study has tuned."""

import pytest
import yaml

from featprune.config import resolve
from featprune.errors import FeatpruneError
from featprune.runs.paths import DENSE, LONGER, TICKET, Cell, RunPath
from featprune.sections import Seeds
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


def test_a_kind_is_run_at_its_own_rate_and_where_it_is_compared(frozen):
    made = study(rates=frozen)
    e = made.experiments["a"]
    assert [cell[1:3] for cell in e.dense_cells] == [("0.3", "1"), ("0.3", "3.3"), ("1", "0.5")]
    # Fine-tuning has 3.3 of its own, and its features are compared at the tickets' 1.
    lrs = {"init": {"1"}, "none": {"1", "3.3"}}
    assert {rewind: {c.lr for c in e.chains if (c.alpha, c.rewind) == ("0.3", rewind)} for rewind in lrs} == lrs
    assert {cell.lr for cell in e.chains if cell.alpha == "1"} == {"0.5"}
    # Where neither features are compared nor this rewind is compressed, it has only its own.
    for compression in (None, {"rounds": [3], "rewinds": ["init"]}):
        alone = study(rates=frozen, features={"rounds": []}, compression=compression).experiments["a"]
        assert {c.lr for c in alone.chains if (c.alpha, c.rewind) == ("0.3", "none")} == {"3.3"}


def test_what_a_run_is_made_from_is_run_whatever_the_rates(tmp_path):
    also = [("ticket", "same_sign"), ("shuffled", "init"), ("magnitude_one_shot", "none"), ("snip", "init")]
    kinds = [DENSE, LONGER, TICKET, ("magnitude", "random"), ("magnitude", "none"), *also]
    rows = [f"{alpha},{c},{w},{n},False" for alpha in (0.3, 1) for n, (c, w) in enumerate(kinds, 1)]
    (tmp_path / "rates.csv").write_text("\n".join(["alpha,criterion,rewind,lr,edge", *rows]))
    pruning = {"criteria": ["magnitude"], "rewinds": ["init", "random", "none"], "rounds": 4, "mask_source": "ticket"}
    pruning |= {"matched_dense": True, "also": [{"criterion": c, "rewind": w} for c, w in also]}
    made = study(rates=str(tmp_path / "rates.csv"), pruning=pruning)
    runs = set(made.runs("a"))
    assert {run.cell.lr for run in runs if run.cell.kind == TICKET} == {"3", "4", "6", "7"}, "and its controls'"
    assert {run.cell.lr for run in runs if run.cell.kind == ("snip", "init")} == {"9"}
    for run in runs:
        if run.round:
            inputs = made.extraction_inputs(run.cell, [run.round], run.block)
            inputs |= made.retraining_inputs(run.cell, [run.round], run.block)
            files = [file for value in inputs.values() for file in ([value] if isinstance(value, str) else value)]
            assert {RunPath.parse(file) for file in files} <= runs


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
    known = {"alpha": 0.3, "criterion": "magnitude", "rewind": "none", "lr": 3.3, "edge": False, "quality": 0.9}
    assert known in selection["rates"]


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


def test_an_alpha_may_run_some_of_the_rates_as_they_are_written():
    made = study(lrs_by_alpha={0.3: ["1.0", 3], 7: [0.33]}, features={"rounds": [0, 3], "lrs": None}).experiments["a"]
    assert made.lrs_at("0.3") == ["1", "3"] and made.lrs_at("1") == ["0.33", "1", "3"]
    assert {(c.alpha, c.lr) for c in made.chains} == {(c.alpha, c.lr) for c in made.dense_cells}
    assert len(made.dense_cells) == 5


def test_a_run_is_evaluated_evenly_besides():
    made = study(
        training={"lr": 0.1, "steps": 100, "snapshot_steps": [10], "evaluation_steps": [3], "evaluation_every": 40}
    )
    e = made.experiments["a"]
    assert e.training.evaluated == (0, 3, 40, 80, 100)


def test_a_late_run_has_the_rest_of_the_schedule_and_of_the_data_order():
    training = {
        "lr": 0.1,
        "steps": 100,
        "milestones": [5, 60],
        "snapshot_steps": [10, 95],
        "evaluation_steps": [50, 99],
    }
    e = study(training=training, pruning={"rewinds": ["late"], "rounds": 4, "late_step": 10}).experiments["a"]
    settings = e.settings(Cell("a", "1", "1", "magnitude", "late"), 3)
    assert (settings["steps"], settings["behind"]) == (90, 10)
    assert settings["milestones"] == (-5, 50)
    # Where the other runs are looked at, from step 10 on, which is its 0.
    assert settings["evaluate_at"] == (0, 40, 89, 90) and settings["snapshot_at"] == (0, 85, 90)
    assert e.settings(Cell("a", "1", "1", "magnitude", "init"), 3)["snapshot_at"] == (0, 10, 95, 100)


def test_criteria_that_score_data_see_the_samples_and_no_other_depends_on_their_number():
    pruning = {"criteria": ["magnitude", "fisher", "lamp", "snip", "magnitude_init"], "score_samples": 7}
    made = study(training={"lr": 0.1, "steps": 100, "snapshot_steps": 5}, pruning=pruning)
    seen = {
        name: made.extraction_params(Cell("a", "1", "1", name, "init"), [1], "0-0")["samples"]
        for name in pruning["criteria"]
    }
    assert seen == {"magnitude": 1, "fisher": 7, "lamp": 1, "snip": 7, "magnitude_init": 1}
