"""What jobs ask for: closed forms of simple cases, growth with what there is to do, and which jobs run as one."""

from dataclasses import replace
from pathlib import Path

import pytest
import yaml

from featprune import resources
from featprune.bundles import measures_are_short, tree_is_short, tree_seconds
from featprune.config import resolve
from featprune.data import prepare_dataset
from featprune.errors import FeatpruneError
from featprune.resources import BEGIN, BEGIN_LIGHT, GUESS, Demand, demand, seed_seconds, shape_of
from featprune.runs.paths import (
    COMPRESSION,
    DENSE,
    DENSITY,
    FEATURES,
    MASK,
    PREACTIVATIONS,
    SNAPSHOTS,
    TICKET,
    WEIGHTS,
    Cell,
    Kind,
    RunPath,
)
from featprune.study import Study
from featprune.workload import Sizes, cases
from tests.unit.test_study import CHOICES, SCHEMA

CONFIG = """
results: out
seeds: {count: 4, block: 4}
experiments:
  a:
    dataset: digits
    model: {hidden: [30, 20]}
    training: {lr: 0.1, batch_size: 50, steps: 200, evaluation_steps: [], snapshot_steps: [10]}
    alphas: [0.3, 1]
    pruning: {criteria: [magnitude, snip], rewinds: [init], rounds: 4, rounds_per_job: 4}
    features: {rounds: [0, 3]}
    compression: {rounds: [3], rewinds: [init]}
  lent:
    inherit: a
    alphas: [1]
    tickets_from: {experiment: a, alpha: 0.3}
    pruning: {criteria: [ticket]}
    features: {rounds: []}
    compression: null
"""
WEIGHTS_OF_A = [64 * 30, 30 * 20, 20 * 10]
CELL = Cell("a", "1", "1", *TICKET)


def study_of(text: str = CONFIG, **training) -> Study:
    config = yaml.safe_load(text)
    config["experiments"]["a"]["training"] |= training
    return Study(resolve(config, SCHEMA, CHOICES))


@pytest.fixture(scope="module")
def study():
    return study_of()


@pytest.fixture(scope="module")
def known(study):
    return cases(study, lambda *_: Sizes(64, 10, 1000, 100, 200))


def files(cell: Cell, number: int, *names: str) -> list[str]:
    return [RunPath(cell, number, "0-3").file("out", name) for name in names]


def asked(study, known, cell: Cell, rounds, *names: str, inputs=("out/data/digits.safetensors",)) -> Demand:
    return demand(study, known, inputs, [file for r in rounds for file in files(cell, r, *names)])


def test_a_dense_run_costs_its_products_its_updates_its_evaluations_and_its_calls(study, known):
    e, run = study.experiments["a"], RunPath(CELL.of(DENSE), 0, "0-3")
    settings = e.settings(run.cell, 0)
    samples = len(settings["evaluate_at"]) * 100 + 100 + 2 * 200 + (1000 + 100 + 200)
    work = 200 * (50 * (2 * WEIGHTS_OF_A[0] + 3 * sum(WEIGHTS_OF_A[1:])) + resources.UPDATE * sum(WEIGHTS_OF_A))
    expected = (work + samples * sum(WEIGHTS_OF_A)) / resources.RATE + 200 * resources.CALLS
    assert seed_seconds(WEIGHTS, e, known["a"], run) == pytest.approx(expected, rel=0.02)


def test_a_sparse_run_costs_less_the_fewer_survive_and_never_more_than_a_dense_one(study, known):
    e = replace(study.experiments["a"], pruning=replace(study.experiments["a"].pruning, rounds=20))
    costs = [seed_seconds(WEIGHTS, e, known["a"], RunPath(CELL, r, "0-3")) for r in range(21)]
    assert costs == sorted(costs, reverse=True)
    assert costs[1] == costs[0] > costs[20]


@pytest.mark.parametrize("more", [{"steps": 20_000}, {"batch_size": 5000}, {"evaluation_steps": list(range(0, 200))}])
def test_time_grows_with_what_a_run_does(study, known, more):
    larger = study_of(**more)
    shape = known["a"].sizes
    times = [asked(s, cases(s, lambda *_: shape), CELL.of(DENSE), [0], MASK, WEIGHTS).seconds for s in (study, larger)]
    assert times[1] > times[0]


def test_time_is_a_sum_over_seeds_and_rounds_and_the_start_of_a_process(study, known):
    one, four = (asked(study, known, CELL, rounds, WEIGHTS, DENSITY).seconds for rounds in ([2], [1, 2, 3, 4]))
    e = study.experiments["a"]
    each = [4 * seed_seconds(WEIGHTS, e, known["a"], RunPath(CELL, r, "0-3")) for r in (1, 2, 3, 4)]
    assert (one, four) == (pytest.approx(BEGIN + each[1]), pytest.approx(BEGIN + sum(each)))


def test_memory_grows_with_the_dataset_the_weights_and_the_snapshots(study, known):
    data = "out/data/digits.safetensors"
    plain = asked(study, known, CELL.of(DENSE), [0], WEIGHTS, inputs=[data]).mem_mb
    large = {name: replace(case, sizes=replace(case.sizes, train=10**6)) for name, case in known.items()}
    assert asked(study, large, CELL.of(DENSE), [0], WEIGHTS, inputs=[data]).mem_mb > plain + 2 * 4 * 64 * 0.99
    assert asked(study, known, CELL.of(DENSE), [0], WEIGHTS, SNAPSHOTS, inputs=[data]).mem_mb > plain
    wide = study_of(CONFIG.replace("[30, 20]", "[3000, 2000]"))
    assert asked(wide, cases(wide, lambda *_: known["a"].sizes), CELL.of(DENSE), [0], WEIGHTS).mem_mb > 2 * plain


def test_a_table_asks_for_more_the_more_runs_it_is_made_from(study, known):
    table = ["out/tables/a/summary.parquet"]
    few, many = (demand(study, known, files(CELL, 1, MASK, DENSITY) * n, table) for n in (1, 100))
    assert many.seconds > few.seconds > BEGIN_LIGHT and many.mem_mb > few.mem_mb


def test_jobs_without_torch_ask_for_less(study, known):
    magnitude = asked(study, known, CELL, [1], MASK, DENSITY)
    snip = asked(study, known, CELL.of(Kind("snip", "init")), [1], MASK, DENSITY)
    assert magnitude.mem_mb < snip.mem_mb and magnitude.seconds < snip.seconds


@pytest.mark.parametrize("name", [PREACTIVATIONS, FEATURES, COMPRESSION])
def test_what_is_measured_takes_time(study, known, name):
    inputs = files(CELL, 3, PREACTIVATIONS, SNAPSHOTS)
    assert demand(study, known, inputs, files(CELL, 3, name)).seconds > BEGIN_LIGHT


def test_each_attempt_asks_for_more():
    first = Demand(200, 900.2)
    assert [first.minutes(attempt) for attempt in (1, 2, 3)] == [5, 10, 20]
    assert [first.memory(attempt) for attempt in (1, 2, 3)] == [901, 1802, 2703]


def test_the_shape_of_a_dataset_is_that_of_its_file_or_of_what_would_be_made_or_a_guess(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    study = study_of()
    made = shape_of(study, "digits")
    assert made == Sizes(64, 10, 1297, 200, 300)
    Path("out/data").mkdir(parents=True)
    data = prepare_dataset("digits")
    replace(data, train_x=data.train_x[:7], train_y=data.train_y[:7]).save("out/data/digits.safetensors")
    assert shape_of(study, "digits") == replace(made, train=7)

    def fails(*_):
        raise FeatpruneError("no such file")

    monkeypatch.setattr(resources, "dataset_sizes", fails)
    study.config["datasets"]["mine"] = {"source": "mine", "options": {}}
    assert shape_of(study, "mine") == GUESS
    Path("out/data/digits.safetensors").unlink()
    assert shape_of(study, "digits") == GUESS


def test_a_tree_is_all_jobs_of_an_alpha_and_lr(study, known):
    e, case, cell = study.experiments["a"], known["a"], CELL.of(DENSE)
    trained = [RunPath(cell, 0, "0-3")]
    trained += [RunPath(cell.of(Kind(c, "init")), r, "0-3") for c in ("magnitude", "snip") for r in (1, 2, 3, 4)]
    references = [RunPath(cell.of(Kind("dense", kind)), 0, "0-3") for kind in ("reordered", "reinitialized")]
    seconds = sum(4 * seed_seconds(WEIGHTS, e, case, run) for run in trained + references)
    assert tree_seconds(study, known, "a", [WEIGHTS]) == pytest.approx(seconds + 5 * BEGIN)


def test_trees_run_as_one_where_they_are_short_and_those_that_train_their_tickets_with_them(study, known):
    assert tree_is_short(study, known, "a") and tree_is_short(study, known, "lent")
    longer = study_of(steps=200_000)
    shapes = cases(longer, lambda *_: known["a"].sizes)
    assert not tree_is_short(longer, shapes, "a") and not tree_is_short(longer, shapes, "lent")
    assert measures_are_short(longer, shapes, "a")
