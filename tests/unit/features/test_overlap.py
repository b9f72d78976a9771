from math import gamma, pi, sqrt

import numpy as np
import pytest

from featprune.features.overlap import measure_overlap
from featprune.network import MLP, Parameters
from featprune.pruning.masks import all_ones

INPUTS = 5
NETWORK = MLP((INPUTS, 3, 1), "relu", "he_normal")


def unit_vectors(count, seed=0):
    u = np.random.default_rng(seed).standard_normal((count, INPUTS))
    return (u / np.linalg.norm(u, axis=1, keepdims=True)).astype(np.float32)


def student(first, second) -> Parameters:
    """One network with these weights."""
    weights = tuple(np.asarray(w, np.float32)[None] for w in (first, second))
    return Parameters(weights, tuple(np.zeros((1, w.shape[1]), np.float32) for w in weights))


def measured(parameters, teacher, network=NETWORK, masks=None, seeds=(7,)):
    masks = masks or all_ones(network.shapes, len(seeds))
    return measure_overlap(network, {0: parameters}, masks, seeds, np.stack([teacher] * len(seeds)))


def grid(table, column="overlap"):
    """Units by teacher units."""
    return table.pivot_table(index="unit", columns="teacher_unit", values=column, dropna=False).to_numpy()


def test_units_of_the_teacher_overlap_with_themselves_by_one():
    teacher = unit_vectors(2)
    q = grid(measured(student([3 * teacher[1], -0.2 * teacher[0], teacher[0] + teacher[1]], [[1, 1, 1]]), teacher))
    cosine = teacher[0] @ teacher[1]
    both = (1 + cosine) / np.sqrt(2 + 2 * cosine)
    np.testing.assert_allclose(q, [[cosine, 1], [-1, -cosine], [both, both]], atol=1e-6)


def test_the_teachers_scale_does_not_matter():
    teacher, p = unit_vectors(2), NETWORK.initial([7])
    scaled = measured(p, teacher * np.float32([[0.1], [20]]))
    np.testing.assert_allclose(grid(scaled), grid(measured(p, teacher)), atol=1e-6)


@pytest.mark.parametrize(("parametrization", "factor"), [("standard", 1), ("ntk", 1 / sqrt(INPUTS * 3))])
def test_strength_is_the_product_of_effective_norms(parametrization, factor):
    network = MLP((INPUTS, 3, 2), parametrization=parametrization)
    first = np.diag([3.0, 1.0, 0.5]) @ unit_vectors(3)
    second = [[3.0, 0.0, 1.0], [-4.0, 0.0, 0.0]]
    table = measured(student(first, second), unit_vectors(2), network)
    strength = grid(table, "strength")
    np.testing.assert_allclose(strength, np.repeat([[15 * factor], [0], [0.5 * factor]], 2, axis=1), atol=1e-6)


def test_a_unit_without_weights_has_no_overlap_and_no_strength():
    masks = all_ones(NETWORK.shapes, 1)
    masks[0][0, 1] = False
    masks[0][0, 2, 3:] = False
    table = measured(NETWORK.initial([7]).masked(masks), unit_vectors(4), masks=masks)
    of_unit = table.groupby("unit")
    assert of_unit["overlap"].agg(lambda q: q.isna().all()).tolist() == [False, True, False]
    assert of_unit["strength"].min().gt(0).tolist() == [True, False, True]
    assert table.loc[table["unit"] == 1, "strength"].eq(0).all()
    assert of_unit["survivors"].first().tolist() == [INPUTS, 0, 3]


def test_random_directions_overlap_as_much_as_they_should():
    # E |cos| of a random direction in n dimensions is gamma(n / 2) / (sqrt(pi) gamma((n + 1) / 2)).
    network = MLP((INPUTS, 4000, 1), "relu", "he_normal")
    q = grid(measured(network.initial([0]), unit_vectors(1), network))[:, 0]
    expected = gamma(INPUTS / 2) / (sqrt(pi) * gamma((INPUTS + 1) / 2))
    assert np.abs(q).mean() == pytest.approx(expected, abs=4 * np.abs(q).std() / sqrt(len(q)))
    assert q.mean() == pytest.approx(0, abs=4 * q.std() / sqrt(len(q)))
    assert (q**2).mean() == pytest.approx(1 / INPUTS, abs=4 * (q**2).std() / sqrt(len(q)))


def test_the_table_has_a_row_a_seed_step_unit_and_teacher_unit():
    snapshots = {step: NETWORK.initial([7, 9], step) for step in (0, 10)}
    teacher = unit_vectors(2)
    table = measure_overlap(NETWORK, snapshots, all_ones(NETWORK.shapes, 2), [7, 9], np.stack([teacher, 2 * teacher]))
    assert list(table.columns) == ["seed", "step", "unit", "teacher_unit", "overlap", "strength", "survivors"]
    keys = ["seed", "step", "unit", "teacher_unit"]
    assert len(table) == 2 * 2 * 3 * 2 and not table.duplicated(keys).any()
    rows = table.set_index(keys)["overlap"]
    for replica, seed in enumerate((7, 9)):
        for step, p in snapshots.items():
            w = p.weights[0][replica, 1]
            assert rows[seed, step, 1, 0] == pytest.approx(w @ teacher[0] / np.linalg.norm(w), abs=1e-6)
