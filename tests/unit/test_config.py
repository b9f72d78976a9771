"""The configuration: what it resolves to, and its schema."""

import copy
import math
from collections.abc import Iterator
from itertools import pairwise

import pytest
import yaml
from jsonschema import Draft202012Validator

from featprune.config import log_grid, resolve
from featprune.theory.registry import RESULTS
from tests.unit.configs import CHOICES, KINDS, SCHEMA, mnist, written


def properties(schema: object, path: str = "") -> Iterator[tuple[str, dict]]:
    """Every key that the schema describes, at any depth."""
    if isinstance(schema, dict):
        for name, entry in schema.get("properties", {}).items():
            yield f"{path}.{name}", entry
            yield from properties(entry, f"{path}.{name}")
        for inside in ("additionalProperties", "items"):
            yield from properties(schema.get(inside), f"{path}.*")


def test_defaults():
    config = resolve(written(), SCHEMA, CHOICES)
    assert config.pop("theory").keys() == RESULTS.keys()
    assert config == {
        "results": "results",
        "data_dir": None,
        "findings": None,
        "keep_snapshots": False,
        "checkpoint_minutes": 5,
        "device": "auto",
        "seeds": {"count": 3, "first": 0, "tuning": 0, "block": 3},
        "claims": {
            "margins": {"accuracy": 0.005, "loss": 1.25, "features": 0.2, "time": 1.5, "interaction": 0.25},
            "level": 0.05,
            "power": 0.8,
        },
        "run": ["mnist"],
        "datasets": {"mnist": {"source": "mnist", "options": {}}},
        "experiments": {
            "mnist": {
                "seeds": None,
                "dataset": "mnist",
                "model": {
                    "hidden": [300, 100],
                    "activation": "relu",
                    "init": "glorot_normal_truncated",
                    "parametrization": "standard",
                },
                "training": {
                    "optimizer": "adam",
                    "lr": 1.2e-3,
                    "momentum": 0.0,
                    "weight_decay": 0.0,
                    "batch_size": 60,
                    "steps": 1000,
                    "loss": None,
                    "evaluation_steps": 12,
                    "evaluation_every": None,
                    "evaluation_samples": None,
                    "milestones": [],
                    "snapshot_steps": 5,
                    "distillation": 1.0,
                },
                "alphas": ["0.1", "1"],
                "lrs": ["1"],
                "lrs_by_alpha": {},
                "rates": None,
                "decide_at": None,
                "center": True,
                "linearize": False,
                "pruning": {
                    "criteria": ["magnitude"],
                    "rewinds": ["init", "random", "none"],
                    "also": [],
                    "rounds": 9,
                    "rates": {"hidden": 0.2, "output": 0.1, "global": 0.2},
                    "scope": "per_layer",
                    "mask_source": "own",
                    "late_step": None,
                    "rounds_per_job": 5,
                    "score_samples": 1000,
                    "matched_dense": False,
                },
                "features": {"probe": 200, "kernel_samples": 32, "rounds": [0], "lrs": ["1"]},
                "compression": None,
                "tickets_from": None,
                "baseline": None,
                "headline": {"criterion": "magnitude", "rewind": "init"},
                "rivals": [],
                "figures": None,
            }
        },
    }


def test_what_is_given_stays():
    text = """
        {seeds: {count: 5}, run: null, data_dir: data, datasets: {small: {source: teacher, options: {inputs: 3}}},
         experiments: {mnist: {pruning: {rewinds: [late], late_step: 10, rates: {output: 0.05}}, center: false}}}
    """
    config = resolve(written(text), SCHEMA, KINDS)
    experiment = config["experiments"]["mnist"]
    assert config["seeds"] == {"count": 5, "first": 0, "tuning": 0, "block": 3}
    assert config["data_dir"] == "data"
    assert config["datasets"]["small"] == {"source": "teacher", "options": {"inputs": 3}}
    assert experiment["pruning"]["rates"] == {"hidden": 0.2, "output": 0.05, "global": 0.2}
    assert experiment["pruning"]["rewinds"] == ["late"]
    assert experiment["center"] is False


def test_a_dataset_of_the_catalogue_hides_a_source_of_its_name():
    raw = written("datasets: {mnist: {source: teacher}}")
    assert resolve(raw, SCHEMA, KINDS)["datasets"] == {"mnist": {"source": "teacher", "options": {}}}


def test_values_stay_as_written():
    raw = written(mnist("alphas: ['0.10', 0.3, 1, 1.0e-3, 1e-4], lrs: [3.30, '1.0'], features: {lrs: [1]}"))
    experiment = resolve(raw, SCHEMA, CHOICES)["experiments"]["mnist"]
    assert experiment["alphas"] == ["0.10", "0.3", "1", "0.001", "1e-4"]
    assert experiment["lrs"] == ["3.3", "1.0"]
    assert experiment["features"]["lrs"] == ["1.0"]


CHAIN = """
run: [mnist, small, baseline]
experiments:
  mnist: {baseline: baseline, pruning: {rates: {hidden: 0.5}}, lrs: [1, 3]}
  small: {inherit: mnist, model: {hidden: [20]}, pruning: {rates: {output: 0.4}, rounds: 2}}
  baseline: {inherit: small, alphas: [1], center: false, pruning: {rounds: 3}, lrs: [3]}
"""


def test_inherit():
    experiments = resolve(written(CHAIN), SCHEMA, CHOICES)["experiments"]
    assert list(experiments) == ["mnist", "small", "baseline"]
    assert not any("inherit" in experiment for experiment in experiments.values())
    assert experiments["mnist"]["model"]["hidden"] == [300, 100]
    small, baseline = experiments["small"], experiments["baseline"]
    assert small["model"]["hidden"] == baseline["model"]["hidden"] == [20]
    assert small["pruning"]["rates"] == {"hidden": 0.5, "output": 0.4, "global": 0.2}
    assert (small["pruning"]["rounds"], baseline["pruning"]["rounds"]) == (2, 3)
    assert (small["alphas"], baseline["alphas"]) == (["0.1", "1"], ["1"])
    assert (small["features"]["lrs"], baseline["features"]["lrs"]) == (["1", "3"], ["3"])
    assert (small["baseline"], baseline["baseline"]) == ("baseline", None)


def test_resolved_experiments_share_nothing():
    experiments = resolve(written(CHAIN), SCHEMA, CHOICES)["experiments"]
    experiments["mnist"]["model"]["hidden"].append(7)
    experiments["mnist"]["pruning"]["rewinds"].append("late")
    assert experiments["small"]["pruning"]["rewinds"] == ["init", "random", "none"]
    assert resolve(written(), SCHEMA, CHOICES)["experiments"]["mnist"]["pruning"]["rewinds"][-1] == "none"


def test_experiments_are_those_that_run():
    raw = written("{run: [mnist], experiments: {template: {center: false}, mnist: {inherit: template}}}")
    config = resolve(raw, SCHEMA, CHOICES)
    assert list(config["experiments"]) == config["run"] == ["mnist"]
    assert config["experiments"]["mnist"]["center"] is False


def test_null_undoes_inheritance():
    raw = written("experiments: {mnist: {inherit: null, baseline: null}}")
    assert resolve(raw, SCHEMA, CHOICES)["experiments"]["mnist"]["baseline"] is None


def test_input_is_not_modified():
    raw = written(CHAIN)
    before, schema = copy.deepcopy(raw), copy.deepcopy(SCHEMA)
    resolve(raw, SCHEMA, CHOICES)["experiments"]["mnist"]["model"]["hidden"].append(7)
    assert raw == before
    assert schema == SCHEMA


def test_the_resolved_config_is_plain():
    config = resolve(written(CHAIN), SCHEMA, CHOICES)
    text = yaml.safe_dump(config)
    assert yaml.safe_load(text) == config
    assert "&id" not in text


@pytest.mark.parametrize("steps", [1, 2, 7, 1500, 50_000])
@pytest.mark.parametrize("points", [2, 3, 8, 12, 40])
def test_log_grid(steps, points):
    grid = log_grid(steps, points)
    assert grid == sorted(set(grid))
    assert all(type(step) is int for step in grid)
    assert grid[0] == 0
    assert grid[-1] == steps
    assert len(grid) <= points
    if points > 2:
        assert grid[1] == 1


def test_log_grid_is_logarithmic():
    assert log_grid(1000, 5) == [0, 1, 10, 100, 1000]
    assert log_grid(1000, 2) == [0, 1000]
    assert log_grid(1000, 8) == [0, 1, 3, 10, 32, 100, 316, 1000]
    grid = log_grid(10**6, 20)
    assert len(grid) == 20
    late = grid[-8:]
    ratios = [math.log(b / a) for a, b in pairwise(late)]
    assert max(ratios) == pytest.approx(min(ratios), rel=1e-3)


def test_log_grid_of_a_list():
    spec = [50, 3, 50, 20]
    assert log_grid(100, spec) == [0, 3, 20, 50, 100]
    assert log_grid(100, []) == [0, 100]
    assert spec == [50, 3, 50, 20]


def test_the_schema_is_one():
    Draft202012Validator.check_schema(SCHEMA)


@pytest.mark.parametrize("path", dict(properties(SCHEMA)))
def test_a_key_is_described(path):
    assert dict(properties(SCHEMA))[path].get("description", "").endswith(".")


def test_every_choice_is_known():
    entries = [entry for _, entry in properties(SCHEMA)]
    entries += [entry["items"] for entry in entries if "items" in entry]
    kinds = {entry["x-choice"] for entry in entries if "x-choice" in entry}
    assert kinds == {*CHOICES, "experiment", "dataset name"}


def test_a_mapping_is_closed():
    """All but the options of a dataset, which its source checks."""
    open_ = [path for path, entry in properties(SCHEMA) if "properties" in entry and entry["additionalProperties"]]
    assert open_ == []
