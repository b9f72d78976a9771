from fractions import Fraction

import numpy as np
import pytest

from featprune.pruning.masks import Schedule, all_ones, keep_highest, kept, remaining

SHAPES = [(300, 784), (100, 300), (10, 100)]
SIZES = [a * b for a, b in SHAPES]
PER_LAYER = Schedule("per_layer", {"hidden": 0.2, "output": 0.1})
GLOBAL = Schedule("global", {"global": 0.2})


def draw(seed=0, replicas=2, shapes=SHAPES):
    rng = np.random.default_rng(seed)
    return [rng.random((replicas, *shape)) for shape in shapes]


def test_counts_follow_the_closed_form():
    assert SIZES == [235_200, 30_000, 1_000]
    assert PER_LAYER.counts(SIZES, 0) == SIZES
    assert PER_LAYER.counts(SIZES, 1) == [188_160, 24_000, 900]
    assert PER_LAYER.counts(SIZES, 3) == [120_422, 15_360, 729]  # 235200 * 0.512 = 120422.4
    assert GLOBAL.counts(SIZES, 2) == [170_368]


def test_kept_rounds_halves_up():
    assert kept(5, 0.5, 1) == 3
    assert kept(1, 0.9, 5) == 0


@pytest.mark.parametrize("schedule", [PER_LAYER, GLOBAL], ids=["per_layer", "global"])
def test_chain_of_masks_is_nested_with_exact_counts(schedule):
    masks = all_ones(SHAPES, 2)
    for round in range(1, 8):
        before = masks
        masks = keep_highest(draw(round), before, schedule.counts(SIZES, round))
        assert all((m <= b).all() for m, b in zip(masks, before, strict=True))
        assert remaining(masks).tolist() == [sum(schedule.counts(SIZES, round))] * 2
        if schedule is PER_LAYER:
            assert [m[0].sum() for m in masks] == schedule.counts(SIZES, round)


def test_highest_scores_are_kept():
    scores = [np.array([[[3.0, 1.0], [2.0, 5.0]]]), np.array([[[4.0, 0.0]]])]
    ones = [np.ones_like(s, bool) for s in scores]
    local = keep_highest(scores, ones, [2, 1])
    assert local[0].tolist() == [[[True, False], [False, True]]] and local[1].tolist() == [[[True, False]]]
    whole = keep_highest(scores, ones, [3])
    assert whole[0].tolist() == [[[True, False], [False, True]]] and whole[1].tolist() == [[[True, False]]]


def test_ties_go_to_the_lower_index():
    ties = [np.ones((1, 2, 3)), np.ones((1, 1, 2))]
    masks = keep_highest(ties, [np.ones_like(t, bool) for t in ties], [4])
    assert masks[0].ravel().tolist() == [True] * 4 + [False] * 2
    assert not masks[1].any()


def test_pruned_weights_never_come_back_even_with_the_highest_score():
    scores = [np.array([[[9.0, 1.0, 2.0]]])]
    masks = keep_highest(scores, [np.array([[[False, True, True]]])], [1])
    assert masks[0].ravel().tolist() == [False, False, True]


def test_asking_for_more_than_survive_is_an_error():
    with pytest.raises(ValueError, match="3 weights asked for, only 2 survive"):
        keep_highest([np.zeros((1, 1, 3))], [np.array([[[True, True, False]]])], [3])


def test_replicas_are_ranked_apart():
    both = keep_highest(draw(), all_ones(SHAPES, 2), PER_LAYER.counts(SIZES, 4))
    second = keep_highest([s[1:] for s in draw()], all_ones(SHAPES, 1), PER_LAYER.counts(SIZES, 4))
    assert all((b[1:] == s).all() for b, s in zip(both, second, strict=True))


def test_the_choice_is_that_of_a_stable_sort():
    rng = np.random.default_rng(0)
    for _ in range(50):
        scores = rng.integers(0, 4, (1, 5, 6)).astype(float)
        alive = rng.random((1, 5, 6)) < 0.7
        count = int(rng.integers(0, alive.sum() + 1))
        survivors = np.flatnonzero(alive)
        expected = survivors[np.argsort(-scores.ravel()[survivors], kind="stable")[:count]]
        (mask,) = keep_highest([scores], [alive], [count])
        assert np.flatnonzero(mask).tolist() == sorted(expected.tolist())


@pytest.mark.parametrize("rate", [0.1, 0.2, 0.5, 0.9])
def test_counts_are_those_of_exact_arithmetic(rate):
    share = 1 - Fraction(str(rate))
    for size in range(1, 400):
        for round in range(8):
            exact = size * share**round
            count = kept(size, rate, round)
            # The nearest integer, and of two the larger: floating point gets kept(5, 0.9, 1) wrong.
            assert -Fraction(1, 2) < count - exact <= Fraction(1, 2)
    assert kept(5, 0.9, 1) == 1
