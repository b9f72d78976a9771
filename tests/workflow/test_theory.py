"""The additional experiments: one figure needs its own measurement and no more, and only what changes it reruns it."""

import pytest

from featprune.figures import FIGURES
from featprune.theory.registry import RESULTS

FIGURE = "results/figures/theory/infinite_width.png"
SIZES = {"theory": {"infinite_width": {"seeds": 2, "widths": [8, 16], "samples": 4}}}
CHANGED = "\n\nCHANGED = True\n"


@pytest.fixture(scope="module")
def measured(pristine, once):
    return once("theory", lambda root: pristine.copy(root).run(FIGURE, overlay=SIZES))


@pytest.fixture
def changeable(measured, tmp_path):
    return measured.copy(tmp_path / "study")


def plan(workspace, sizes=SIZES):
    return workspace.plan(FIGURE, overlay=sizes).counts()


def test_a_figure_needs_nothing_but_its_own_measurement(measured):
    made = {path.relative_to(measured.results).as_posix() for path in measured.results.rglob("*.*")}
    assert {"tables/theory/infinite_width.parquet", "tables/theory/infinite_width_laws.parquet"} <= made
    assert not [path for path in made if path.startswith("runs/")]
    assert plan(measured) == {}


def test_only_its_own_options_measure_it_again(measured):
    other = {"theory": SIZES["theory"] | {"lazy_limit": {"seeds": 3}}}
    assert plan(measured, other) == {}
    own = {"theory": {"infinite_width": SIZES["theory"]["infinite_width"] | {"samples": 5}}}
    assert plan(measured, own) == {"measure_infinite_width": 1, "plot_infinite_width": 1}


@pytest.mark.parametrize(
    ("file", "expected"),
    [
        ("featprune/theory/lazy_limit.py", {}),
        ("featprune/theory/infinite_width.py", {"measure_infinite_width": 1, "plot_infinite_width": 1}),
        ("featprune/network.py", {"measure_infinite_width": 1, "plot_infinite_width": 1}),
        ("featprune/figures/theory/infinite_width.py", {"plot_infinite_width": 1}),
        ("featprune/figures/theory/lazy_limit.py", {}),
    ],
)
def test_only_the_code_behind_it_reruns_it(changeable, file, expected):
    changeable.append(file, CHANGED)
    assert plan(changeable) == expected


def test_every_result_has_a_figure_and_the_target_makes_all(measured):
    assert set(RESULTS) <= set(FIGURES) and all(FIGURES[name].needs == ("theory",) for name in RESULTS)
    rules = measured.plan("theory", overlay=SIZES).counts()
    assert {f"{verb}_{name}" for name in RESULTS for verb in ("measure", "plot")} - set(rules) == {
        "measure_infinite_width",
        "plot_infinite_width",
    }
