from dataclasses import replace

import numpy as np
import pytest
import torch

from featprune.engine.linearized import Linearized
from featprune.features.richness import (
    linearization_error,
    measure_richness,
    one_network,
    tangent_kernel,
    tangent_kernels,
    weight_movement,
)
from featprune.network import MLP, PARAMETRIZATIONS, Parameters
from featprune.pruning.masks import all_ones
from tests.unit.engine.test_training import NETWORK, SETTINGS, doubled, made_data, some_masks, trained

SMALL = MLP((4, 5, 3, 2), "tanh", "he_normal")
MEASURES = ["weight_movement", "kernel_movement", "kernel_trace", "linearization_error"]


def state(network=SMALL, seed=0):
    """One network's tensors in float64, with biases that aren't zero."""
    p = doubled(network.initial([seed]))
    rng = np.random.default_rng(seed)
    return one_network(Parameters(p.weights, tuple(b + rng.standard_normal(b.shape) for b in p.biases)), 0)


def inputs(samples=6, width=4, seed=1):
    return torch.from_numpy(np.random.default_rng(seed).standard_normal((samples, width)))


def full(network=SMALL):
    return [torch.from_numpy(m[0]) for m in all_ones(network.shapes, 1)]


def moved(start, size, seed=2):
    rng = np.random.default_rng(seed)
    return tuple(t + size * torch.from_numpy(rng.standard_normal(t.shape)) for t in start)


def kernels_one_by_one(network, tensors, masks, x):
    """The part of each layer's parameters in the kernel, from one backward pass a sample and output."""
    depth, leaves = len(masks), [t.clone().requires_grad_() for t in tensors]
    kernels = [torch.zeros(len(x), len(x), dtype=torch.float64) for _ in masks]
    for unit in range(network.widths[-1]):
        rows = []
        for sample in x:
            h = network.output(leaves[:depth], leaves[depth:], sample[None])[0, unit]
            gradients = torch.autograd.grad(h, leaves)
            layers = zip(gradients[:depth], masks, gradients[depth:], strict=True)
            rows.append([torch.cat([weights[mask], biases]) for weights, mask, biases in layers])
        for kernel, layer in zip(kernels, zip(*rows, strict=True), strict=True):
            jacobian = torch.stack(layer)
            kernel += jacobian @ jacobian.T
    return kernels


def test_weight_movement_is_relative_to_the_start_of_each_layer_and_of_all():
    start = tuple(torch.tensor(a) for a in ([[3.0, 0.0], [0.0, 4.0]], [[12.0, 0.0]], [0.0, 0.0], [0.0]))
    now = tuple(torch.tensor(a) for a in ([[3.0, 0.0], [3.0, 8.0]], [[12.0, 6.0]], [9.0, 9.0], [9.0]))
    # Moved by 5 from 5, and by 6 from 12; biases don't count.
    expected = {0: np.sqrt((25 + 36) / (25 + 144)), 1: 1.0, 2: 0.5}
    assert weight_movement(start, now) == pytest.approx(expected)


def test_a_layer_without_weights_has_no_movement():
    start = (torch.zeros(2, 2), torch.ones(1, 2), torch.zeros(2), torch.zeros(1))
    movement = weight_movement(start, (start[0], 2 * start[1], *start[2:]))
    assert np.isnan(movement[1]) and movement[2] == movement[0] == 1


@pytest.mark.parametrize("parametrization", PARAMETRIZATIONS)
@pytest.mark.parametrize("density", [1.0, 0.5])
def test_tangent_kernel_is_that_of_the_gradients_one_by_one(parametrization, density):
    network = replace(SMALL, parametrization=parametrization)
    masks = [torch.from_numpy(m[0]) for m in some_masks(density=density, network=network)]
    tensors, x = state(network), inputs()
    slow = kernels_one_by_one(network, tensors, masks, x)
    torch.testing.assert_close(tangent_kernels(network, tensors, masks, x), slow, rtol=1e-10, atol=1e-12)
    torch.testing.assert_close(tangent_kernel(network, tensors, masks, x), sum(slow), rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("parametrization", PARAMETRIZATIONS)
def test_tangent_kernel_of_a_linear_network_in_closed_form(parametrization):
    network = MLP((4, 5, 2), "linear", parametrization=parametrization)
    (v, w, a, b), x = state(network), inputs()
    first, second = network.multipliers
    hidden = first * x @ v.T + a
    # Of the weights and biases of the second layer, then of the first.
    expected = 2 * (second**2 * hidden @ hidden.T + 1) + second**2 * w.square().sum() * (first**2 * x @ x.T + 1)
    torch.testing.assert_close(tangent_kernel(network, (v, w, a, b), full(network), x), expected)


def test_pruned_weights_take_no_part_in_the_kernel():
    # A single layer: K = 2 x_kept . x'_kept + 2, with the kept inputs the same for both outputs.
    network = MLP((4, 2), "linear")
    mask = torch.tensor([[True, False, True, False]] * 2)
    x = inputs()
    expected = 2 * (x[:, ::2] @ x[:, ::2].T + 1)
    torch.testing.assert_close(tangent_kernel(network, state(network), [mask], x), expected)


def test_a_model_that_is_linear_in_its_parameters_has_no_linearization_error():
    network = MLP((4, 3))
    start = state(network)
    assert linearization_error(network, start, moved(start, 10.0), inputs()) < 1e-12
    # So has a deeper one of which only the last layer moves.
    start = state()
    now = tuple(b if i in (2, 5) else a for i, (a, b) in enumerate(zip(start, moved(start, 1.0), strict=True)))
    assert (
        linearization_error(SMALL, start, now, inputs())
        < 1e-12
        < linearization_error(SMALL, start, moved(start, 1.0), inputs())
    )


def test_linearization_error_in_closed_form():
    # h = w v x: of a change (dw, dv) the part dw dv is not linear.
    network = MLP((1, 1, 1), "linear")
    v, w, dv, dw = 0.7, -1.3, 0.4, 0.25
    zero = torch.zeros(1, dtype=torch.float64)
    start, now = (
        (*(torch.tensor([[value]], dtype=torch.float64) for value in values), zero, zero)
        for values in ((v, w), (v + dv, w + dw))
    )
    expected = abs(dv * dw) / abs((v + dv) * (w + dw) - v * w)
    assert linearization_error(network, start, now, inputs(width=1)) == pytest.approx(expected)


@pytest.mark.parametrize("network", [SMALL, replace(SMALL, parametrization="ntk")], ids=["standard", "ntk"])
def test_linearization_error_is_of_first_order_in_the_step(network):
    # Relative to a movement of first order, what the linear model misses is of first order: half the step, half of it.
    start, x = state(network), inputs()
    errors = [linearization_error(network, start, moved(start, size), x) for size in (1e-4, 2e-4)]
    assert errors[1] / errors[0] == pytest.approx(2, rel=1e-2) and errors[1] < 1e-2


def test_where_nothing_moved_there_is_no_linearization_error():
    start = state()
    assert np.isnan(linearization_error(SMALL, start, start, inputs()))


def measured(alpha=1.0, seeds=(3, 4), masks=None, **more):
    """Richness of a short training, with its outcome and inputs."""
    masks = masks or all_ones(NETWORK.shapes, len(seeds))
    settings = replace(SETTINGS, alpha=alpha, snapshot_at=(0, 5, 20), **more)
    outcome, x = trained(settings, masks=masks, seeds=seeds), made_data().test_x[:15]
    return measure_richness(NETWORK, outcome.snapshots, masks, seeds, x, kernel_samples=8), outcome, x


def test_the_table_has_a_row_a_seed_step_and_measure():
    table, _, _ = measured()
    assert list(table.columns) == ["seed", "step", "layer", "measure", "value"]
    assert table.dtypes.astype(str).tolist()[:3] == ["int32", "int32", "int8"] and table["value"].dtype == "float64"
    assert not table.duplicated(["seed", "step", "layer", "measure"]).any()
    assert set(zip(table["seed"], table["step"], strict=True)) == {(s, t) for s in (3, 4) for t in (0, 5, 20)}
    layers = table.groupby("measure")["layer"].agg(lambda column: sorted(set(column)))
    assert layers.to_dict() == {name: [0, 1, 2, 3] if name == MEASURES[0] else [0] for name in MEASURES}


def test_the_start_has_not_moved():
    table, _, _ = measured()
    start = table[table["step"] == 0].groupby("measure")["value"]
    assert (start.get_group("weight_movement") == 0).all()
    np.testing.assert_allclose(start.get_group("kernel_movement"), 0, atol=1e-12)
    np.testing.assert_allclose(start.get_group("kernel_trace"), 1, rtol=1e-12)
    assert start.get_group("linearization_error").isna().all()
    assert table.loc[table["step"] > 0, "value"].gt(0).all()


def test_values_are_those_of_each_seeds_network_in_float64():
    masks = some_masks(2, 0.6)
    table, outcome, x = measured(masks=masks)
    table = table.set_index(["seed", "step", "layer", "measure"])["value"]
    x = torch.from_numpy(x.astype(float))
    for replica, seed in enumerate((3, 4)):
        first, last = (one_network(doubled(outcome.snapshots[step]), replica) for step in (0, 20))
        alive = [torch.from_numpy(m[replica]) for m in masks]
        before, after = (sum(kernels_one_by_one(NETWORK, tensors, alive, x[:8])) for tensors in (first, last))
        cosine = (before * after).sum() / (before.norm() * after.norm())
        here = table[seed, 20]
        assert here[0, "kernel_movement"] == pytest.approx(1 - float(cosine), rel=1e-3)
        assert here[0, "kernel_trace"] == pytest.approx(float(after.trace() / before.trace()), rel=1e-5)
        assert here[0, "linearization_error"] == pytest.approx(linearization_error(NETWORK, first, last, x), rel=1e-3)
        for layer, movement in weight_movement(first, last).items():
            assert here[layer, "weight_movement"] == pytest.approx(movement, rel=1e-6)


@pytest.mark.parametrize("optimizer", [{"optimizer": "sgd", "lr": 0.1}, {"optimizer": "adam", "lr": 0.01}], ids=str)
def test_larger_alpha_is_lazier(optimizer):
    last = [measured(alpha, (0,), **optimizer)[0].query("step == 20 and layer == 0") for alpha in (0.1, 1.0, 10.0)]
    for measure in ("weight_movement", "kernel_movement", "linearization_error"):
        rich, middle, lazy = (float(table.loc[table["measure"] == measure, "value"].iloc[0]) for table in last)
        assert rich > 2 * middle > 4 * lazy > 0


@pytest.mark.parametrize("density", [1.0, 0.4])
def test_a_linearized_network_has_the_kernel_of_its_anchor_wherever_it_is(density):
    start = doubled(SMALL.initial([0, 1]))
    masks = some_masks(2, density, SMALL)
    linear = Linearized.around(SMALL, start.masked(masks)).replica(1)
    anchor, alive = one_network(start.masked(masks), 1), [torch.from_numpy(m[1]) for m in masks]
    x, there = inputs(), moved(anchor, 0.5)
    kernel = tangent_kernel(linear, there, alive, x)
    torch.testing.assert_close(kernel, sum(kernels_one_by_one(linear, there, alive, x)), rtol=1e-10, atol=1e-12)
    torch.testing.assert_close(kernel, tangent_kernel(SMALL, anchor, alive, x), rtol=0, atol=0)


def test_a_linearized_network_learns_nothing_in_any_measure():
    masks = some_masks(2, 0.6, SMALL)
    start, later = (doubled(SMALL.initial([seed, seed + 1])).masked(masks) for seed in (0, 5))
    linear = Linearized.around(SMALL, start)
    table = measure_richness(linear, {0: start, 7: later}, masks, [0, 1], inputs().numpy(), 3)
    last = table[(table["step"] == 7) & (table["layer"] == 0)].pivot(index="seed", columns="measure", values="value")
    assert last["kernel_movement"].abs().max() < 1e-12 and last["linearization_error"].max() < 1e-12
    assert (last["kernel_trace"] == 1).all() and last["weight_movement"].min() > 0.5
