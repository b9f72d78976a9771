"""The teacher: targets by its formula, with every activation there is, and draws that don't depend on one another."""

from math import erf

import numpy as np
import pytest

from featprune.activations import ACTIVATIONS
from featprune.data import prepare_dataset
from tests.unit.datasets.prepared import SPLITS, TEACHER, sizes

FORMULAS = {"relu": lambda z: z * (z > 0), "tanh": np.tanh, "erf": np.vectorize(erf), "linear": lambda z: z}


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_targets_are_the_formula_standardized(activation):
    dataset = prepare_dataset("teacher", TEACHER | {"activation": activation, "units": 4, "inputs": 7})
    assert sizes(dataset) == [200, 100, 50]
    assert dataset.teacher.shape == (64, 4, 7) and dataset.teacher.dtype == np.float32
    dataset = dataset.of(3)
    assert dataset.teacher.shape == (4, 7) and dataset.train_y.shape == (200, 1)
    np.testing.assert_allclose(np.linalg.norm(dataset.teacher, axis=1), 1, rtol=1e-6)

    sigma = FORMULAS[activation]
    f = {
        split: sum(sigma(getattr(dataset, f"{split}_x").astype(np.float64) @ u) for u in dataset.teacher)
        for split in SPLITS
    }
    for split in SPLITS:
        target = (f[split] - f["train"].mean()) / f["train"].std()
        np.testing.assert_allclose(getattr(dataset, f"{split}_y")[:, 0], target, rtol=1e-5, atol=1e-6)
    assert dataset.train_y.mean() == pytest.approx(0, abs=1e-6)
    assert dataset.train_y.std() == pytest.approx(1, abs=1e-6)


def test_draws_depend_on_the_seed_and_not_on_one_another():
    first = prepare_dataset("teacher", TEACHER)
    other = prepare_dataset("teacher", TEACHER | {"seed": 1})
    longer = prepare_dataset("teacher", TEACHER | {"train": 300})
    for name in ("train_x", "validation_x", "test_x", "teacher"):
        assert not np.array_equal(getattr(first, name), getattr(other, name))
    for name in ("validation_x", "test_x", "teacher"):
        np.testing.assert_array_equal(getattr(first, name), getattr(longer, name))
    assert not np.array_equal(first.train_x[:50], first.test_x[:50])


def test_each_seed_has_a_teacher_of_its_own_at_the_same_inputs():
    dataset = prepare_dataset("teacher", TEACHER | {"teachers": 3})
    one, other, again = (dataset.of(seed) for seed in (0, 1, 3))
    assert one.train_x is other.train_x and not one.drawn
    for name in ("teacher", "train_y", "validation_y", "test_y"):
        assert not np.array_equal(getattr(one, name), getattr(other, name))
        np.testing.assert_array_equal(getattr(one, name), getattr(again, name))
    more = prepare_dataset("teacher", TEACHER | {"teachers": 5})
    np.testing.assert_array_equal(more.of(1).test_y, other.test_y)


def test_images_are_the_same_for_every_seed():
    dataset = prepare_dataset("digits")
    assert dataset.of(5) is dataset and not dataset.drawn
