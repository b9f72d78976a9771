"""The figure of ours beside published errors."""

from itertools import combinations

import numpy as np
import pandas as pd
import pytest
from matplotlib.colors import to_hex

from featprune.figures.style import OURS, TICKETS, choose_method
from featprune.tables.published import published
from featprune.tables.records import records
from tests.unit.figures.builders import make_records
from tests.unit.figures.drawing import draw, legend_of, where


def curves_of(ax):
    return {to_hex(line.get_color()): line for line in ax.lines if len(line.get_xdata()) > 1}


def dashes_of(ax):
    """How the curves of tickets are drawn."""
    return [line.get_linestyle() for line in ax.lines if to_hex(line.get_color()) == TICKETS.lower()]


def points_of(ax):
    return [line for line in ax.lines if line.get_linestyle() == "None"]


@pytest.mark.parametrize(("panel", "against", "unit"), [(0, "density", 1.0), (1, "bytes", 1e-3)])
def test_curves_bands_and_points_are_those_of_the_table(panel, against, unit):
    table = make_records()
    ax = draw("records", records=table).axes[panel]
    curves = curves_of(ax)
    assert set(curves) == {TICKETS.lower(), OURS.lower(), choose_method("magnitude", "none").color.lower()}
    mine = where(table, against=against, alpha=1.0)
    for color, rows in {TICKETS: where(mine, side="baseline"), OURS: where(mine, criterion="preactivation")}.items():
        rows = rows.sort_values("kept")
        np.testing.assert_allclose(curves[color.lower()].get_xydata(), np.c_[unit * rows["kept"], 100 * rows["error"]])
        (band,) = (a for a in ax.collections if to_hex(a.get_facecolor()[0]) == color.lower())
        edges = band.get_paths()[0].vertices
        expected = 100 * rows[["ci_low", "ci_high"]].to_numpy()
        assert (edges[:, 1].min(), edges[:, 1].max()) == pytest.approx((expected.min(), expected.max()))
    told = where(table, against=against, side="published")
    places = [(line.get_xdata()[0], line.get_ydata()[0]) for line in points_of(ax)]
    np.testing.assert_allclose(places, np.c_[unit * told["kept"], 100 * told["error"]])
    assert [line.get_markerfacecolor() for line in points_of(ax)] == [
        "white" if checked.startswith("as quoted") else "black" for checked in told["checked"]
    ]
    # Both axes logarithmic; sparser networks and smaller files at the right.
    assert (ax.get_xscale(), ax.get_yscale(), ax.xaxis.get_inverted()) == ("log", "log", True)
    low, high = ax.get_ylim()
    assert low < 100 * told["error"].min() and 100 * told["error"].max() < high


def test_the_key_names_every_curve_and_number():
    figure = draw("records", records=make_records())
    key = ["LTH baseline", "feature-aware ticket", "no rewind (fine-tune)", "1  A 2015", "2  B 2015", "3  C 2015"]
    assert legend_of(figure) == key
    assert [[text.get_text() for text in ax.texts] for ax in figure.axes] == [["1", "2", "3", "2"], ["2", "2"]]
    assert figure.get_suptitle() == "demo: LeNet-300-100 on MNIST"


def test_tickets_are_the_baseline_unless_another_experiment_is():
    alone = draw("records", records=make_records(baseline=False)).axes[0]
    assert dashes_of(alone) == ["--"]
    table = make_records()
    own = where(table, side="baseline").assign(side="ours", experiment="demo")
    both = draw("records", records=pd.concat([table, own])).axes[0]
    assert dashes_of(both) == ["--", "-"]  # of one colour, as both are tickets


def test_without_compressed_networks_there_is_one_panel():
    (ax,) = draw("records", records=make_records(compressed=False)).axes
    assert ax.get_xlabel() == "weights remaining (%)" and len(points_of(ax)) == 4


def test_numbers_lie_over_no_point_and_no_other_number():
    table = make_records()
    real = records({}, published())
    figure = draw("records", records=pd.concat([table[table["side"] != "published"], real]))
    figure.draw_without_rendering()
    for ax in figure.axes:
        boxes = [text.get_window_extent() for text in ax.texts]
        assert len(boxes) == len(points_of(ax)) > 4
        for one, other in combinations(boxes, 2):
            assert not one.overlaps(other)
        for line in points_of(ax):
            place = ax.transData.transform(line.get_xydata()[0])
            assert not any(box.contains(*place) for box in boxes)
        for text in ax.texts:  # near its own point
            assert np.hypot(*text.get_position()) <= 38
