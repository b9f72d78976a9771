"""One cell from Python: rounds, criteria of one's own, and mistakes. tests/workflow/test_python.py has the bits."""

import inspect

import numpy as np
import pytest
import torch

from featprune import prune_and_train
from featprune.api.cell import RATES
from featprune.criteria import CRITERIA
from featprune.errors import FeatpruneError
from featprune.pruning.criterion import AfterTraining, BeforeTraining
from tests.unit.configs import SCHEMA

RNG = np.random.default_rng(1)
X = RNG.standard_normal((200, 4)).astype(np.float32)
Y = (X[:, 0] > 0).astype(int) + (X[:, 1] > 0)
OPTIONS = {"hidden": [6], "steps": 20, "lr": 0.01, "batch_size": 20, "seeds": [3, 5], "evaluation_steps": 3}


def cell(**options):
    return prune_and_train(X, Y, **OPTIONS | options)


def same(one, other) -> bool:
    mine, theirs = ([*run.masks, *run.weights, *run.biases] for run in (one, other))
    return all(np.array_equal(a, b) for a, b in zip(mine, theirs, strict=True))


def test_a_result_has_the_shapes_it_promises():
    result = cell(round=2, snapshot_steps=3)
    assert list(result.runs) == [0, 1, 2] and result.round == 2
    assert [m.shape for m in result.masks] == [(2, 6, 4), (2, 3, 6)] and result.masks[0].dtype == bool
    assert [w.dtype for w in result.weights] == [np.float32] * 2 and [b.shape for b in result.biases] == [
        (2, 6),
        (2, 3),
    ]
    assert all((w[~m] == 0).all() for w, m in zip(result.weights, result.masks, strict=True))
    assert sorted(result.snapshots) == [0, 1, 20] and result.accuracy.shape == result.loss.shape == (2,)
    table = result.table
    assert len(table) == 6 and (table["density"].iloc[-1] == result.density).all()
    assert table["test_accuracy"].tolist() == [a for run in result.runs.values() for a in run.accuracy]
    assert set(result.history["split"]) == {"train", "validation", "test"} and (result.history["round"] == 2).all()


@pytest.mark.parametrize("density, round", [(1, 0), (0.8, 1), (0.7, 2), (0.59, 3)])
def test_a_density_is_the_nearest_round(density, round):
    counts = {0: 42, 1: 19 + 16, 2: 15 + 15, 3: 12 + 13}
    result = cell(density=density, criterion="random")
    assert result.round == round
    assert result.density.tolist() == [counts[round] / 42] * 2
    assert same(result, cell(round=round, criterion="random"))


@pytest.mark.parametrize("criterion", ["snip_iterative", "magnitude_one_shot", "shuffled"])
def test_only_the_rounds_that_are_needed_are_trained(criterion):
    result = cell(round=3, criterion=criterion)
    assert list(result.runs) == [0, 3]
    assert same(result, cell(round=3, criterion=CRITERIA[criterion]))


def test_fine_tuning_trains_every_round():
    assert list(cell(round=3, criterion="snip", rewind="none").runs) == [0, 1, 2, 3]


def magnitude_of_ones_own(problem, masks, batch, generator):
    return [(w * m).abs() for w, m in zip(problem.weights, masks, strict=True)]


def test_a_function_of_ones_own_is_a_criterion():
    assert same(cell(round=2, criterion=magnitude_of_ones_own), cell(round=2))
    object_ = AfterTraining(magnitude_of_ones_own, at_once=True)
    assert same(cell(round=2, criterion=object_), cell(round=2, criterion="magnitude_one_shot"))


def test_a_score_may_be_differentiated():
    def slope(problem, masks, batch, generator):
        weights = [w.clone().requires_grad_() for w in problem.weights]
        x, y = batch
        loss = problem.objective.losses(problem.f(weights, masks, x), y)
        return [g * w for g, w in zip(torch.autograd.grad(loss, weights), weights, strict=True)]

    result = cell(round=1, criterion=BeforeTraining(slope))
    assert result.density[0] < 1


def test_seeds_dont_depend_on_each_other_and_threads_and_output_are_left_alone(capsys):
    threads = torch.get_num_threads()
    torch.set_num_threads(2)
    both, alone = cell(round=1), cell(round=1, seeds=[5])
    assert torch.get_num_threads() == 2 and not capsys.readouterr().out
    torch.set_num_threads(threads)
    assert all(np.array_equal(a[1:], b) for a, b in zip(both.weights, alone.weights, strict=True))


def test_numbers_are_regressed_on():
    result = prune_and_train(X, X[:, 0] * 2, **OPTIONS, round=1)
    assert np.isnan(result.accuracy).all() and np.isfinite(result.loss).all()


def test_defaults_are_those_of_the_config():
    entry = SCHEMA["properties"]["experiments"]["additionalProperties"]["properties"]
    sections = [entry, *(entry[name]["properties"] for name in ("model", "training", "pruning"))]
    defaults = {key: value["default"] for keys in sections for key, value in keys.items() if "default" in value}
    parameters = inspect.signature(prune_and_train).parameters
    others = {"snapshot_steps", "rates", "seeds"}
    shared = defaults.keys() & parameters.keys() - others
    assert len(shared) == 17
    for name in shared:
        default = parameters[name].default
        assert (list(default) if isinstance(default, tuple) else default) == defaults[name], name
    assert {key: entry["default"] for key, entry in sections[-1]["rates"]["properties"].items()} == RATES
    seeds = SCHEMA["properties"]["seeds"]["properties"]
    assert parameters["seeds"].default == tuple(range(seeds["first"]["default"], seeds["count"]["default"]))


MISTAKES = [
    ({"round": 1, "density": 0.5}, "^density: give either"),
    ({}, "^density: give either"),
    ({"density": 0}, "^density: 0 is out of range"),
    ({"round": -1}, "^round: -1 is out of range"),
    ({"round": 1000}, "^round: 1000 leaves a layer without"),
    ({"round": 1, "criterion": "magnitud"}, "^unknown criterion 'magnitud'; did you mean 'magnitude'"),
    ({"round": 1, "criterion": 3}, "^criterion: 3 is none"),
    ({"round": 1, "criterion": lambda p, m, b, g: p.weights[:1]}, "^criterion: <lambda> returned"),
    ({"round": 1, "rewind": "begin"}, "^unknown rewind 'begin'"),
    ({"round": 1, "rewind": "late"}, "^late_step: None is no step before 20"),
    ({"round": 1, "rewind": "distilled"}, "^center: must be false with the rewind 'distilled'"),
    ({"round": 1, "batch_size": 500}, "^batch_size: 500 is out of range"),
    ({"round": 1, "seeds": [1, 1]}, "^seeds: "),
    ({"round": 1, "hidden": []}, "^hidden: "),
    ({"round": 1, "lr": 0}, "^lr: 0 is out of range"),
    ({"round": 1, "alpha": "rich"}, "^alpha: 'rich' is out of range"),
    ({"round": 1, "rates": {"hidden": 1.5}}, r"^rates\['hidden'\]: 1.5 is out of range"),
    ({"round": 1, "loss": "squared_error"}, "^loss: squared_error is not for a classification"),
]


@pytest.mark.parametrize("options, message", MISTAKES)
def test_a_mistake_is_one_line_that_names_the_argument(options, message):
    with pytest.raises(FeatpruneError, match=message) as error:
        cell(**options)
    assert "\n" not in str(error.value)
