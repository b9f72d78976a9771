import numpy as np
import pandas as pd
import pytest
from scipy import integrate, stats

from featprune.network import MLP
from featprune.theory.grokking import (
    FIT,
    GENERALIZED,
    LAWS,
    SMALL_LOSS,
    events,
    laws,
    measure,
    target,
    when,
)
from featprune.theory.runs import doubled, kernel_of


def test_the_target_is_standardized():
    def moment(power):
        def weighed(z):
            return target(np.array([[z]]))[0, 0] ** power * stats.norm.pdf(z)

        return sum(integrate.quad(weighed, *half)[0] for half in ((-10, 0), (0, 10)))

    assert [moment(1), moment(2)] == pytest.approx([0, 1], abs=1e-8)


def test_times_are_exact_for_power_laws():
    time = np.array([0, 1, 3, 10, 30.0])

    def curve(exponent):
        return pd.DataFrame({FIT: [2, *(time[1:] ** -exponent)]}, time)

    assert when(curve(0.7), FIT) == pytest.approx(SMALL_LOSS ** (-1 / 0.7))
    assert when(curve(1.3), FIT) == pytest.approx(SMALL_LOSS ** (-1 / 1.3))
    assert np.isnan(when(curve(0.5), FIT))
    assert when(curve(0.7) / 100, FIT) == 1


def test_the_kernel_is_that_of_gradients_by_finite_differences():
    network = MLP((3, 4, 1), "erf", "ntk", "ntk")
    state, x = doubled(network.initial([0])), np.random.default_rng(0).standard_normal((5, 3))
    arrays, slopes = [*state.weights, *state.biases], []
    for array in arrays:
        for index in np.ndindex(array.shape):
            ends = []
            for shift in (1e-5, -1e-5):
                array[index] += shift
                ends.append(network.output(state.weights, state.biases, x)[0, :, 0])
                array[index] -= shift
            slopes.append((ends[0] - ends[1]) / 2e-5)
    gradient = np.stack(slopes, 1)
    np.testing.assert_allclose(kernel_of(network, state, x), gradient @ gradient.T, rtol=1e-7)


def exact():
    """Train loss falls as (1 + t)^-1 at every alpha, test loss as (1 + t / alpha)^-1, the kernel as (t / alpha)^2."""
    time = np.concatenate([[0], np.logspace(-2, 4, 2000)])
    rows = []
    for seed in (0, 1):
        for alpha in (1.0, 3, 10, 30, 100):
            curves = {FIT: 1 / (1 + time), GENERALIZED: 1 / (1 + time / alpha), "kernel_movement": (time / alpha) ** 2}
            rows += [
                pd.DataFrame({"seed": seed, "alpha": alpha, "time": time, "measure": name, "value": value})
                for name, value in curves.items()
            ]
    return pd.concat(rows)


def test_times_and_the_summed_residual():
    found = events(exact()).set_index(["alpha", "seed"])
    ratio = 1 / SMALL_LOSS - 1
    np.testing.assert_allclose(found["time of fitting"], ratio, rtol=1e-3)
    for alpha, rows in found.groupby("alpha"):
        late = ratio * float(alpha)
        assert rows["time of generalization"].tolist() == pytest.approx([late] * 2, rel=1e-3)
        summed = integrate.quad(lambda t: (1 + t) ** -0.5, 0, late)[0]
        assert rows["residual summed until generalization"].tolist() == pytest.approx([summed] * 2, rel=1e-3)
        assert rows["kernel movement at a given time"].tolist() == pytest.approx(
            [(ratio / float(alpha)) ** 2] * 2, rel=1e-2
        )


def test_exponents_are_found_and_runs_that_never_generalize_left_out():
    table = exact()
    fits = laws(table).set_index("quantity")["exponent"]
    assert fits["time of fitting against alpha"] == pytest.approx(0, abs=1e-3)
    assert fits["time of generalization against alpha"] == pytest.approx(1, abs=1e-3)
    assert fits["kernel movement at a given time against alpha"] == pytest.approx(-2, abs=1e-2)
    stuck = (table["alpha"] == 100) & (table["seed"] == 1) & (table["measure"] == GENERALIZED)
    late = table.assign(value=table["value"].where(~stuck, 1.0))
    assert events(late)["time of generalization"].isna().sum() == 1
    assert laws(late).set_index("quantity").loc["time of generalization against alpha", "seeds"] == 2


def test_a_step_in_f_is_the_same_at_every_alpha_and_moves_the_kernel_less():
    table = measure(seeds=1, alphas=[1, 100, 1000], inputs=3, width=20, samples=10, lr=0.1, steps=20)
    last = table[table["step"] == 20].pivot_table(index="alpha", columns="measure", values="value")
    assert last.loc[1000, FIT] == pytest.approx(last.loc[100, FIT], rel=1e-2)
    moved = last["kernel_movement"]
    assert moved[100] / moved[1000] == pytest.approx(100, rel=0.05) and moved[1] > 1e3 * moved[100]
    assert set(LAWS) <= set(events(table).columns)
