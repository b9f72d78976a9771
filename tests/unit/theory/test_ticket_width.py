import numpy as np
import pandas as pd
import pytest

from featprune.features.similarity import unbiased_cka
from featprune.network import MLP
from featprune.theory.ticket_width import (
    ANOTHER,
    NARROW,
    PAIRS,
    PARENT,
    RANDOM,
    TICKET,
    UNITS,
    compare,
    differences,
    equal_width,
    living_units,
    measure,
)
from featprune.theory.widths import Seen

RNG = np.random.default_rng(0)


@pytest.mark.parametrize("weights", [1, 80, 500, 3000, 84480])
def test_the_narrow_network_is_the_one_with_the_nearest_number_of_weights(weights):
    width = equal_width(MLP((64, 256, 256, 10)), weights)
    sizes = {n: sum(a * b for a, b in MLP((64, n, n, 10)).shapes) for n in range(1, 300)}
    # The nearest in width: between two, the number of weights is not quite linear in it.
    assert abs(width - min(sizes, key=lambda n: abs(sizes[n] - weights))) <= 1
    assert sizes[width] == weights if weights == 84480 else True


def test_a_unit_lives_where_weights_come_in_and_go_out():
    first = np.array([[[1, 0], [0, 0], [1, 1]]], bool)  # unit 2 has no input
    second = np.array([[[0, 1, 1], [1, 1, 0]]], bool)
    third = np.array([[[1, 0]]], bool)  # unit 2 of the second layer isn't heard
    assert living_units([first, second, third]) == [[2, 1]]
    assert living_units([np.zeros_like(m) for m in (first, second, third)]) == [[1, 1]]


def test_pairs_are_compared_at_equal_steps_and_at_the_nearest():
    names = {name for pair in PAIRS for name in pair}

    def one(name):
        f = {0: np.zeros((5, 1)), 3: RNG.standard_normal((5, 1)), 9: RNG.standard_normal((5, 1))}
        return Seen(f, {step: [RNG.standard_normal((5, 4)), RNG.standard_normal((5, 3))] for step in f})

    networks, y = {name: one(name) for name in names}, RNG.standard_normal((5, 1))
    rows = pd.DataFrame(compare(networks, y), columns=["a", "b", "step", "layer", "measure", "value"])
    value = rows.set_index(["a", "b", "step", "layer", "measure"])["value"]
    ticket, parent = networks[TICKET], networks[PARENT]
    apart = [np.sqrt(((ticket.f[9] - f) ** 2).sum() / (y**2).sum()) for f in parent.f.values()]
    assert value[TICKET, PARENT, 9, 0, "distance"] == pytest.approx(apart[-1])
    assert value[TICKET, PARENT, 9, 0, "nearest"] == pytest.approx(min(apart))
    cka = unbiased_cka(ticket.layers[3][1], parent.layers[3][1])
    assert value[TICKET, PARENT, 3, 2, "dissimilarity"] == pytest.approx(1 - cka, nan_ok=True)
    assert value[NARROW, "", 9, 0, "test_loss"] == pytest.approx(np.mean((networks[NARROW].f[9] - y) ** 2))


def test_differences_are_positive_where_the_ticket_is_nearer_the_other():
    shared = {"seed": 0, "round": 1, "density": 0.4, "width": 3, "step": 9, "layer": 0}
    pairs = {(TICKET, PARENT): 0.1, (TICKET, NARROW): 0.4, (TICKET, ANOTHER): 0.6}
    losses = {TICKET: 1.0, PARENT: np.e, NARROW: np.exp(-3), ANOTHER: 1.0}
    rows = [shared | {"a": a, "b": b, "measure": "distance", "value": v} for (a, b), v in pairs.items()]
    rows += [shared | {"a": a, "b": "", "measure": "test_loss", "value": v} for a, v in losses.items()]
    rows += [row | {"step": 3, "value": 77.0} for row in rows]
    table = pd.DataFrame(rows)
    gap = differences(table, PARENT).set_index("measure")["value"]
    assert gap["distance"] == pytest.approx(0.3) and gap["test_loss"] == pytest.approx(3 - 1)
    assert differences(table, ANOTHER).set_index("measure")["value"]["distance"] == pytest.approx(-0.2)


@pytest.fixture(scope="module")
def table():
    return measure(seeds=2, width=12, rate=0.5, rounds=2, alpha=0.2, lr=1.0, batch=20, steps=10)


def test_networks_begin_where_they_should(table):
    assert table.groupby("round")["density"].first().tolist() == pytest.approx([0.5, 0.25], rel=0.01)
    start = table[table["step"] == 0].set_index(["a", "b", "round", "seed", "layer", "measure"])["value"].sort_index()
    # f is centered, so all are one function at first, but of different features.
    assert (start.xs("distance", level="measure") == 0).all()
    assert np.ptp(start.xs("test_loss", level="measure")) == 0
    for other in (ANOTHER, NARROW, UNITS):
        gaps = start[TICKET, other].xs("dissimilarity", level="measure")
        assert (gaps > start[TICKET, PARENT].xs("dissimilarity", level="measure")).any()


def test_the_parent_and_its_other_draw_are_the_same_in_every_round(table):
    null = table[(table["a"] == PARENT) & (table["b"] == ANOTHER)]
    rounds = [
        rows.drop(columns=["round", "density", "width"]).reset_index(drop=True) for _, rows in null.groupby("round")
    ]
    pd.testing.assert_frame_equal(*rounds)
    random = table[(table["a"] == RANDOM) & (table["measure"] == "dissimilarity")]
    assert np.isfinite(random["value"]).all()
