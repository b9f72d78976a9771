"""Planted shifts in time are found, noise has no say in them, and what lies beyond the range is marked."""

import numpy as np
import pytest

from featprune.config import log_grid
from featprune.features.comparison import MAX_SHIFT, compare_features, peak, read_features, regular_steps, time_shift
from featprune.features.similarity import compare
from tests.unit.features.test_comparison import write
from tests.unit.features.turning import SPEED, STEPS, N, P, noise, turning

GRID = log_grid(6000, 20)
INNER = (8, 16, 32)  # of STEPS, by which shifts of up to three octaves are judged


def shift_of(run, target):
    return time_shift(run, target)["shift"]


@pytest.mark.parametrize("shift", [-2.6, -1.0, -0.5, 0.0, 0.3, 1.0, 1.7, 2.9])
def test_a_planted_shift_is_found_within_a_tenth_of_an_octave(tmp_path, shift):
    run, dense = ({seed: turning(faster, seed, GRID) for seed in (0, 1)} for faster in (2**shift, 1))
    sides = (write(tmp_path / "a", run), write(tmp_path / "b", dense))
    _, shifts = compare_features(*map(read_features, sides))
    assert shifts["shift"].to_numpy() == pytest.approx([shift] * 2, abs=0.1)
    assert shifts["at_bound"].dtype == bool and not shifts["at_bound"].any()
    # The correlation of two states is known, and float32 files cost little.
    np.testing.assert_allclose(shifts["correlation"], np.cos(SPEED * shift), atol=1e-4)
    assert (shifts["shifted_correlation"] > 0.98).all()


@pytest.mark.parametrize("snapshots", [10, 12, 16, 20, 40])
@pytest.mark.parametrize("steps", [4000, 6000, 50_000])
def test_grids_of_any_density_tell_the_same(steps, snapshots):
    grid = log_grid(steps, snapshots)
    assert shift_of(turning(2**0.8, steps=grid), turning(steps=grid)) == pytest.approx(0.8, abs=0.1)


def test_whole_lags_are_found_exactly():
    for shift in (-2, -1, 1, 2):
        found = time_shift(turning(2.0**shift), turning())
        assert found["shift"] == pytest.approx(shift, abs=1e-9) and found["shifted_correlation"] == pytest.approx(1)


def test_a_shift_beyond_the_range_is_a_bound_and_marked():
    """Of nine steps three judge, and leave three octaves either way; seventeen would leave more than there may be."""
    long = (0, *(2**k for k in range(17)))
    for steps, bound in ((STEPS, 3), (long, MAX_SHIFT)):
        for sign in (-1, 1):
            for shift, beyond in ((bound + 1, True), (bound, True), (bound - 1, False)):
                found = time_shift(turning(2.0 ** (sign * shift), steps=steps), turning(steps=steps))
                assert found["at_bound"] is beyond
                assert found["shift"] == pytest.approx(sign * min(shift, bound))


def noisy(shift, size, seed):
    """A run ahead by this and its target, each snapshot of either with noise of its own."""
    sides = turning(2.0**shift, steps=GRID), turning(steps=GRID)
    rng = np.random.default_rng(seed)
    return [
        [{step: h + size * rng.standard_normal(h.shape) for step, h in layer.items()} for layer in side]
        for side in sides
    ]


@pytest.mark.parametrize("lags", [0, 0.5, 1])
def test_noise_leaves_the_mean_estimate_where_it_is(lags):
    """Whether the shift lies on the grid or between its steps: two fifths of the variance are noise."""
    shift = lags * np.log2(6000) / 18
    found = np.array([shift_of(*noisy(shift, 0.15, seed)) for seed in range(200)])
    error = found.std(ddof=1) / np.sqrt(len(found))
    assert 0.005 < error < 0.05
    assert found.mean() == pytest.approx(shift, abs=3 * error)


def test_noise_alone_does_not_favour_shifts_between_snapshots():
    """Interpolation would: two averaged snapshots have half the noise of one. The parabola keeps near whole lags."""
    gap = np.log2(6000) / 18
    lags = np.array([shift_of(*noisy(0, 1.0, seed)) for seed in range(200)]) / gap
    assert np.abs(lags - np.round(lags)).mean() < 0.25, "0.25 if all places between were as frequent"
    assert abs(lags.mean()) < 3 * lags.std() / np.sqrt(len(lags))


def test_steps_are_regular_from_where_rounding_is_small():
    assert regular_steps(STEPS) == [2**k for k in range(9)]
    assert regular_steps([0, 1, 2, 4, 9, 18, 36]) == [9, 18, 36]
    later = regular_steps(GRID)
    assert later == GRID[-len(later) :] and len(later) >= 12
    gaps = np.diff(np.log(later))
    assert np.ptp(gaps) < 0.2 * gaps.mean()
    assert regular_steps([0, 1, 10, 50]) == [10, 50] and regular_steps([0, 7]) == [7] and regular_steps([0]) == []


def test_the_peak_of_a_parabola():
    for at in (-0.4, 0.0, 0.3):
        assert peak(*(1 - 2 * (np.array([-1, 0, 1]) - at) ** 2)) == pytest.approx(at)
    assert peak(1.0, 1.0, 1.0) == 0 and peak(0.5, 1.0, 1.0) == pytest.approx(0.5)


def uneven(faster):
    """Units that turn fast at first and slowly then, in log time, and with it in time."""
    made = turning(steps=[])
    for seed, layer in enumerate(made):
        h = np.random.default_rng(seed).standard_normal((P, 2 * N))
        first, second = np.split(np.linalg.qr(h - h.mean(0))[0], 2, axis=1)
        for step in GRID:
            angle = 1.5 * np.tanh(np.log2(max(step, 0.5) * faster) / 6)
            layer[step] = np.cos(angle) * first + np.sin(angle) * second
    return made


def test_where_features_slow_down_a_network_is_not_ahead_of_itself():
    assert shift_of(uneven(1), uneven(1)) == pytest.approx(0, abs=1e-9)
    for shift in (-1.0, 0.3, 1.2):
        there, back = time_shift(uneven(2**shift), uneven(1)), time_shift(uneven(1), uneven(2**shift))
        assert there["shift"] == pytest.approx(shift, abs=0.1)
        assert back["shift"] == pytest.approx(-there["shift"], abs=1e-9)
        assert back["shifted_correlation"] == pytest.approx(there["shifted_correlation"])


def test_only_hidden_layers_and_regular_steps_decide(tmp_path):
    steps = sorted({*STEPS, 3, 5})
    run, dense = turning(2.0, layers=3, steps=steps), turning(layers=3, steps=steps)
    expected = time_shift(run[:2], dense[:2])
    assert regular_steps(steps) == [8, 16, 32, 64, 128, 256]
    for layer in run:
        layer |= {step: noise(h) for step, h in layer.items() if step < 8}
    run[2] = {step: noise(h, step) for step, h in run[2].items()}
    sides = (write(tmp_path / "a", {0: run}), write(tmp_path / "b", {0: dense}))
    _, shifts = compare_features(*map(read_features, sides))
    assert shifts.iloc[0].drop("seed").to_dict() == pytest.approx(expected, rel=1e-6)


def test_a_correlation_is_the_mean_over_layers_and_steps():
    run, dense = turning(2.0), turning()
    run[1] = {step: noise(h, step) for step, h in run[1].items()}
    pairs = [compare(a[t], b[t]).correlation for a, b in zip(run, dense, strict=True) for t in INNER]
    assert time_shift(run, dense)["correlation"] == pytest.approx(np.mean(pairs))


def test_dead_units_take_no_part():
    run, dense = turning(2.0), turning()
    for h in run[0].values():
        h[:, 0] = 0.5
    # Nor does a unit that was dead at one step only: its ups and downs say nothing on time.
    dense[0][16][:, 1] = 0
    found = time_shift(run, dense)
    assert found["shift"] == pytest.approx(1) and found["shifted_correlation"] == pytest.approx(1)


def test_features_that_stay_as_they_are_have_no_shift():
    still = [dict.fromkeys(STEPS, turning()[0][8])]
    found = time_shift(still, still)
    assert (found["shift"], found["at_bound"]) == (0, False) and found["correlation"] == pytest.approx(1)


def test_without_enough_steps_or_a_unit_alive_there_is_no_shift():
    short = turning(steps=STEPS[:5])
    found = time_shift(short, short)
    assert found.pop("at_bound") is False and np.isnan(list(found.values())).all()
    uneven = turning(steps=(0, 1, 10, 50, 100, 10_000))
    assert np.isnan(shift_of(uneven, uneven))
    shortest = turning(steps=STEPS[:6])
    assert shift_of(shortest, shortest) == 0
    dead = [{step: np.zeros((P, N)) for step in STEPS}]
    assert np.isnan(shift_of(dead, turning(layers=1)))
