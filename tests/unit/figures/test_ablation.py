"""The figure of what each criterion brings."""

import numpy as np
from matplotlib.colors import to_hex

from featprune.figures.style import CONTROL, choose_method
from tests.unit.figures.builders import make_ablation
from tests.unit.figures.drawing import draw, labels_of, titles_of

FISHER = choose_method("fisher", "init").color


def test_a_panel_a_density_and_a_line_a_method():
    table = make_ablation()
    table["ci_high"] = table["ci_high"].mask(table["criterion"] == "lamp", -0.001)
    figure = draw("ablation", ablation=table)
    assert titles_of(figure) == ["25 % of weights", "6.2 % of weights"]
    first = figure.axes[0]
    assert labels_of(first.get_yticklabels()) == ["preactivation", "fisher", "lamp"]
    bars, points = first.collections
    np.testing.assert_allclose(points.get_offsets(), [[-0.2, 0], [1, 1], [-0.2, 2]])
    np.testing.assert_allclose([bar.vertices[:, 0] for bar in bars.get_paths()], [[-0.4, 2], [0.4, 2], [-0.4, -0.1]])
    # Open where the interval holds zero.
    assert [to_hex(color) for color in points.get_facecolor()] == ["#ffffff", FISHER.lower(), to_hex(CONTROL)]


def test_several_alphas_have_panels_of_their_own():
    figure = draw("ablation", ablation=make_ablation(rounds=(2,), alphas=(1.0, 30.0)))
    assert titles_of(figure) == [r"25 % of weights, $\alpha$ = 1", r"25 % of weights, $\alpha$ = 30"]


def test_a_criterion_that_breaks_down_leaves_the_others_readable():
    table = make_ablation(criteria=("fisher", "gradient"), rounds=(2,))
    broken = table["criterion"] == "gradient"
    table["difference"] = table["difference"].mask(broken, -0.5)
    (ax,) = draw("ablation", ablation=table.assign(rewind="lr")).axes
    assert labels_of(ax.get_yticklabels())[0] == "fisher, learning-rate rewind"
    left, middle, zero, one = (ax.transData.transform((x, 0))[0] for x in (-50, -1, 0, 1))
    assert one - zero > (middle - left) / 3
    assert labels_of(ax.get_xticklabels()) == ["-100", "-10", "-1", "0", "1"]
