"""The figures of the rivals and of the best of k rates."""

import numpy as np

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


def test_a_panel_a_method_with_the_expected_best():
    table = make_best_of()
    table.loc[(table["criterion"] == "fisher") & (table["k"] == 1), "expected"] = -np.inf
    figure = draw("best_of", best_of=table)
    assert titles_of(figure) == ["magnitude", "fisher"]
    np.testing.assert_allclose(figure.axes[0].lines[0].get_xydata(), [[1, 91], [2, 92], [3, 93]])
    np.testing.assert_allclose(figure.axes[1].lines[0].get_xydata(), [[2, 92], [3, 93]])
