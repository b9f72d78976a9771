import numpy as np
import pytest
from scipy.integrate import solve_ivp
from scipy.linalg import expm

from featprune.network import MLP
from featprune.theory.kernel_regression import OTHER, TRAIN, kernel_flow, kernel_of, laws, measure
from featprune.theory.runs import dataset, descent, doubled, follow, functions, linearized

SIZES = {"seeds": 2, "activation": "erf", "width": 15, "samples": 6, "time": 3.0, "snapshots": 4}


def some_kernel(rank=9, total=9):
    factors = np.random.default_rng(0).standard_normal((total, rank))
    return factors @ factors.T


@pytest.mark.parametrize("rank", [9, 3])  # with 3 some eigenvalues of the training inputs' kernel are zero
@pytest.mark.parametrize("time", [0.0, 0.3, 5.0])
def test_the_closed_form_is_the_flow_on_all_inputs(rank, time):
    kernel, y = some_kernel(rank), np.random.default_rng(1).standard_normal(6)
    flow = solve_ivp(
        lambda _, f: -kernel[:, :6] @ (f[:6] - y),
        (0, max(time, 1e-9)),
        np.zeros(9),
        rtol=1e-10,
        atol=1e-12,
        method="LSODA",
    )
    np.testing.assert_allclose(kernel_flow(kernel[:, :6], y, time), flow.y[:, -1], rtol=1e-5, atol=1e-7)


def test_on_training_inputs_it_is_the_matrix_exponential():
    kernel, y = some_kernel()[:6, :6], np.random.default_rng(1).standard_normal(6)
    np.testing.assert_allclose(kernel_flow(kernel, y, 0.7), (np.eye(6) - expm(-0.7 * kernel)) @ y, rtol=1e-9)


def test_training_the_linearized_model_is_descent_with_the_empirical_kernel():
    """Step by step, without any limit: the constant kernel and the factor of the loss are right."""
    rng, lr, steps = np.random.default_rng(2), 0.2, 7
    x, y = rng.standard_normal((6, 4)), rng.standard_normal(6)
    network = MLP((4, 15, 1), "erf", "ntk", "ntk")
    start = doubled(network.initial([0]))
    kernel, settings = kernel_of(network, start, x), linearized(descent(lr, steps, 6))
    f = np.zeros(6)
    for _ in range(steps):
        f = f - lr * 2 / 6 * kernel @ (f - y)
    states = follow(network, start, dataset(x, y[:, None], x, y[:, None]), settings)
    np.testing.assert_allclose(functions(network, states, settings, x)[steps][0, :, 0], f, rtol=1e-10)


def test_a_mode_is_learned_at_its_own_rate():
    table = measure(lrs=[0.01], **SIZES)
    rows = table[(table["seed"] == 0) & (table["split"] == TRAIN)]
    last = rows[rows["time"] == rows["time"].max()].set_index("mode")
    assert last["predicted"].is_monotonic_decreasing and last["predicted"].between(0, 1).all()
    np.testing.assert_allclose(last["simulated"], last["predicted"], atol=0.02)


def test_smaller_steps_come_near_in_proportion():
    table = measure(lrs=[0.004, 0.002], **SIZES)
    assert set(table["split"]) == {TRAIN, OTHER}
    assert laws(table)["exponent"].item() == pytest.approx(1, abs=0.1)
