"""What masking leaves of modes, against Gaussian weights and cases worked by hand."""

import numpy as np
import pandas as pd
import pytest

from featprune.errors import FeatpruneError
from featprune.findings.captions import found
from featprune.network import MLP, Parameters
from featprune.pruning.masks import keep_highest
from featprune.theory import pruned_modes
from featprune.theory.modes import VECTORS, make_modes
from featprune.theory.pruned_modes import alone, energy, lost_at, masks_of, orders

OPTIONS = {"singular": [4.0, 1.0], "inputs": 4, "width": 16, "samples": 16, "scale": 0.01, "lr": 0.1}
PLACE = {"vectors": "random", "criterion": "random", "stage": "pruned"}


@pytest.mark.parametrize("kind", VECTORS)
def test_vectors_are_orthonormal_and_as_even_as_they_say(kind):
    v = VECTORS[kind](16, 4, np.random.default_rng(0))
    np.testing.assert_allclose(v.T @ v, np.eye(4), atol=1e-12)
    fourth = 16 * (v**4).sum(0)
    assert {"axes": fourth == 16, "flat": np.isclose(fourth, 1), "random": (fourth > 1.2) & (fourth < 12)}[kind].all()


def test_flat_vectors_want_a_power_of_two():
    with pytest.raises(FeatpruneError, match="flat vectors: their size, 12"):
        make_modes([2.0, 1.0], 12, 16, np.random.default_rng(0), "flat")


def test_magnitude_leaves_every_part_of_gaussian_weights_the_share_of_their_squares():
    rng = np.random.default_rng(0)
    parts = np.array([2.0, 1.0, 0.5])[:, None] * rng.standard_normal((3, 1_000_000))
    w = parts.sum(0)[None, None]
    (mask,) = keep_highest([np.abs(w)], [np.ones(w.shape, bool)], [200_000])
    left = np.where(mask, w, 0)
    shares = [(part * left).sum() / (part**2).sum() for part in parts]
    np.testing.assert_allclose(shares, np.square(left).sum() / np.square(w).sum(), rtol=0.02)
    dense = Parameters((w, w), (np.zeros((1, 1)),) * 2)
    assert energy(dense.masked([mask, mask]), dense) == pytest.approx(shares[0] ** 2, rel=0.04)


def test_masks_are_the_packages_own_and_those_of_magnitude_keep_the_largest():
    modes = make_modes([4.0, 1.0], 4, 16, np.random.default_rng(0))
    network = MLP((4, 16, 2), "linear", "ntk")
    dense = network.initial([3])
    masks = list(masks_of(network, modes, 3, dense, 0.5, 2))
    assert [name for name, _ in masks] == ["magnitude_one_shot"] * 2 + ["random"] * 2
    for _, layers in masks[:2]:
        for w, m in zip(dense.weights, layers, strict=True):
            assert np.abs(w[m]).min() > np.abs(w[~m]).max()
    assert [[m.sum() for m in layers] for _, layers in masks[:2]] == [[32, 16], [16, 8]]
    assert [sum(m.sum() for m in layers) for _, layers in masks[2:]] == [48, 24]


def test_a_layer_alone_is_the_network_with_the_other_whole():
    modes = make_modes([4.0, 1.0], 4, 16, np.random.default_rng(0))
    network = MLP((4, 16, 2), "linear", "ntk")
    dense = network.initial([3])
    ((_, masks), *_) = masks_of(network, modes, 3, dense, 0.5, 1)
    whole = [np.ones_like(m) for m in masks]
    shares = [modes.strengths(network, dense.masked(kept))[0] for kept in ([masks[0], whole[1]], [whole[0], masks[1]])]
    expected = np.prod(shares, axis=0) / modes.strengths(network, dense)[0] ** 2
    np.testing.assert_allclose(alone(modes, dense.masked(masks), dense), expected, rtol=1e-4)


def table_of(values, seed=0):
    rows = [(seed, density, s, value, 0.5) for s, column in values.items() for density, value in column.items()]
    return pd.DataFrame(rows, columns=["seed", "density", "singular", "value", "kept"]).assign(**PLACE, alone=0.5)


def test_a_mode_is_lost_where_it_first_falls_below_half():
    table = table_of({1.0: {0.5: 0.75, 0.25: 0.25, 0.125: 0.6}, 2.0: {0.5: 0.9, 0.25: 0.8, 0.125: 0.7}})
    lost = lost_at(table).set_index("singular")["density"]
    assert lost[1.0] == pytest.approx(np.sqrt(0.5 * 0.25)) and lost[2.0] == pytest.approx(0.125)
    at_once = lost_at(table_of({1.0: {0.5: 0.25}}))["density"].iloc[0]
    assert at_once == pytest.approx(np.exp(np.log(0.5) * 2 / 3))


def test_the_order_is_the_rank_correlation_of_each_seed():
    falling = {1.0: {0.5: 0.1}, 2.0: {0.5: 0.2}, 3.0: {0.5: 0.3}}
    rising = {1.0: {0.5: 0.3}, 2.0: {0.5: 0.2}, 3.0: {0.5: 0.1}}
    table = pd.concat([table_of(falling), table_of(rising, 1), table_of({1.0: {0.5: 0.9}, 2.0: {0.5: 0.9}}, 2)])
    assert orders(table)["correlation"].tolist() == [pytest.approx(-1), pytest.approx(1), 0]


def test_on_axes_the_weak_mode_is_lost_first_and_the_caption_says_so():
    table = pruned_modes.measure(seeds=3, vectors=["axes"], rate=0.5, rounds=3, patience=1, **OPTIONS)
    here = orders(table[(table["criterion"] == "magnitude_one_shot") & (table["stage"] == "pruned")])
    np.testing.assert_allclose(here["correlation"], -1)
    assert table["density"].nunique() >= 3
    assert "rank correlation with s -1.00" in found("pruned_modes", {"pruned_modes": table})
    retrained = table[(table["stage"] == "retrained") & (table["density"] > 0.4) & (table["singular"] == 4)]
    np.testing.assert_allclose(retrained.loc[retrained["criterion"] != "random", "value"], 1, atol=1e-3)
