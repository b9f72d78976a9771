"""Linearized networks in figures: beyond a gap of alpha's axis, in a colour and with a name of their own."""

import numpy as np
import pytest
from matplotlib.colors import to_hex

from featprune.figures import save
from featprune.figures.panels import by_alpha
from featprune.figures.style import LINEARIZED_COLOR, alpha_looks, log_palette, place_alpha
from tests.unit.figures.builders import (
    make_ablation,
    make_best_of,
    make_claims,
    make_curves,
    make_features,
    make_richness,
    make_tuned,
)
from tests.unit.figures.drawing import draw, labels_of, legend_of, t_interval, titles_of, where

ALPHAS = (0.1, 1.0, 10.0, np.inf)


def points(ax, place):
    """Colour -> height of the markers that stand alone near this place."""
    alone = [line for line in ax.lines if len(line.get_xdata()) == 1 and line.get_marker() == "o"]
    near = [line for line in alone if abs(np.log(line.get_xdata()[0] / place)) < 0.3]
    return {to_hex(line.get_color()): line.get_ydata()[0] for line in near}


def test_a_colour_and_a_name_apart_leave_those_of_other_alphas():
    looks, others = alpha_looks(ALPHAS), alpha_looks(ALPHAS[:3])
    assert {alpha: looks[alpha] for alpha in others} == others and list(looks) == list(ALPHAS)
    assert looks[np.inf] == {"color": LINEARIZED_COLOR, "label": "linearized", "marker": "o"}
    assert to_hex(LINEARIZED_COLOR) not in map(to_hex, log_palette(ALPHAS[:3], "viridis", 0, 1).values())
    assert list(by_alpha(make_tuned(alphas=ALPHAS))["panel"].unique())[-1] == "linearized"


def test_it_is_placed_beyond_the_largest_alpha():
    assert place_alpha(np.inf, ALPHAS) == pytest.approx(10 * 100**0.35)
    assert place_alpha(np.inf, [1.0, np.inf]) == 10
    assert place_alpha(1.0, ALPHAS) == 1


def test_the_sweep_ends_in_points_that_no_line_reaches():
    tuned = make_tuned(alphas=ALPHAS)
    figure, place = draw("alpha_sweep", tuned=tuned), place_alpha(np.inf, ALPHAS)
    for ax, rewind in zip(figure.axes, ("init", "random", "none"), strict=True):
        assert labels_of(ax.get_xticklabels()) == ["0.1", "1", "10", "lin."]
        curves = [line for line in ax.lines if len(line.get_xdata()) > 1 and line.get_marker() == "o"]
        assert curves and all(max(line.get_xdata()) <= 10 for line in curves)
        there = points(ax, place)
        dense = 100 * where(tuned, alpha=np.inf, criterion="dense", rewind="dense")["test_accuracy"]
        assert there["#000000"] == pytest.approx(dense.mean()) and len(there) == 5
        ticket = where(tuned, alpha=np.inf, criterion="magnitude", rewind=rewind, round=1, diverged=False)
        assert np.isclose(list(there.values()), 100 * ticket["test_accuracy"].mean()).any()
        paths = [path.vertices for bars in ax.collections for path in bars.get_paths()]
        bars = [ends for ends in paths if abs(np.log(ends[:, 0].min() / place)) < 0.3]
        assert len({ends[0, 0] for ends in bars}) == 5
        low, high = t_interval(dense)
        assert any(np.allclose(sorted(ends[:, 1]), [low, high]) for ends in bars)
        assert place < ax.get_xlim()[1]
        (gap,) = (line for line in ax.lines if isinstance(line.get_marker(), list))
        assert all(10 < x < place for x in gap.get_xdata())


def test_without_it_no_axis_has_a_gap():
    figure = draw("alpha_sweep", tuned=make_tuned(alphas=ALPHAS[:3]))
    assert not any(isinstance(line.get_marker(), list) for ax in figure.axes for line in ax.lines)


def test_richness_writes_the_zeros_of_the_limit_and_draws_no_rounding(tmp_path):
    richness = make_richness(alphas=ALPHAS)
    limit = np.isinf(richness["alpha"])
    richness["value"] = richness["value"].mask(limit, 1e-9).mask(limit & (richness["measure"] == "kernel_trace"), 1.0)
    figure, place = draw("richness", richness=richness), place_alpha(np.inf, ALPHAS)
    weights, kernel, trace, error = figure.axes
    for ax in (weights, kernel, error):
        assert not points(ax, place) and ax.get_ylim()[0] > 1e-6
        assert [text.get_position()[0] for text in ax.texts if text.get_text() == "↓0"] == [place]
    assert points(trace, place)["#000000"] == pytest.approx(1) and not trace.texts
    save(figure, [tmp_path / "richness.png"])


@pytest.mark.parametrize(
    ("name", "tables"),
    [
        ("accuracy_vs_density", {"tuned": make_tuned}),
        ("feature_similarity", {"features": make_features}),
        ("feature_similarity_vs_density", {"features": make_features}),
    ],
)
def test_a_legend_of_alphas_names_it(name, tables):
    figure = draw(name, **{table: make(alphas=ALPHAS) for table, make in tables.items()})
    assert legend_of(figure)[:4] == ["0.1", "1", "10", "linearized"]


def test_panels_of_alphas_name_it():
    tuned = make_tuned(alphas=ALPHAS)
    figure = draw("learning_curves", learning_curves=make_curves(alphas=ALPHAS), tuned=tuned)
    assert titles_of(figure)[-1] == "linearized" == titles_of(draw("levels", tuned=tuned))[-1].splitlines()[0]
    assert titles_of(draw("best_of", best_of=make_best_of(alphas=ALPHAS)))[-1] == "linearized"
    assert titles_of(draw("ablation", ablation=make_ablation(alphas=ALPHAS)))[-1].endswith("% of weights, linearized")


def test_claims_has_a_column_of_it_though_it_decides_nothing():
    claims = make_claims()
    limit = claims[(claims["alpha"] == 1) & claims["claim"].isin(["1", "2", "3"])].assign(alpha=np.inf, decides=False)
    claims = claims.merge(limit, how="outer")
    figure = draw("claims", claims=claims, tuned=make_tuned())
    ax = figure.axes[0]
    assert labels_of(ax.get_xticklabels()) == ["0.1", "1", "lin."]
    cells = ~np.ma.getmaskarray(ax.collections[0].get_array())
    assert (cells[:, 2] == cells[:, 1]).all() and cells[:, 2].any()
