import itertools
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
import torch

from featprune.criteria import CRITERIA
from featprune.errors import FeatpruneError
from featprune.network import MLP
from featprune.pruning.criterion import AfterTraining, BeforeTraining, Context, iteration_counts
from featprune.pruning.grasp import grasp
from featprune.pruning.magnitude import magnitude
from featprune.pruning.masks import Mask, Schedule, all_ones, remaining
from featprune.pruning.problem import Problem
from featprune.pruning.rounds import extract_mask, extract_masks
from featprune.pruning.snip import snip
from featprune.rewind import REWINDS
from tests.unit.engine.test_training import NETWORK, made_data
from tests.unit.pruning.problems import (
    FEATURE_AWARE,
    SCORES,
    SURGEON,
    TINY,
    WITH_LOSS,
    close,
    collapsed,
    draw_batch,
    flat,
    full,
    generator,
    make,
    prune,
)


def test_iteration_counts():
    assert iteration_counts(1000, 10, 1) == [10]
    assert iteration_counts(1000, 10, 2) == [100, 10]
    assert iteration_counts(10_000, 1, 4) == [1000, 100, 10, 1]
    counts = iteration_counts(266_200, 2_662, 100)
    assert len(counts) == 100 and counts[-1] == 2_662
    assert all(c == round(266_200 * 0.01 ** (k / 100)) for k, c in enumerate(counts, 1))
    assert iteration_counts(10, 8, 100) == [9, 8]
    assert iteration_counts(10, 10, 3) == [10]
    assert iteration_counts(10, 0, 3) == [0]
    assert iteration_counts(0, 0, 3) == [0]


@pytest.mark.parametrize("score", SCORES)
@pytest.mark.parametrize("iterations", [1, 7])
def test_masks_have_exact_counts_are_nested_and_repeat(score, iterations):
    network = MLP((20, 15, 10, 5))
    problem, batch = make(network), draw_batch(network)
    previous, seen = all_ones(network.shapes, 1), []

    def watched(problem, masks, *rest):
        seen.append([m.clone() for m in masks])
        return score(problem, masks, *rest)

    for count in (300, 77, 20):
        masks = prune(watched, problem, previous, count, batch, generator(), iterations)
        again = prune(score, problem, previous, count, batch, generator(), iterations)
        assert remaining(masks).tolist() == [count]
        for mask, repeated, before, shape in zip(masks, again, previous, network.shapes, strict=True):
            assert mask.dtype == bool and mask.shape == (1, *shape)
            assert (mask <= before).all() and np.array_equal(mask, repeated)
        previous = masks
    # Each iteration is scored under the masks of the one before, from the first ones on.
    assert len(seen) == 3 * iterations
    sizes = [int(flat(masks).sum()) for masks in seen]
    starts = [500, 300, 77]
    expected = [
        c
        for start, count in zip(starts, (300, 77, 20), strict=True)
        for c in [start, *iteration_counts(start, count, iterations)[:-1]]
    ]
    assert sizes == expected
    assert all((flat(later) <= flat(earlier)).all() for earlier, later in itertools.pairwise(seen))


def test_highest_scores_of_all_layers_are_kept():
    problem, batch = make(), draw_batch()
    scores = flat(grasp(problem, full(), batch, generator()))
    masks = prune(grasp, problem, all_ones(TINY.shapes, 1), 13, batch, generator())
    kept = flat([torch.from_numpy(m) for m in masks])
    assert scores[kept].min() > scores[~kept].max()


def test_too_many_weights_and_scores_that_are_not_finite():
    problem, batch, ones = make(), draw_batch(), all_ones(TINY.shapes, 1)
    with pytest.raises(ValueError, match="only 52 survive"):
        prune(snip, problem, ones, 53, batch, generator(), 3)


def test_float32_problems_give_nearly_the_same_scores():
    batch = draw_batch()
    for score in WITH_LOSS:
        single = score(make(center=True, dtype=torch.float32), full(), batch, generator())
        close([s.double() for s in single], score(make(center=True), full(), batch, generator()), rtol=1e-4)


def test_a_global_ranking_may_empty_a_layer():
    # Why collapse is looked for: a last layer with a much smaller scale (mean field) goes first by magnitude.
    network = MLP((20, 200, 5), init="mean_field")
    problem = Problem.from_parameters(network, network.initial([0]))
    masks = prune(magnitude, problem, all_ones(network.shapes, 1), 500, draw_batch(), generator())
    assert collapsed(masks) == [2]


DATA = made_data()


def context(rewind="init", round=1, **given):
    """The context of a small network's round, of two replicas."""
    schedule = Schedule("per_layer", {"hidden": 0.5, "output": 0.5})
    ones = all_ones(NETWORK.shapes, 2)
    return Context(NETWORK, DATA, [0, 1], schedule, REWINDS[rewind], round, ones, **given)


def test_every_criterion_says_what_it_is_made_from():
    assert {criterion.source for criterion in CRITERIA.values()} == {"chain", "dense", "start", "ticket"}
    chained = {name for name, criterion in CRITERIA.items() if criterion.source == "chain"}
    data_aware = {score.__name__ for score in FEATURE_AWARE + SURGEON}
    repaired = {name for name, criterion in CRITERIA.items() if criterion.repair is not None}
    regrown = {"magnitude_regrow", "fisher_regrow"}
    assert chained == {"magnitude", "movement", "lamp", "dense"} | data_aware | repaired | regrown
    assert {name.rsplit("_")[-1] for name in repaired} == {"obs", "fold", "surgeon"}
    assert not any(CRITERIA[name].sees_data for name in ("magnitude", "lamp", "dense", "random", "ticket"))
    assert all(CRITERIA[name].sees_data for name in data_aware | repaired | regrown | {"snip", "grasp"})


@pytest.mark.parametrize("name", CRITERIA)
def test_masks_have_the_schedules_total(name):
    given = {"trained": NETWORK.initial([5, 6])}
    given |= {"ticket": Mask(CRITERIA["magnitude"].masks(context(**given)), np.ones(2, bool))}
    masks = CRITERIA[name].masks(context(**given))
    sizes = [out * fan_in for out, fan_in in NETWORK.shapes]
    assert (
        remaining(masks).tolist() == [sum(sizes) if name == "dense" else sum(context().schedule.counts(sizes, 1))] * 2
    )


@pytest.mark.parametrize(
    ("rewind", "round"), [("init", 3), ("none", 3), ("random", 1), ("random", 3), ("same_sign", 3)]
)
def test_a_score_of_trained_weights_is_centered_on_what_its_run_was(rewind, round):
    seen = []

    def score(problem, masks, batch, generator):
        seen.append(problem)
        return [w.abs() for w in problem.weights]

    AfterTraining(score).masks(context(rewind, round, trained=NETWORK.initial([5, 6]), center=True))
    expected = NETWORK.initial([0, 1])
    if rewind in ("random", "same_sign") and round > 1:
        fresh = NETWORK.initial([0, 1], "redraw", round - 1)
        signs = [np.copysign(new, old) for new, old in zip(fresh.weights, expected.weights, strict=True)]
        expected = fresh if rewind == "random" else replace(fresh, weights=tuple(signs))
    for i, problem in enumerate(seen):
        for theirs, mine in zip(expected.weights, problem.reference_weights, strict=True):
            np.testing.assert_array_equal(mine.numpy(), theirs[i])


def test_of_values_that_are_not_finite_the_initial_ones_are_pruned_and_the_replica_is_not_sound():
    trained = NETWORK.initial([5, 6])
    trained.weights[0][1, 0, 0] = np.nan
    mask = extract_mask(CRITERIA["magnitude"], context(trained=trained))
    assert mask.sound.tolist() == [True, False]
    initial = CRITERIA["magnitude"].masks(context(trained=NETWORK.initial([0, 1])))
    assert all(np.array_equal(a[1], b[1]) for a, b in zip(mask.layers, initial, strict=True))


def test_a_mask_of_the_tickets_is_as_sound_as_theirs():
    ticket = Mask(all_ones(NETWORK.shapes, 2), np.array([False, True]))
    assert extract_mask(CRITERIA["shuffled"], context(ticket=ticket)).sound.tolist() == [False, True]


def test_scores_that_are_not_finite_name_their_criterion():
    def broken(problem, masks, batch, generator):
        return [w * np.inf for w in problem.weights]

    with pytest.raises(FeatpruneError, match="broken scores are not finite"):
        BeforeTraining(broken, gradients=False).masks(context())


def test_nested_criteria_never_bring_a_weight_back_and_others_start_from_all():
    once, step_by_step = (
        list(extract_masks(CRITERIA[name], context(), [1, 2, 3])) for name in ("snip", "snip_iterative")
    )
    for before, after in itertools.pairwise(step_by_step):
        assert all((a <= b).all() for a, b in zip(after.layers, before.layers, strict=True))
    # The first round is the same; then scores of the pruned network choose otherwise.
    assert all(np.array_equal(a, b) for a, b in zip(once[0].layers, step_by_step[0].layers, strict=True))
    assert any((a != b).any() for a, b in zip(once[2].layers, step_by_step[2].layers, strict=True))


@pytest.mark.parametrize("name", ["magnitude", "magnitude_one_shot", "ticket", "shuffled", "dense"])
def test_extraction_without_gradients_needs_no_torch(name):
    code = f"""
import sys
import numpy as np
from featprune.criteria import CRITERIA
from featprune.network import MLP, Parameters
from featprune.pruning.criterion import Context
from featprune.pruning.masks import Mask, Schedule, all_ones
from featprune.pruning.rounds import extract_mask
from featprune.rewind import REWINDS
network, rng = MLP((6, 5, 3)), np.random.default_rng(0)
weights = tuple(rng.standard_normal((1, *shape), dtype=np.float32) for shape in network.shapes)
trained = Parameters(weights, tuple(np.zeros((1, n), np.float32) for n in (5, 3)))
ones = all_ones(network.shapes, 1)
schedule, ticket = Schedule("global", {{"global": 0.5}}), Mask(ones, np.ones(1, bool))
context = Context(network, None, [0], schedule, REWINDS["init"], 1, ones, trained, ticket)
extract_mask(CRITERIA[{name!r}], context)
sys.exit("torch" in sys.modules)
"""
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0
