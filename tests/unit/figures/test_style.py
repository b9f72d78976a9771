"""What all figures are made of: metrics and bands, panels and curves, names, colours and ticks."""

import numpy as np
import pandas as pd
import pytest
from matplotlib.colors import to_hex
from matplotlib.figure import Figure
from scipy.stats import gmean

from featprune.figures.bands import ACCURACY, ERROR
from featprune.figures.panels import draw_curves
from featprune.figures.style import (
    METHODS,
    STRATEGIES,
    LogTicks,
    alpha_axis,
    alpha_looks,
    choose_method,
    density_axis,
    log_ticks,
    order_methods,
    percent,
    pick,
    plain,
    spaced,
    step_axis,
)
from featprune.tables.intervals import student_t
from tests.unit.figures.builders import ALPHAS, CONTROLS, PAIRS, make_tuned
from tests.unit.figures.drawing import band_edges, colors_of, labels_of, t_interval, where


def curves(runs, metric=ACCURACY, looks=None):
    """A single panel of these runs against density."""
    (ax,) = draw_curves(runs.assign(panel="all"), looks or alpha_looks(ALPHAS), "alpha", "density", metric).axes
    return ax


def test_student_t_is_the_interval_of_scipy_and_needs_three_seeds():
    values = pd.Series([0.9, 0.95, 0.97, 0.91])
    assert student_t(values) == pytest.approx(t_interval(values))
    assert student_t(pd.Series([0.9, 0.9, 0.9])) == pytest.approx((0.9, 0.9))
    assert np.isnan(student_t(values[:2])).all()


def test_a_metric_leaves_out_diverged_runs_and_has_a_place_above_zero_for_a_log_axis():
    runs = pd.DataFrame({"test_accuracy": [0.5, 0.7], "test_loss": [0.0, np.inf], "diverged": [False, True], "seed": 0})
    np.testing.assert_array_equal(ACCURACY.of(runs), [50, np.nan])
    np.testing.assert_array_equal(ERROR.of(runs), [np.finfo(np.float32).tiny, np.nan])
    losses = runs.assign(test_loss=[0.1, 0.001], diverged=False)
    assert ERROR.mean(losses, ["seed"])[0] == pytest.approx(0.01)
    assert ACCURACY.mean(losses, ["seed"])[0] == pytest.approx(60)


def test_curves_are_means_with_bands_and_leave_out_diverged_runs():
    runs = where(make_tuned(), rewind="random")
    ax = curves(runs)
    sound = where(runs, alpha=10.0, round=4, diverged=False)["test_accuracy"]
    assert len(sound) == 3
    color = colors_of(alpha_looks(ALPHAS))[10.0]
    (line,) = (line for line in ax.lines if to_hex(line.get_color()) == color)
    assert line.get_ydata()[list(line.get_xdata()).index(0.5**4)] == pytest.approx(100 * sound.mean())
    assert band_edges(ax, color, 0.5**4) == pytest.approx(t_interval(100 * sound))


def test_on_a_log_axis_means_and_bands_are_those_of_the_logarithm():
    runs = where(make_tuned(regression=True), rewind="init")
    ax = curves(runs, ERROR)
    assert ax.get_yscale() == "log"
    values = where(runs, alpha=1.0, round=2)["test_loss"]
    color = colors_of(alpha_looks(ALPHAS))[1.0]
    (line,) = (line for line in ax.lines if to_hex(line.get_color()) == color)
    assert line.get_ydata()[list(line.get_xdata()).index(0.25)] == pytest.approx(gmean(values))
    assert band_edges(ax, color, 0.25) == pytest.approx(np.exp(t_interval(np.log(values))))


@pytest.mark.parametrize("seeds", [1, 2])
def test_few_seeds_have_no_band(seeds):
    ax = curves(where(make_tuned(seeds=seeds), rewind="init"))
    assert len(ax.lines) == len(ALPHAS)
    assert not any(len(band.get_paths()) for band in ax.collections)


def test_a_curve_breaks_where_every_run_diverged():
    runs = where(make_tuned(), rewind="init")
    lost = (runs["alpha"] == 1) & (runs["round"] == 2)
    ax = curves(runs.assign(diverged=lost))
    pieces = [line for line in ax.lines if to_hex(line.get_color()) == colors_of(alpha_looks(ALPHAS))[1.0]]
    assert sorted(sorted(piece.get_xdata()) for piece in pieces) == [[0.5**4, 0.5**3], [0.5]]
    assert len(ax.lines) == len(ALPHAS) + 1


def test_a_single_place_has_points_with_error_bars():
    runs = where(make_tuned(rounds=1), rewind="init", alpha=1.0)
    ax = curves(runs)
    (bar,) = (segment for bars in ax.collections for segment in bars.get_segments())
    np.testing.assert_allclose(bar, [(0.5, edge) for edge in t_interval(100 * runs["test_accuracy"])])


def test_methods_are_ordered_by_level_and_variants_follow_their_method():
    pairs = [*CONTROLS, ("dense", "none"), *PAIRS[::-1], ("dense", "dense")]
    ordered = order_methods(pd.DataFrame(pairs, columns=["criterion", "rewind"]))
    assert ordered == [*PAIRS, ("ticket", "same_sign"), ("shuffled", "init"), ("new", "late")]
    assert [choose_method(*kind).hollow for kind in ordered] == [False, True] + [False] * 6
    assert choose_method("synflow_iterative", "init").label == "SynFlow, iterative"
    assert choose_method("synflow_iterative", "init").color == METHODS["synflow", "init"].color
    assert choose_method("new", "late").label == "new × " + STRATEGIES["late"]


def test_every_method_has_its_own_colour_and_every_control_its_own_marker():
    colors = [method.color for method in METHODS.values() if method.level != "controls"]
    assert len(set(colors)) == len(colors) == 12
    looks = [(method.level, method.marker) for method in METHODS.values()]
    assert len(set(looks)) == len(looks)


def test_numbers_are_written_in_few_characters():
    assert [percent(d) for d in (1, 0.5132, 0.0859, 0.01, 0.0035)] == ["100", "51", "8.6", "1.0", "0.35"]
    assert [plain(x) for x in (0.001, 0.5, 20, 1e-5, 2e6)] == ["0.001", "0.5", "20", "1e-5", "2e6"]


def test_pick_is_even_and_has_both_ends():
    assert pick([0, 1, 2, 3, 4], 3) == [0, 2, 4]
    assert pick([7], 3) == [0]
    assert len({look["color"] for look in alpha_looks((0.01, 0.1, 1)).values()}) == 3


def test_ticks_leave_each_other_room():
    densities = np.array([1.0, 0.6, 0.36, 0.22, 0.13, 0.079, 0.047, 0.029, 0.017, 0.011])
    ticks = spaced(densities)
    assert ticks[0] == 1.0 and ticks[-1] == 0.011 and set(ticks) < set(densities)
    assert np.diff(-np.log(ticks)).min() >= np.log(1 / 0.011) / 6
    assert spaced(densities, room=12) == list(densities)
    assert spaced(np.array([0.5])) == [0.5]


def test_x_axes_have_ticks_at_the_data():
    density, alpha, step = Figure().subplots(1, 3)
    density_axis(density, [0.1, 1.0, 0.5, 0.1])
    alpha_axis([alpha], [10.0, 0.1, 1.0])
    step_axis(step, [0, 10, 100, 1000])
    assert labels_of(density.get_xticklabels()) == ["100", "50", "10"]
    assert labels_of(alpha.get_xticklabels()) == ["0.1", "1", "10"]
    assert density.get_xlim()[0] > 1 > 0.1 > density.get_xlim()[1]
    assert alpha.get_xlim()[0] < 0.1 < 10 < alpha.get_xlim()[1]
    assert (step.get_xscale(), step.get_xlim()[0] < 0, step.get_xlim()[1] > 1000) == ("symlog", True, True)
    assert {"0", "10", "100", "1k"} <= set(labels_of(step.get_xticklabels()))


@pytest.mark.parametrize(
    ("limits", "ticks"),
    [
        ((0.002, 3), [0.01, 0.1, 1]),
        ((0.15, 3), [0.2, 0.5, 1, 2]),
        ((0.17, 0.72), [0.2, 0.4, 0.6]),
        ((2.1, 4.9), [3, 4]),
        ((40, 47), [40, 42, 44, 46]),
    ],
)
def test_a_log_axis_has_plain_ticks_however_short_it_is(limits, ticks):
    ax = Figure().subplots()
    ax.set(yscale="log", ylim=limits)
    log_ticks(ax.yaxis)
    assert isinstance(ax.yaxis.get_major_locator(), LogTicks)
    assert min(ax.get_yticks()) > 0
    shown = [tick for tick in ax.get_yticks() if limits[0] <= tick <= limits[1]]
    assert shown == pytest.approx(ticks)
    assert [ax.yaxis.get_major_formatter()(tick) for tick in shown] == [plain(tick) for tick in ticks]
