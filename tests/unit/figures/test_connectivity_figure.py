"""The figure of connectivity shows the barriers of the test split, dense networks at 100 %."""

import numpy as np
import pytest

from featprune.figures import save
from featprune.figures.style import alpha_looks
from tests.unit.figures.builders import ALPHAS, make_connectivity
from tests.unit.figures.drawing import band_edges, colors_of, curves_of, draw, legend_of, t_interval, titles_of, where

TITLES = ["ticket and dense:\nerror (points)", "two data orders:\nerror (points)"]
TITLES += ["ticket and dense:\nloss", "two data orders:\nloss"]


def test_barriers_of_the_test_split_against_density():
    table = make_connectivity(lrs=(1.0, 3.0))
    test = where(table, split="test", lr=1.0)
    figure = draw("connectivity", connectivity=table)
    assert titles_of(figure) == TITLES
    assert legend_of(figure) == ["0.1", "1", "10"]
    tickets, orders = test[test["pair"] == "ticket_dense"], test[test["pair"] != "ticket_dense"]
    panels = [(tickets, "error", 100), (orders, "error", 100), (tickets, "loss", 1), (orders, "loss", 1)]
    for ax, (runs, value, scale) in zip(figure.axes, panels, strict=True):
        assert ax.get_xlim()[0] > ax.get_xlim()[1]
        for alpha, color in colors_of(alpha_looks(ALPHAS)).items():
            mine = where(runs, alpha=alpha)
            barriers = scale * mine.groupby("density")[f"{value}_barrier"].mean().sort_index()
            line = curves_of(ax)[color]
            np.testing.assert_allclose(line.get_xdata(), barriers.index)
            np.testing.assert_allclose(line.get_ydata(), barriers)
            at = scale * where(mine, round=2)[f"{value}_barrier"]
            np.testing.assert_allclose(band_edges(ax, color, 0.25**2), t_interval(at))
    assert 1.0 in curves_of(figure.axes[1])["#440154"].get_xdata(), "dense networks"
    limits = [ax.get_ylim() for ax in figure.axes]
    assert limits[0] == limits[1] != limits[2] == limits[3], "a scale a value"


def test_of_a_regression_there_is_the_loss():
    assert titles_of(draw("connectivity", connectivity=make_connectivity(regression=True))) == TITLES[2:]


def test_diverged_runs_are_counted():
    table = make_connectivity()
    lost = (table[["pair", "alpha", "round", "seed"]] == ["ticket_dense", 1.0, 2, 0]).all(axis=1)
    figure = draw("connectivity", connectivity=table.assign(**table[["loss_barrier", "error_barrier"]].mask(lost)))
    assert [title.endswith("(1 run diverged)") for title in titles_of(figure)] == [True, False, True, False]


@pytest.mark.parametrize("twins", [False, True])
def test_one_alpha_and_seed_with_and_without_second_tickets(twins, tmp_path):
    figure = draw("connectivity", connectivity=make_connectivity((1.0,), rounds=1, seeds=1, twins=twins))
    assert titles_of(figure) == TITLES
    save(figure, [tmp_path / "one.png"])
