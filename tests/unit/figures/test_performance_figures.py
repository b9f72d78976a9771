"""Figures of performance show what their tables say: against density, alpha and training step, and the headline."""

import numpy as np
import pytest
from matplotlib.colors import to_hex
from scipy.stats import gmean

from featprune.figures.style import OURS, STRATEGIES, TICKETS, alpha_looks, choose_method
from featprune.tables.performance import summarize
from featprune.tables.tuning import tune
from tests.unit.figures.builders import ALPHAS, STEPS, choose, make_curves, make_headline, make_tuned
from tests.unit.figures.drawing import (
    band_edges,
    colors_of,
    curves_of,
    draw,
    labels_of,
    legend_of,
    t_interval,
    titles_of,
    where,
)

REWINDS = ("init", "random", "none")


def test_accuracy_vs_density_shows_means_bands_and_dense_levels():
    tuned = make_tuned()
    figure = draw("accuracy_vs_density", tuned=tuned)
    notes = {"random": "\n(1 run diverged)"}
    assert titles_of(figure) == [STRATEGIES[name] + notes.get(name, "") for name in REWINDS]
    assert figure.get_suptitle() == "demo"
    assert "chosen on the validation split" in figure.get_supxlabel()
    assert [ax.get_ylabel() for ax in figure.axes] == ["test accuracy (%)", "", ""]
    for ax, rewind in zip(figure.axes, REWINDS, strict=True):
        assert ax.get_xlabel() == "weights remaining (%)"
        assert ax.get_xscale() == "log"
        assert labels_of(ax.get_xticklabels()) == ["100", "50", "25", "12", "6.2"]
        for alpha, color in colors_of(alpha_looks(ALPHAS)).items():
            runs = where(tuned, alpha=alpha, rewind=rewind, criterion="magnitude", diverged=False)
            expected = 100 * runs.groupby("density")["test_accuracy"].mean()
            line = curves_of(ax)[color]
            np.testing.assert_allclose(line.get_xdata(), expected.index)
            np.testing.assert_allclose(line.get_ydata(), expected)
            edges = band_edges(ax, color, 0.5)
            np.testing.assert_allclose(edges, t_interval(100 * where(runs, density=0.5)["test_accuracy"]))
            dense = 100 * where(tuned, alpha=alpha, criterion="dense", rewind="dense")["test_accuracy"].mean()
            assert any(np.allclose(line.get_ydata(), dense) for line in ax.lines if to_hex(line.get_color()) == color)
    dotted = [[line for line in ax.lines if line.get_linestyle() == ":"] for ax in figure.axes]
    assert [len(lines) for lines in dotted] == [0, 0, len(ALPHAS)]
    longer = where(tuned, alpha=0.1, criterion="dense", rewind="none").groupby("round")["test_accuracy"].mean()
    np.testing.assert_allclose(dotted[2][0].get_xdata()[::-1], 0.5**longer.index)
    np.testing.assert_allclose(dotted[2][0].get_ydata()[::-1], 100 * longer)
    assert legend_of(figure) == ["0.1", "1", "10", "dense", "dense,\ntrained as long"]


@pytest.mark.parametrize("name", ["accuracy_vs_density", "alpha_sweep"])
def test_regression_is_an_error_on_a_log_axis(name):
    figure = draw(name, tuned=make_tuned(regression=True))
    assert figure.axes[0].get_ylabel() == "test error (squared)"
    assert {ax.get_yscale() for ax in figure.axes} == {"log"}


@pytest.mark.parametrize("name", ["accuracy_vs_density", "alpha_sweep"])
@pytest.mark.parametrize("alphas", [(1.0,), tuple(10.0 ** np.arange(-4, 4))])
@pytest.mark.parametrize("rewinds", [("init",), ("late", "none", "new", "random", "init")])
def test_any_number_of_alphas_strategies_and_one_seed(name, alphas, rewinds):
    figure = draw(name, tuned=make_tuned([("magnitude", rewind) for rewind in rewinds], alphas, seeds=1))
    titles = [STRATEGIES["init"], STRATEGIES["late"], STRATEGIES["random"], STRATEGIES["none"], "new"]
    assert titles_of(figure) == titles[:: 1 if len(rewinds) > 1 else 5]


def test_only_magnitude_is_drawn_and_named_among_several_criteria():
    tuned = make_tuned([("snip", "init"), ("magnitude", "init")])
    figure = draw("accuracy_vs_density", tuned=tuned)
    assert titles_of(figure) == ["magnitude ×\n" + STRATEGIES["init"]]
    expected = where(tuned, criterion="magnitude", alpha=1).groupby("density")["test_accuracy"].mean()
    line = curves_of(figure.axes[0])[colors_of(alpha_looks(ALPHAS))[1.0]]
    np.testing.assert_allclose(line.get_ydata(), 100 * expected)


def test_alpha_sweep_shows_densities_and_dense():
    tuned = make_tuned(rounds=9)
    figure = draw("alpha_sweep", tuned=tuned)
    assert legend_of(figure) == ["100 (dense)", "50", "12", "3.1", "0.78", "0.2"]
    assert titles_of(figure)[1] == STRATEGIES["random"] + "\n(1 run diverged)"
    for ax, rewind in zip(figure.axes, REWINDS, strict=True):
        dense, *densities = ax.lines
        assert (dense.get_color(), dense.get_linestyle()) == ((0, 0, 0), "--")
        expected = where(tuned, criterion="dense", rewind="dense").groupby("alpha")["test_accuracy"].mean()
        np.testing.assert_allclose(dense.get_ydata(), 100 * expected)
        assert len(densities) == 5
        assert dense.get_zorder() > max(line.get_zorder() for line in densities)
        last = where(tuned, rewind=rewind, criterion="magnitude", round=9, diverged=False)
        np.testing.assert_allclose(densities[-1].get_ydata(), 100 * last.groupby("alpha")["test_accuracy"].mean())
        assert labels_of(ax.get_xticklabels()) == ["0.1", "1", "10"]


def test_headline_is_vermilion_purple_and_paired():
    """Of the comparison `gain` alone, whatever else the tables compare."""
    tables = make_headline()
    top, bottom = draw("headline", **tables).axes
    gain = where(tables["headline"], comparison="gain")
    for line, side, color in zip(top.lines, ("baseline", "ours"), (TICKETS, OURS), strict=True):
        runs = where(gain, side=side).groupby("density")["test_accuracy"]
        assert to_hex(line.get_color()) == color.lower()
        np.testing.assert_allclose(line.get_ydata(), 100 * runs.mean())
        np.testing.assert_allclose(band_edges(top, color, 0.25), t_interval(100 * runs.get_group(0.25)))
    assert labels_of(top.texts) == ["0.3", "0.3", "0.3", r"$\alpha$"]
    whiskers, points = bottom.collections
    np.testing.assert_allclose(whiskers.get_paths()[0].vertices[:, 1], [-1, 2])
    np.testing.assert_allclose(points.get_offsets()[:, 1], [1, 1, 1])
    assert [to_hex(color) for color in points.get_facecolor()] == ["#ffffff", OURS.lower(), OURS.lower()]
    assert bottom.get_ylabel().startswith("ours − baseline")
    assert (top.get_ylabel(), bottom.get_xlabel()) == (
        "test accuracy (%)",
        "weights remaining (%) in the baseline; ours stores no more",
    )


def test_headline_of_another_criterion_has_its_colour_and_name():
    tables = make_headline()
    ours = tables["headline"]["side"] == "ours"
    tables["headline"] = tables["headline"].assign(criterion=tables["headline"]["criterion"].mask(ours, "fisher"))
    figure = draw("headline", **tables)
    top, bottom = figure.axes
    color = choose_method("fisher", "init").color.lower()
    assert to_hex(top.lines[1].get_color()) == color
    assert {to_hex(edge) for edge in bottom.collections[1].get_edgecolor()} == {color}
    assert legend_of(figure) == ["LTH baseline", "ours: Fisher ticket"]


def test_headline_has_a_tick_a_density():
    _, bottom = draw("headline", **make_headline(rounds=8)).axes
    assert labels_of(bottom.get_xticklabels()) == ["50", "25", "12", "6.2", "3.1", "1.6", "0.78", "0.39"]


def test_headline_of_one_seed_has_no_interval():
    tables = make_headline(seeds=1, rounds=20)
    tables["headline_difference"] = tables["headline_difference"].assign(ci_low=np.nan, ci_high=np.nan)
    top, bottom = draw("headline", **tables).axes
    assert {to_hex(color) for color in bottom.collections[1].get_facecolor()} == {"#ffffff"}
    assert {text.get_rotation() for text in top.texts} == {0, 90}


def test_learning_curves_show_dense_and_tickets():
    curves = make_curves()
    figure = draw("learning_curves", learning_curves=curves, tuned=choose(curves))
    assert titles_of(figure) == [rf"$\alpha$ = {alpha:g}" for alpha in ALPHAS]
    assert legend_of(figure) == ["100 (dense)", "50", "25"]
    for ax, alpha in zip(figure.axes, ALPHAS, strict=True):
        assert len(ax.lines) == 3
        for line, (rewind, number) in zip(ax.lines, (("dense", 0), ("init", 1), ("init", 2)), strict=True):
            runs = where(curves, alpha=alpha, rewind=rewind, round=number, split="validation")
            np.testing.assert_allclose(line.get_xdata(), STEPS)
            np.testing.assert_allclose(line.get_ydata(), runs.groupby("step")["loss"].apply(gmean))
            assert (line.get_color() == (0, 0, 0)) == (line.get_linestyle() == "--") == (rewind == "dense")
        assert (ax.get_xscale(), ax.get_yscale()) == ("symlog", "log")
    assert figure.axes[0].get_ylabel() == "validation loss"
    assert figure.get_supxlabel() == ""


def assert_lrs(figure, curves, chosen, other):
    """Each curve and its band are those of the runs at the lr `chosen` for its (alpha, round), elsewhere at `other`."""
    assert "chosen on the validation split" in figure.get_supxlabel()
    for ax, alpha in zip(figure.axes, ALPHAS, strict=True):
        for line, (rewind, number) in zip(ax.lines, (("dense", 0), ("init", 1), ("init", 2)), strict=True):
            lr = chosen.get((alpha, number), other)
            runs = where(curves, alpha=alpha, rewind=rewind, round=number, split="validation", lr=lr)
            np.testing.assert_allclose(line.get_ydata(), runs.groupby("step")["loss"].apply(gmean))
            interval = np.exp(t_interval(np.log(where(runs, step=10)["loss"])))
            np.testing.assert_allclose(band_edges(ax, line.get_color(), 10), interval)


def test_learning_curves_are_at_the_lr_of_the_table_tuned():
    """Whichever it is: here not the one with the best validation metrics, and not everywhere the same."""
    curves = make_curves(lrs=(0.3, 1.0)).assign(accuracy=lambda table: table["lr"])
    tuned = choose(curves, 0.3)
    other = (tuned["round"] == 2) & (tuned["alpha"] == 10)
    figure = draw("learning_curves", learning_curves=curves, tuned=tuned.assign(lr=tuned["lr"].mask(other, 1.0)))
    assert_lrs(figure, curves, {(10.0, 2): 1.0}, other=0.3)


@pytest.mark.parametrize("regression", [False, True])
def test_learning_curves_show_the_runs_that_tuning_chose_where_rates_tie(regression):
    """All rates tie on validation in the end, but at one cell, where the largest wins; test data have no part."""
    curves = make_curves(lrs=(0.3, 1.0, 3.0)).assign(weights_remaining=1)
    last = (curves["split"] == "validation") & (curves["step"] == max(STEPS))
    best = last & (curves[["alpha", "round", "lr"]] == [10.0, 2, 3.0]).all(axis=1)
    tie = curves["loss"].mask(last, 0.5).mask(best, 0.4)
    accuracy = np.nan if regression else curves["accuracy"].mask(last, 0.9).mask(best, 0.95)
    curves = curves.assign(loss=tie, accuracy=accuracy)
    behind = {"dense/dense": [0], "magnitude/init": [0, 0, 0], "magnitude/none": [0, 0]}
    tuned = tune(summarize(curves, behind), over=["lr"])
    figure = draw("learning_curves", learning_curves=curves, tuned=tuned)
    assert_lrs(figure, curves, {(10.0, 2): 3.0}, other=0.3)


def test_learning_curves_of_a_dense_network_alone():
    curves = make_curves()
    curves = curves[curves["criterion"] == "dense"]
    figure = draw("learning_curves", learning_curves=curves, tuned=choose(curves))
    assert legend_of(figure) == ["100 (dense)"]
    assert [len(ax.lines) for ax in figure.axes] == [1, 1, 1]


def test_a_short_axis_of_losses_has_plain_ticks():
    curves = make_curves()
    curves = curves.assign(loss=0.2 + 0.5 * (curves["step"] < 9))
    figure = draw("learning_curves", learning_curves=curves, tuned=choose(curves))
    assert {"0.2", "0.4", "0.6"} <= set(labels_of(figure.axes[0].get_yticklabels()))


def test_a_lone_criterion_is_named_unless_it_is_magnitude():
    tuned = make_tuned()
    lone = tuned[tuned["rewind"].isin(["dense", "init"])]
    others = lone.assign(criterion=lone["criterion"].replace("magnitude", "fisher"))
    titles = [titles_of(draw("accuracy_vs_density", tuned=runs))[0].split("\n(")[0] for runs in (lone, others)]
    assert titles == [STRATEGIES["init"], "fisher ×\n" + STRATEGIES["init"]]
