"""The figure of claims shows what its table says: every verdict, with its estimate."""

import itertools

import matplotlib
import numpy as np
import pytest
from matplotlib.colors import to_hex

from featprune.figures.claims import BETTER_MARK, MARKS, SIGNS, UNDEFINED
from featprune.figures.style import STRATEGIES
from tests.unit.figures.builders import make_claims, make_tuned
from tests.unit.figures.drawing import draw, labels_of, legend_of, titles_of, where

TITLES = ["1  test error\n(points of accuracy)", "2  features at the end", "3  changes along time"]


def cells_of(ax):
    """(column, row) -> (colour, text) of the cells of a panel."""
    (mesh,) = ax.collections
    shown = np.argwhere(~np.ma.getmaskarray(mesh.get_array()))
    colors = mesh.to_rgba(mesh.get_array())
    texts = [text.get_text() for text in ax.texts]
    return {(x, y): (to_hex(colors[y, x]), text) for (y, x), text in zip(shown.tolist(), texts, strict=True)}


def test_claims_has_a_cell_a_row_in_the_colour_of_its_verdict():
    claims = make_claims()
    figure = draw("claims", claims=claims, tuned=make_tuned())
    rows = list(itertools.product("123", (None, 2, 4)))
    for ax, rewind in zip(figure.axes, ("init", "random"), strict=False):
        assert ax.get_title() == STRATEGIES[rewind]
        assert labels_of(ax.get_xticklabels()) == ["0.1", "1"]
        cells = cells_of(ax)
        places = [(x, y) for x, (y, (_, number)) in itertools.product((0, 1), enumerate(rows)) if number]
        assert sorted(cells) == sorted(places)
        for x, y in places:
            claim, number = rows[y]
            row = where(claims, claim=claim, alpha=(0.1, 1.0)[x], rewind=rewind, round=number, decides=True)
            row = row[(row["criterion"] == "magnitude") & (row["lr"] <= 1)].iloc[0]
            color, text = cells[x, y]
            better = claim == "1" and number == 2 and row["alpha"] > 0.5
            assert color == to_hex((BETTER_MARK if better else MARKS[row["verdict"]])["color"])
            sign, written = text.split("\n")
            assert sign == SIGNS[row["verdict"]] + ("↑" if better else "")
            expected = (100 if claim == "1" else 1) * row["estimate"]
            assert float(written.replace("−", "-")) == pytest.approx(expected, rel=0.05, abs=0.05)
    names = figure.axes[0].get_yticklabels()
    densities = ["25 % of weights", "6.2 % of weights"]
    assert labels_of(names) == [text for title in TITLES for text in (title, *densities)]
    assert [name.get_text() for name in names if name.get_fontweight() == "bold"] == TITLES
    assert figure.get_suptitle() == "demo"


@pytest.mark.parametrize(("regression", "written"), [(False, "+12.3"), (True, "×0.884")])
def test_claims_writes_test_errors_in_the_unit_of_the_experiment(regression, written):
    claims = where(make_claims((1.0,), compared=()), claim="1", round=2).assign(estimate=0.123, verdict="holds")
    figure = draw("claims", claims=claims, tuned=make_tuned(regression=regression))
    assert {text for ax in figure.axes for _, text in cells_of(ax).values()} == {f"✓↑\n{written}"}
    assert legend_of(figure.subfigs[0])[-1] == "↑  better than dense"


def test_claims_shows_the_deciding_statistics_of_hypothesis_and_headline():
    claims = make_claims()
    *_, hypothesis, headline = draw("claims", claims=claims, tuned=make_tuned()).axes
    assert labels_of(hypothesis.get_yticklabels()) == ["tickets", "SNIP − tickets", "random re-draw − tickets"]
    rows = claims[claims["claim"] == "hypothesis"].sort_values("estimate").iloc[[0, 2, 1]].assign(place=range(3))
    gains = where(claims, claim="headline")
    gains = gains.assign(place=gains["density"], **{c: 100 * gains[c] for c in ("estimate", "ci_low", "ci_high")})
    for ax, shown, flip in ((hypothesis, rows, 1), (headline, gains, -1)):
        for lines, points, (verdict, mark) in zip(
            ax.collections[:6:2], ax.collections[1:6:2], MARKS.items(), strict=True
        ):
            mine = where(shown, verdict=verdict)
            assert to_hex(points.get_facecolor()[0]) == to_hex(lines.get_color()[0]) == to_hex(mark["color"])
            np.testing.assert_allclose(points.get_offsets()[:, ::flip], mine[["estimate", "place"]])
            ends = [np.r_[path.vertices[:, ::flip][:, 0], path.vertices[0, ::flip][1]] for path in lines.get_paths()]
            np.testing.assert_allclose(ends, mine[["ci_low", "ci_high", "place"]])


@pytest.mark.parametrize("alphas", [(1.0,), (0.1, 1.0, 10.0)])
@pytest.mark.parametrize("rewinds", [("init",), ("init", "late", "random", "none", "same_sign")])
@pytest.mark.parametrize(("compared", "strips"), [((), 0), ((3,), 1), ((1, 2, 3, 4), 2)])
def test_claims_of_any_experiment(alphas, rewinds, compared, strips, tmp_path):
    claims = make_claims(alphas, rewinds, compared, hypothesis=strips > 1, gain=strips > 0)
    figure = draw("claims", claims=claims, tuned=make_tuned())
    assert len(figure.axes) == len(rewinds) + strips
    rows = 3 * len(compared) if compared else 4  # without features claim 1 alone, at all of the few densities
    assert {len(cells_of(ax)) for ax in figure.axes[: len(rewinds)]} == {rows * len(alphas)}
    strip_titles = ["hypothesis: $\\alpha$ acts uniformly on tickets", "headline"]
    assert titles_of(figure)[len(rewinds) :] == strip_titles[2 - strips :]
    figure.savefig(tmp_path / "figure.png", dpi=30)


def test_claims_without_an_estimate_have_an_empty_number():
    claims = make_claims(rewinds=("init",))
    lost = (claims["claim"] == "2") & (claims["round"] == 2) & (claims["alpha"] == 1)
    table = claims.assign(estimate=claims["estimate"].mask(lost), verdict=claims["verdict"].mask(lost, "undecided"))
    cells = cells_of(draw("claims", claims=table, tuned=make_tuned()).axes[0])
    assert cells[1, 4] == (to_hex(MARKS["undecided"]["color"]), "?\n–")


@pytest.mark.parametrize("verdict", MARKS)
def test_better_than_dense_has_a_colour_of_its_own_which_is_never_that_of_failure(verdict):
    claims = make_claims((1.0,), ("init",), hypothesis=False, gain=False)
    cell = (claims["claim"] == "1") & (claims["criterion"] == "magnitude") & claims["decides"]
    claims = claims.assign(verdict=claims["verdict"].mask(cell, verdict))
    figure = draw("claims", claims=claims, tuned=make_tuned())
    cells = cells_of(figure.axes[0])
    colors = {"↑" in text: color for (_, row), (color, text) in cells.items() if row in (1, 2)}
    assert colors == {True: to_hex(BETTER_MARK["color"]), False: to_hex(MARKS[verdict]["color"])}
    (*_, key) = figure.subfigs[0].legends[0].legend_handles
    assert to_hex(key.get_color()) == to_hex(BETTER_MARK["color"]) != to_hex(MARKS["fails"]["color"])


def test_verdicts_are_told_apart_in_grey():
    marks = [*MARKS.values(), BETTER_MARK]
    grey = sorted(np.dot(matplotlib.colors.to_rgb(mark["color"]), (0.3, 0.6, 0.1)) for mark in marks)
    assert np.diff(grey).min() > 0.15
    assert len(set(SIGNS.values())) == 3
    assert len({mark["marker"] for mark in marks}) == 4


def test_a_claim_that_a_strategy_has_no_row_of_is_said_to_be_undefined():
    claims = make_claims((1.0,), ("init", "late"), (3,))
    lost = (claims["claim"] == "3") & (claims["rewind"] == "late")
    ticket, late = draw("claims", claims=claims[~lost], tuned=make_tuned()).axes[:2]
    assert [text.get_text() for text in late.texts if text.get_text() == UNDEFINED] == [UNDEFINED]
    assert UNDEFINED not in [text.get_text() for text in ticket.texts]
