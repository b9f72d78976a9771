"""The data of the explorer: means, intervals, claims, and downsampled matrices, against plain computations."""

from base64 import b64decode

import numpy as np
import pandas as pd
import pytest
from matplotlib.colors import to_rgb
from scipy import stats

from featprune.data import prepare_dataset
from featprune.explorer import curves, looks, matrices
from featprune.features.preactivations import read_preactivations
from featprune.figures.bands import ACCURACY, ERROR
from featprune.figures.style import METHODS
from tests.unit.explorer.made import STEPS, make_claims, make_sources, make_summary
from tests.unit.figures.builders import make_tuned


@pytest.mark.parametrize("metric, regression", [(ACCURACY, False), (ERROR, True)])
def test_a_curve_is_the_mean_and_students_interval_of_the_seeds_that_are_told_of(metric, regression):
    tuned = make_tuned(alphas=(0.1, 1.0), regression=regression)
    summary = make_summary(tuned)
    choosing = summary.assign(seed=99, test_accuracy=0.0, test_loss=1e9)
    rows = pd.DataFrame(curves.curves(pd.concat([summary, choosing]), tuned, metric))
    assert "dense/none" not in set(rows["strategy"]) and "dense/dense" in set(rows["strategy"])
    for chosen in (True, False):
        mine = rows[(rows["alpha"] == 1) & (rows["strategy"] == "magnitude/init") & (rows["round"] == 2)]
        (row,) = mine[mine["chosen"] == chosen].to_dict("records")
        runs = summary[(summary["alpha"] == 1) & (summary["rewind"] == "init") & (summary["round"] == 2)]
        values = runs.loc[runs["lr"] == row["lr"], metric.column] * metric.scale
        values = np.log(values) if metric.log else values
        low, high = stats.t.interval(0.95, len(values) - 1, values.mean(), stats.sem(values))
        expected = [np.exp(v) if metric.log else v for v in (values.mean(), low, high)]
        assert [row["mean"], row["low"], row["high"]] == pytest.approx(expected, rel=1e-5)
        assert row["seeds"] == 4 and row["density"] == 0.25


def test_a_diverged_run_is_counted_and_in_no_mean():
    tuned = make_tuned(alphas=(0.1, 1.0))
    rows = curves.curves(make_summary(tuned), tuned, ACCURACY)
    lost = [row for row in rows if row["diverged"]]
    assert {(row["alpha"], row["strategy"], row["round"], row["seeds"]) for row in lost} == {
        (1, "magnitude/random", 4, 3)
    }


def test_claims_are_those_that_verdicts_are_read_from_and_hold_no_infinite_number():
    table = make_claims(make_tuned(alphas=(0.1, 1.0)))
    rows = curves.claims(table)
    assert len(rows) == len(table) - 1 and {row["statistic"] for row in rows} == {"at_least_as_good", "interaction"}
    (whole,) = [row for row in rows if row["claim"] == "hypothesis"]
    assert whole["alpha"] is None and whole["ci_high"] is None and whole["strategy"] == "magnitude/init"


def test_levels_tell_a_value_within_half_a_level():
    h = np.array([-9.0, -2.0, -1.234, 0.0, 0.5, 2.0, 9.0, np.nan, np.inf])
    levels = matrices.quantise(h, 2.0)
    assert levels.dtype == np.uint8 and levels[3] == 128 and list(levels[-2:]) == [0, 0] and levels[:-2].min() == 1
    assert ((levels[:-2].astype(float) - 128) / 127 * 2) == pytest.approx(np.clip(h[:-2], -2, 2), abs=2 / 254)


@pytest.mark.parametrize("shape, cells, expected", [((10, 20), 10**6, (10, 20)), ((500, 300), 10**6, (40, 64))])
def test_a_matrix_that_fits_is_whole(shape, cells, expected):
    assert matrices.size_of(*shape, cells) == expected


@pytest.mark.parametrize("cells", [100, 640, 2000])
def test_a_matrix_keeps_to_its_budget(cells):
    count, width = matrices.size_of(500, 300, cells)
    assert count * width <= cells and count >= matrices.FEWEST
    assert matrices.size_of(500, 300, 1) == (matrices.FEWEST, matrices.FEWEST)


def test_matrices_are_parts_of_what_was_dumped(tmp_path):
    made = make_sources(tmp_path)["images"]
    entries = matrices.matrices(made["preactivations"], made["data"], 10**6)
    assert [(e["alpha"], e["lr"], e["layer"]) for e in entries] == [(0.1, 1, 1), (0.1, 1, 2), (1, 1, 1), (1, 1, 2)]
    entry = entries[2]
    assert (entry["samples"], entry["units"], entry["all_samples"], entry["all_units"]) == (40, 64, 50, 70)
    assert entry["labels"] == sorted(entry["labels"]) and len(set(entry["labels"])) == 10
    assert set(entry["networks"]) == {"dense/dense@0", "magnitude/init@2"}
    labels = prepare_dataset("digits").test_y
    for name, file in zip(("dense/dense@0", "magnitude/init@2"), made["preactivations"][1::2], strict=True):
        network = entry["networks"][name]
        assert network["steps"] == list(STEPS)
        levels = np.frombuffer(b64decode(network["levels"]), np.uint8).reshape(3, 64, 40)
        drawn = (levels.astype(float) - 128) / 127 * entry["limit"]
        for which, (_, _, _, probe, h) in enumerate(m for m in read_preactivations(file, 0) if m[1] == 1):
            # Each column is a sample of its label, each row one unit of all: found by the whole of its values.
            whole = np.clip(h, -entry["limit"], entry["limit"])
            order = np.argsort(labels[probe], kind="stable")
            for row in drawn[which][::16]:
                near = [_contains(u, row, entry) for u in whole[order].T]
                assert sum(near) == 1


def _contains(unit: np.ndarray, row: np.ndarray, entry: dict) -> bool:
    """Whether the row is a part of a unit's values in their order, within half a level."""
    place = 0
    for value in row:
        while place < len(unit) and abs(unit[place] - value) > entry["limit"] / 254 * 1.01:
            place += 1
        place += 1
    return place <= len(unit)


def test_strategies_have_the_colours_of_the_figures_and_are_seen_on_dark():
    shown = looks.strategies(make_tuned(runs=list(METHODS), rounds=1))
    assert [one["key"] for one in shown] == ["/".join(pair) for pair in METHODS]
    for one, method in zip(shown, METHODS.values(), strict=True):
        assert one["label"] == method.label
        assert to_rgb(one["light"]) == pytest.approx(to_rgb(method.color), abs=1 / 255)
        assert looks.contrast(one["dark"], looks.THEMES["dark"]["paper"]) >= looks.VISIBLE
    assert looks.contrast("#ffffff", "#000000") == pytest.approx(21)
    for colors in looks.THEMES.values():
        assert (
            min(
                looks.contrast(colors[text], colors[under]) for text in ("ink", "soft") for under in ("paper", "raised")
            )
            > 4.5
        )


def test_the_colours_of_matrices_meet_in_the_page():
    for theme in looks.THEMES:
        colors = looks.diverging(theme)
        assert len(colors) == looks.STOPS
        middle = colors[looks.STOPS // 2]
        assert looks.contrast(middle, looks.THEMES[theme]["paper"]) < 1.2
        assert min(looks.contrast(end, middle) for end in (colors[0], colors[-1])) > 4.5


def test_linearized_networks_have_a_name_for_an_alpha():
    tuned = make_tuned(alphas=(1.0, np.inf))
    rows = curves.curves(make_summary(tuned), tuned, ACCURACY)
    assert list(dict.fromkeys(row["alpha"] for row in rows)) == [1, "linearized"]
