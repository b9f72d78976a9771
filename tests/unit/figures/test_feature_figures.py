"""Figures of features show what their tables say: similarity to the dense network, and the amount of learning."""

import itertools

import matplotlib
import numpy as np
import pandas as pd
import pytest
from matplotlib.colors import to_hex
from scipy.stats import gmean, t

from featprune.errors import FeatpruneError
from featprune.figures import FIGURES, save
from featprune.figures.style import STRATEGIES, alpha_palette, density_palette
from featprune.tables.frames import MEASURES, alike
from tests.unit.figures.drawing import legend_of, saved_twice_is_the_same

matplotlib.use("Agg")
ALPHAS = (0.1, 1.0, 10.0)
STEPS = (0, 1, 10, 100)
NAMES = ("feature_similarity", "feature_similarity_vs_density", "richness")
CEILING, NULL = "ceiling: dense,\nanother data order", "null: dense,\nanother initialization"
KEYS = ["alpha", "lr", "criterion", "rewind", "round", "seed", "step", "layer"]


def make_features(alphas=ALPHAS, rewinds=("random", "init"), rounds=3, seeds=4, lrs=(1.0,)):
    """A table `features` of two hidden layers and an output; densities are a quarter to the power of the round."""
    rng = np.random.default_rng(0)
    runs = [("dense", "reordered", 0), ("dense", "reinitialized", 0)]
    runs += [("magnitude", rewind, number) for rewind in rewinds for number in range(1, rounds + 1)]
    grid = itertools.product(alphas, lrs, runs, range(seeds), STEPS, (1, 2, 3))
    table = pd.DataFrame([(alpha, lr, *run, *rest) for alpha, lr, run, *rest in grid], columns=KEYS)
    table = table.assign(experiment="demo", density=0.25 ** table["round"], units=20, dead=2, dead_dense=0, shared=18)
    return table.assign(**{name: rng.uniform(0.1, 0.9, len(table)) for name in MEASURES})


def make_richness(alphas=ALPHAS, rounds=3, seeds=4, lrs=(1.0,)):
    """A table `richness`; the layers' own values and those of other strategies are far from the networks'."""
    rng = np.random.default_rng(1)
    runs = [("dense", "dense", 0), *(("magnitude", "init", number) for number in range(1, rounds + 1))]
    measures = [("weight_movement", 0), ("weight_movement", 1)]
    measures += [(name, 0) for name in ("kernel_movement", "kernel_trace", "linearization_error")]
    grid = itertools.product(alphas, lrs, [*runs, ("magnitude", "none", 1)], range(seeds), STEPS, measures)
    rows = [(alpha, lr, *run, seed, step, layer, name) for alpha, lr, run, seed, step, (name, layer) in grid]
    table = pd.DataFrame(rows, columns=[*KEYS, "measure"]).assign(experiment="demo", value=rng.uniform(1, 2, len(rows)))
    wrong = (table["layer"] > 0) | (table["rewind"] == "none")
    return table.assign(density=0.25 ** table["round"], value=table["value"].where(~wrong, 1e6))


def make_tables():
    return {"features": make_features(), "richness": make_richness()}


def where(table, **values):
    """The rows of the table with these values."""
    return table[(table[list(values)] == pd.Series(values)).all(axis=1)]


def curves_of(ax):
    """The curves of networks (with markers), by colour."""
    return {to_hex(line.get_color()): line for line in ax.lines if line.get_marker() == "o"}


def dashed_of(ax):
    """The references that are dashed, by colour."""
    return {to_hex(line.get_color()): line for line in ax.lines if line.get_linestyle() == "--"}


def range_at(ax, color, x):
    """The lowest and the highest point at x of the area of this colour."""
    (area,) = (a for a in ax.collections if to_hex(a.get_facecolor()[0]) == to_hex(color))
    vertices = area.get_paths()[0].vertices
    column = vertices[np.isclose(vertices[:, 0], x), 1]
    return column.min(), column.max()


def t_interval(values):
    return t.interval(0.95, len(values) - 1, loc=np.mean(values), scale=np.std(values, ddof=1) / len(values) ** 0.5)


def colors_of(palette):
    return {key: to_hex(color) for key, color in palette.items()}


@pytest.mark.parametrize("name", NAMES)
def test_save_writes_the_same_bytes_twice(name, tmp_path):
    assert saved_twice_is_the_same(name, make_tables, tmp_path)


@pytest.mark.parametrize("name", NAMES)
def test_nothing_to_draw_names_figure_and_table(name):
    (table,) = FIGURES[name].tables
    frame = make_tables()[table]
    lost = frame.assign(**{column: np.nan for column in (*MEASURES, "value") if column in frame})
    with pytest.raises(FeatpruneError, match=f"figure '{name}': table '{table}' has no finite"):
        FIGURES[name].draw({table: lost})
    with pytest.raises(FeatpruneError, match=f"figure '{name}': table '{table}' is empty"):
        FIGURES[name].draw({table: frame.head(0)})


def test_similarity_is_the_unit_matched_correlation_of_hidden_layers():
    """By hand: the mean over layers 1 and 2 of the correlation times the share of units that are shared."""
    features = make_features()
    ax = FIGURES["feature_similarity"].draw({"features": features}).axes[0]
    runs = where(features, alpha=1.0, rewind="init", round=2, step=10)
    expected = np.mean([0.9 * where(runs, layer=layer)["correlation"].mean() for layer in (1, 2)])
    line = curves_of(ax)[colors_of(alpha_palette(ALPHAS))[1.0]]
    assert line.get_ydata()[list(line.get_xdata()).index(10)] == pytest.approx(expected)


def test_feature_similarity_shows_strategies_and_references_along_training():
    features = make_features(lrs=(1.0, 3.0))
    runs = alike(where(features, lr=1.0))
    figure = FIGURES["feature_similarity"].draw({"features": features})
    panels = {STRATEGIES["init"]: "init", STRATEGIES["random"]: "random", CEILING: "reordered", NULL: "reinitialized"}
    assert [ax.get_title() for ax in figure.axes] == list(panels)
    assert figure.get_suptitle() == "demo: 6.2 % of weights"  # in log nearer to 10 % than 25 % is
    palette = colors_of(alpha_palette(ALPHAS))
    means = runs.groupby(["rewind", "round", "alpha", "step"])["correlation"].mean()
    for ax, (title, rewind) in zip(figure.axes, panels.items(), strict=True):
        number = 0 if title in (CEILING, NULL) else 2
        for alpha, color in palette.items():
            line = curves_of(ax)[color]
            np.testing.assert_allclose(line.get_xdata(), STEPS)
            np.testing.assert_allclose(line.get_ydata(), means[rewind, number, alpha])
            values = where(runs, rewind=rewind, round=number, alpha=alpha, step=10)["correlation"]
            np.testing.assert_allclose(range_at(ax, color, 10), t_interval(values))
        assert (ax.get_xscale(), ax.get_xlim()[0] < 0, ax.get_xlim()[1] > 100) == ("symlog", True, True)
        if number == 0:
            assert not dashed_of(ax)
            continue
        for alpha, color in palette.items():
            np.testing.assert_allclose(dashed_of(ax)[color].get_ydata(), means["reordered", 0, alpha])
        null = means["reinitialized", 0].xs(10, level="step")
        np.testing.assert_allclose(range_at(ax, "0.87", 10), (null.min(), null.max()))
    assert legend_of(figure) == [
        *("0.1", "1", "10", CEILING + "\n(at the same $\\alpha$)", NULL + "\n(range over $\\alpha$)")
    ]


def test_feature_similarity_vs_density_shows_the_last_step():
    features = make_features()
    last = where(alike(features), step=100)
    figure = FIGURES["feature_similarity_vs_density"].draw({"features": features})
    assert [ax.get_title() for ax in figure.axes] == [STRATEGIES["init"], STRATEGIES["random"]]
    means = last.groupby(["rewind", "alpha", "round"])["correlation"].mean()
    for ax, rewind in zip(figure.axes, ("init", "random"), strict=True):
        assert ax.get_xlim()[0] > ax.get_xlim()[1]
        for alpha, color in colors_of(alpha_palette(ALPHAS)).items():
            line = curves_of(ax)[color]
            np.testing.assert_allclose(line.get_xdata(), 0.25 ** np.arange(1, 4))
            np.testing.assert_allclose(line.get_ydata(), means[rewind, alpha])
            values = where(last, rewind=rewind, alpha=alpha, round=2)["correlation"]
            np.testing.assert_allclose(range_at(ax, color, 0.25**2), t_interval(values))
            ceiling = dashed_of(ax)[color]
            np.testing.assert_allclose(ceiling.get_ydata(), means["reordered", alpha, 0])
            np.testing.assert_allclose(ceiling.get_xdata(), ax.get_xlim())
        null = means["reinitialized"]
        np.testing.assert_allclose(range_at(ax, "0.87", ax.get_xlim()[0]), (null.min(), null.max()))
    assert len(legend_of(figure)) == 5


def test_feature_similarity_vs_density_of_one_density_puts_alphas_side_by_side():
    features = make_features(rounds=1)
    last = where(alike(features), step=100, round=1)
    ax = FIGURES["feature_similarity_vs_density"].draw({"features": features}).axes[0]
    places = [curves_of(ax)[color].get_xdata()[0] for color in colors_of(alpha_palette(ALPHAS)).values()]
    assert ax.get_xlim()[0] > places[0] > places[1] > places[2] > ax.get_xlim()[1]  # rich at the left
    assert places[1] == pytest.approx(0.25)
    assert [tick.get_text() for tick in ax.get_xticklabels()] == ["25"]
    bars = [bar.get_segments()[0] for bar in ax.collections if hasattr(bar, "get_segments")]
    for alpha, place, bar in zip(ALPHAS, places, bars, strict=True):
        values = where(last, rewind="init", alpha=alpha)["correlation"]
        np.testing.assert_allclose(bar, [(place, edge) for edge in t_interval(values)])


@pytest.mark.parametrize("name", NAMES[:2])
def test_similarity_leaves_diverged_networks_out_and_counts_them(name):
    features = make_features()
    at = (features[["alpha", "rewind", "round", "seed"]] == [1.0, "init", 2, 0]).all(axis=1)
    lost = features.assign(**features[list(MEASURES)].mask(at)).assign(shared=features["shared"].mask(at, 0))
    figure = FIGURES[name].draw({"features": lost})
    assert figure.axes[0].get_title() == STRATEGIES["init"] + "\n(1 run diverged)"
    assert figure.axes[1].get_title() == STRATEGIES["random"]
    line = curves_of(figure.axes[0])[colors_of(alpha_palette(ALPHAS))[1.0]]
    values = where(alike(features[~at]), alpha=1.0, rewind="init", round=2, step=100)["correlation"]
    assert len(values) == 3
    assert np.isclose(line.get_ydata(), values.mean()).any()


@pytest.mark.parametrize("name", NAMES[:2])
def test_similarity_of_one_alpha_seed_and_strategy_without_references(name, tmp_path):
    features = make_features((1.0,), ("init",), rounds=1, seeds=1)
    some = features[features["criterion"] != "dense"]
    figures = [FIGURES[name].draw({"features": table}) for table in (features, some)]
    assert [len(figure.axes) for figure in figures] == ([3, 1] if name == "feature_similarity" else [1, 1])
    assert [len(legend_of(figure)) for figure in figures] == [3, 1]
    for figure in figures:
        save(figure, [tmp_path / "one.png"])


def test_richness_shows_every_measure_of_the_whole_network_at_the_last_step():
    richness = make_richness(lrs=(0.3, 1.0))
    last = where(richness, step=100, layer=0, lr=1.0)
    last = last[last["rewind"] != "none"]
    figure = FIGURES["richness"].draw({"richness": richness})
    names = ["relative weight movement", "kernel movement", "kernel trace (end / start)", "linearization error"]
    assert [ax.get_ylabel() for ax in figure.axes] == names
    palette = {0: "#000000", **colors_of(density_palette(0.25 ** np.arange(1, 4)))}
    measures = ["weight_movement", "kernel_movement", "kernel_trace", "linearization_error"]
    for ax, measure in zip(figure.axes, measures, strict=True):
        assert (ax.get_xscale(), ax.get_yscale(), ax.get_title()) == ("log", "log", "")
        assert len(curves_of(ax)) == 4
        for number in range(4):
            line = curves_of(ax)[palette[0.25**number if number else 0]]
            runs = where(last, measure=measure, round=number)
            np.testing.assert_allclose(line.get_xdata(), ALPHAS)
            np.testing.assert_allclose(line.get_ydata(), runs.groupby("alpha")["value"].apply(gmean))
            edges = np.exp(t_interval(np.log(where(runs, alpha=1.0)["value"])))
            np.testing.assert_allclose(range_at(ax, line.get_color(), 1.0), edges)
    assert legend_of(figure) == ["100 (dense)", "25", "6.2", "1.6"]
    limits = figure.axes[3]
    assert {text.get_text(): text.get_position()[1] for text in limits.texts} == {"lazy": 0.1, "rich": 0.5}
    assert sorted(line.get_ydata()[0] for line in limits.lines if line.get_linestyle() == "--") == [0.1, 0.5]
    assert limits.get_ylim()[0] < 0.1
    assert not any(ax.texts for ax in figure.axes[:3])


def test_richness_has_no_place_for_zero_and_counts_only_what_diverged(tmp_path):
    richness = make_richness(rounds=1)
    run = (richness[["rewind", "alpha", "measure"]] == ["dense", 1.0, "kernel_trace"]).all(axis=1)
    values = richness["value"].mask(run & (richness["seed"] == 0), 0.0).mask(run & (richness["seed"] == 1))
    values = values.mask(richness["measure"] == "kernel_movement", 0.0)
    figure = FIGURES["richness"].draw({"richness": richness.assign(value=values)})
    assert [ax.get_title() for ax in figure.axes] == ["", "", "(1 run diverged)", ""]
    kept = where(richness[run & (richness["seed"] > 1)], step=100, layer=0)["value"]
    assert len(kept) == 2
    assert curves_of(figure.axes[2])["#000000"].get_ydata()[1] == pytest.approx(gmean(kept))
    assert np.isnan(curves_of(figure.axes[1])["#000000"].get_ydata()).all()
    save(figure, [tmp_path / "zero.png"])


def test_richness_of_one_alpha_and_of_dense_networks_alone(tmp_path):
    richness = make_richness((1.0,), seeds=1)
    save(FIGURES["richness"].draw({"richness": richness}), [tmp_path / "one.png"])
    figure = FIGURES["richness"].draw({"richness": richness[richness["criterion"] == "dense"]})
    assert legend_of(figure) == ["100 (dense)"]
    save(figure, [tmp_path / "dense.png"])
