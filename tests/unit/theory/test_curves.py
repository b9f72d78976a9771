import numpy as np
import pandas as pd
import pytest

from featprune.theory.curves import crossing, largest


def test_a_crossing_lies_on_the_line_between_two_points():
    x, y = np.array([0.0, 1, 3, 10]), np.array([4.0, 3, 1, 2])
    assert crossing(x, y, 2.0) == pytest.approx(2.0)
    assert crossing(-x, y, 2.5) == pytest.approx(-1.5)
    assert crossing(x, y, 5.0) == 0.0
    assert np.isnan(crossing(x, y, 0.5))


def test_the_first_of_several_crossings_counts():
    assert crossing(np.arange(4.0), np.array([1.0, 0, 1, 0]), 0.5) == pytest.approx(0.5)


def test_the_supremum_is_each_runs_own():
    table = pd.DataFrame({"seed": [0, 0, 1], "width": [8, 8, 8], "value": [1.0, 3, 2]})
    assert largest(table, "seed", "width")["value"].tolist() == [3, 2]
