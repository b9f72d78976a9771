"""The early stop: its step and the accuracy there, of tickets and their controls, against density."""

import numpy as np
from matplotlib.colors import to_hex

from featprune.figures.early_stop import KINDS
from featprune.figures.style import choose_method
from featprune.runs.paths import TICKET
from tests.unit.figures.builders import make_tuned
from tests.unit.figures.drawing import band_edges, draw, labels_of, legend_of, t_interval, where

METRICS = (("early_stop_step", 1), ("early_stop_test_accuracy", 100))


def curves_of(ax):
    """The curves of an axes (lines with markers), by colour."""
    return {to_hex(line.get_color()): line for line in ax.lines if line.get_marker() != "None"}


def test_steps_and_accuracies_are_means_in_their_bands_beside_the_dense_line():
    tuned = make_tuned([*KINDS, ("snip", "init"), ("magnitude", "none")])
    figure = draw("early_stop", tuned=tuned)
    assert [ax.get_ylabel().split("\n")[0] for ax in figure.axes] == ["step of the smallest", "test accuracy there (%)"]
    assert labels_of(figure.axes[-1].get_xticklabels()) == ["100", "50", "25", "12", "6.2"]
    for ax, (column, scale) in zip(figure.axes, METRICS, strict=True):
        assert len(curves_of(ax)) == len(KINDS)
        for kind in KINDS:
            color = choose_method(*kind).color
            # Not those at other alphas.
            runs = where(tuned, alpha=1.0, criterion=kind.criterion, rewind=kind.rewind, diverged=False)
            expected = scale * runs.groupby("density")[column].mean().astype(float)
            line = curves_of(ax)[to_hex(color)]
            np.testing.assert_allclose(line.get_xdata(), expected.index)
            np.testing.assert_allclose(line.get_ydata(), expected)
            values = (scale * where(runs, density=0.5)[column]).astype(float)
            np.testing.assert_allclose(band_edges(ax, color, 0.5), t_interval(values))
        dense = scale * where(tuned, alpha=1.0, criterion="dense", rewind="dense")[column].mean()
        (level,) = (line for line in ax.lines if to_hex(line.get_color()) == "#000000")
        np.testing.assert_allclose(level.get_ydata(), dense)
    assert legend_of(figure) == [*(choose_method(*kind).label for kind in KINDS), "dense"]


def test_only_what_was_run_has_a_curve_and_one_density_has_points():
    figure = draw("early_stop", tuned=make_tuned([TICKET], rounds=1, seeds=3))
    assert legend_of(figure) == [choose_method(*TICKET).label, "dense"]
    assert all(len(curves_of(ax)) == 1 for ax in figure.axes)


def test_runs_that_diverged_are_counted_above():
    lost = make_tuned([("magnitude", "init"), ("magnitude", "random")], alphas=(1.0,))
    assert draw("early_stop", tuned=lost).get_suptitle() == "demo: (1 run diverged)"
