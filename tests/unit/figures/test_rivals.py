"""The figures of the rivals and of the best of k rates."""

import numpy as np
import pytest

from featprune.figures.differences import ticks
from tests.unit.figures.builders import make_best_of, make_rivals
from tests.unit.figures.drawing import draw, labels_of, titles_of


def test_a_line_a_rival_in_each_panel():
    figure = draw("rivals", rivals=make_rivals())
    assert titles_of(figure) == ["25 % of weights", "6.2 % of weights"]
    assert labels_of(figure.axes[0].get_yticklabels()) == ["lth", "global"]
    _, points = figure.axes[0].collections
    np.testing.assert_allclose(points.get_offsets(), [[1, 0], [2, 1]])


def test_a_rival_at_several_alphas_says_at_which():
    figure = draw("rivals", rivals=make_rivals(rivals=(("lth", 1.0), ("rich", 0.1), ("rich", 10.0))))
    labels = labels_of(figure.axes[0].get_yticklabels())
    assert labels == ["lth", r"rich, $\alpha$ = 0.1", r"rich, $\alpha$ = 10"]


def test_a_line_a_method_with_the_error_of_the_expected_best():
    table = make_best_of()
    table.loc[(table["criterion"] == "fisher") & (table["k"] == 1), "expected"] = -np.inf
    (ax,) = draw("best_of", best_of=table).axes
    assert ax.get_ylim() == (len(ax.get_yticks()) - 0.5, -0.5), "room for the first and the last line"
    assert labels_of(ax.get_yticklabels()) == ["magnitude", "fisher"]
    drawn = sorted((y, x) for x, y in ax.collections[0].get_offsets().tolist())
    # Where a seed diverged the error is that of all samples.
    np.testing.assert_allclose(drawn, [(0, 7), (0, 8), (0, 9), (1, 7), (1, 8), (1, 100)])


def test_several_alphas_have_panels():
    assert len(draw("best_of", best_of=make_best_of(alphas=(0.1, 1.0))).axes) == 2


@pytest.mark.parametrize("low, high", [(-0.6, 0.2), (-0.3, 1.2), (-0.05, 0.02), (-3, 2), (-90, 1), (0.1, 0.9)])
def test_an_axis_of_differences_has_some_ticks_whatever_its_range(low, high):
    found = ticks(low, high)
    assert 3 <= len(found) <= 6 and all(low <= tick <= high for tick in found)
