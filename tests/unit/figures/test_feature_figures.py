"""Figures of features show what their tables say: similarity to the dense network, learning, the teacher's units."""

import numpy as np
import pandas as pd
import pytest
from matplotlib.colors import to_hex
from scipy.stats import gmean, spearmanr

from featprune.figures import save
from featprune.figures.references import CEILING, NULL
from featprune.figures.style import STRATEGIES, alpha_looks, round_looks
from featprune.tables.frames import MEASURES, alike
from tests.unit.figures.builders import ALPHAS, STEPS, make_features, make_overlap, make_richness
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

NAMES = ("feature_similarity", "feature_similarity_vs_density")


def dashed_of(ax):
    """The references that are dashed, by colour."""
    return {to_hex(line.get_color()): line for line in ax.lines if line.get_linestyle() == "--"}


def test_similarity_is_the_unit_matched_correlation_of_hidden_layers():
    """By hand: the mean over layers 1 and 2 of the correlation times the share of units that are shared."""
    features = make_features()
    ax = draw("feature_similarity", features=features).axes[0]
    runs = where(features, alpha=1.0, rewind="init", round=2, step=10, target="reordered")
    expected = np.mean([0.9 * where(runs, layer=layer)["correlation"].mean() for layer in (1, 2)])
    line = curves_of(ax)[colors_of(alpha_looks(ALPHAS))[1.0]]
    assert line.get_ydata()[list(line.get_xdata()).index(10)] == pytest.approx(expected)


def test_feature_similarity_shows_strategies_and_references_along_training():
    features = make_features(lrs=(1.0, 3.0))
    runs = alike(where(features, lr=1.0, target="reordered"))
    figure = draw("feature_similarity", features=features)
    panels = {STRATEGIES["init"]: "init", STRATEGIES["random"]: "random", CEILING: "dense", NULL: "reinitialized"}
    assert titles_of(figure) == list(panels)
    assert figure.get_suptitle() == "demo: 6.2 % of weights"  # in log nearer to 10 % than 25 % is
    palette = colors_of(alpha_looks(ALPHAS))
    means = runs.groupby(["rewind", "round", "alpha", "step"])["correlation"].mean()
    for ax, (title, rewind) in zip(figure.axes, panels.items(), strict=True):
        number = 0 if title in (CEILING, NULL) else 2
        for alpha, color in palette.items():
            line = curves_of(ax)[color]
            np.testing.assert_allclose(line.get_xdata(), STEPS)
            np.testing.assert_allclose(line.get_ydata(), means[rewind, number, alpha])
            values = where(runs, rewind=rewind, round=number, alpha=alpha, step=10)["correlation"]
            np.testing.assert_allclose(band_edges(ax, color, 10), t_interval(values))
        assert (ax.get_xscale(), ax.get_xlim()[0] < 0, ax.get_xlim()[1] > 100) == ("symlog", True, True)
        if number == 0:
            assert not dashed_of(ax)
            continue
        for alpha, color in palette.items():
            np.testing.assert_allclose(dashed_of(ax)[color].get_ydata(), means["dense", 0, alpha])
        null = means["reinitialized", 0].xs(10, level="step")
        np.testing.assert_allclose(band_edges(ax, "0.87", 10), (null.min(), null.max()))
    assert legend_of(figure) == [
        *("0.1", "1", "10", CEILING + "\n(at the same $\\alpha$)", NULL + "\n(range over $\\alpha$)")
    ]


def test_feature_similarity_vs_density_shows_the_last_step():
    features = make_features()
    last = where(alike(where(features, target="reordered")), step=100)
    figure = draw("feature_similarity_vs_density", features=features)
    assert titles_of(figure) == [STRATEGIES["init"], STRATEGIES["random"]]
    means = last.groupby(["rewind", "alpha", "round"])["correlation"].mean()
    for ax, rewind in zip(figure.axes, ("init", "random"), strict=True):
        assert ax.get_xlim()[0] > ax.get_xlim()[1]
        for alpha, color in colors_of(alpha_looks(ALPHAS)).items():
            line = curves_of(ax)[color]
            np.testing.assert_allclose(line.get_xdata()[::-1], 0.25 ** np.arange(1, 4))
            np.testing.assert_allclose(line.get_ydata()[::-1], means[rewind, alpha])
            values = where(last, rewind=rewind, alpha=alpha, round=2)["correlation"]
            np.testing.assert_allclose(band_edges(ax, color, 0.25**2), t_interval(values))
            ceiling = dashed_of(ax)[color]
            np.testing.assert_allclose(ceiling.get_ydata(), means["dense", alpha, 0])
            np.testing.assert_allclose(ceiling.get_xdata(), (0, 1))  # of the panel's width
        null = means["reinitialized"]
        (strip,) = ax.patches
        np.testing.assert_allclose((strip.get_y(), strip.get_y() + strip.get_height()), (null.min(), null.max()))
    assert len(legend_of(figure)) == 5


def test_feature_similarity_vs_density_of_one_density_puts_alphas_side_by_side():
    features = make_features(rounds=1)
    last = where(alike(where(features, target="reordered")), step=100, round=1)
    ax = draw("feature_similarity_vs_density", features=features).axes[0]
    places = [curves_of(ax)[color].get_xdata()[0] for color in colors_of(alpha_looks(ALPHAS)).values()]
    assert ax.get_xlim()[0] > places[0] > places[1] > places[2] > ax.get_xlim()[1]  # rich at the left
    assert places[1] == pytest.approx(0.25)
    assert labels_of(ax.get_xticklabels()) == ["25"]
    bars = [bar.get_segments()[0] for bar in ax.collections if hasattr(bar, "get_segments")]
    for alpha, place, bar in zip(ALPHAS, places, bars, strict=True):
        values = where(last, rewind="init", alpha=alpha)["correlation"]
        np.testing.assert_allclose(bar, [(place, edge) for edge in t_interval(values)])


@pytest.mark.parametrize("name", NAMES[:2])
def test_similarity_leaves_diverged_networks_out_and_counts_them(name):
    features = make_features()
    at = (features[["alpha", "rewind", "round", "seed"]] == [1.0, "init", 2, 0]).all(axis=1)
    lost = features.assign(**features[list(MEASURES)].mask(at)).assign(shared=features["shared"].mask(at, 0))
    figure = draw(name, features=lost)
    assert figure.axes[0].get_title() == STRATEGIES["init"] + "\n(1 run diverged)"
    assert figure.axes[1].get_title() == STRATEGIES["random"]
    line = curves_of(figure.axes[0])[colors_of(alpha_looks(ALPHAS))[1.0]]
    kept = alike(where(features[~at], target="reordered"))
    values = where(kept, alpha=1.0, rewind="init", round=2, step=100)["correlation"]
    assert len(values) == 3
    assert np.isclose(line.get_ydata(), values.mean()).any()


@pytest.mark.parametrize("name", NAMES[:2])
def test_similarity_of_one_alpha_seed_and_strategy_without_references(name, tmp_path):
    features = make_features((1.0,), ("init",), rounds=1, seeds=1)
    some = features[features["criterion"] != "dense"]
    figures = [draw(name, features=table) for table in (features, some)]
    assert [len(figure.axes) for figure in figures] == ([3, 1] if name == "feature_similarity" else [1, 1])
    assert [len(legend_of(figure)) for figure in figures] == [3, 1]
    for figure in figures:
        save(figure, [tmp_path / "one.png"])


def test_richness_shows_every_measure_of_the_whole_network_at_the_last_step():
    richness = make_richness(lrs=(0.3, 1.0))
    last = where(richness, step=100, layer=0, lr=1.0)
    last = last[last["rewind"] != "none"]
    figure = draw("richness", richness=richness)
    names = ["relative weight movement", "kernel movement", "kernel trace (end / start)", "linearization error"]
    assert titles_of(figure) == names
    palette = colors_of(round_looks({number: 0.25**number for number in range(1, 4)}, {}))
    measures = ["weight_movement", "kernel_movement", "kernel_trace", "linearization_error"]
    for ax, measure in zip(figure.axes, measures, strict=True):
        assert (ax.get_xscale(), ax.get_yscale()) == ("log", "log")
        assert len(curves_of(ax)) == 4
        for number in range(4):
            line = curves_of(ax)[palette[number]]
            runs = where(last, measure=measure, round=number)
            np.testing.assert_allclose(line.get_xdata(), ALPHAS)
            np.testing.assert_allclose(line.get_ydata(), runs.groupby("alpha")["value"].apply(gmean))
            edges = np.exp(t_interval(np.log(where(runs, alpha=1.0)["value"])))
            np.testing.assert_allclose(band_edges(ax, line.get_color(), 1.0), edges)
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
    figure = draw("richness", richness=richness.assign(value=values))
    assert ["diverged" in title for title in titles_of(figure)] == [False, False, True, False]
    assert figure.axes[2].get_title().endswith("\n(1 run diverged)")
    kept = where(richness[run & (richness["seed"] > 1)], step=100, layer=0)["value"]
    assert len(kept) == 2
    assert curves_of(figure.axes[2])["#000000"].get_ydata()[1] == pytest.approx(gmean(kept))
    assert not curves_of(figure.axes[1])
    save(figure, [tmp_path / "zero.png"])


def test_richness_of_one_alpha_and_of_dense_networks_alone(tmp_path):
    richness = make_richness((1.0,), seeds=1)
    save(draw("richness", richness=richness), [tmp_path / "one.png"])
    figure = draw("richness", richness=richness[richness["criterion"] == "dense"])
    assert legend_of(figure) == ["100 (dense)"]
    save(figure, [tmp_path / "dense.png"])


def expected_specialization(runs):
    """The mean over units of the largest overlap, weighted by strength: run by run, without the code under test."""
    values = {}
    for seed, mine in runs.groupby("seed"):
        units = [(unit["overlap"].abs().max(), unit["strength"].iloc[0]) for _, unit in mine.groupby("unit")]
        alive = [(most, strength) for most, strength in units if strength != 0]
        values[seed] = sum(most * strength for most, strength in alive) / sum(strength for _, strength in alive)
    return pd.Series(values)


def test_teacher_overlap_shows_weighted_specialization():
    overlap = make_overlap()
    figure = draw("teacher_overlap", overlap=overlap)
    tops = figure.axes[:3]
    assert [ax.get_title() for ax in tops] == [rf"$\alpha$ = {alpha}" for alpha in ("0.1", "1", "10")]
    palette = colors_of(round_looks({1: 0.5, 2: 0.12}, {}))
    for ax, alpha in zip(tops, (0.1, 1.0, 10.0), strict=True):
        *curves, null = ax.lines
        for line, (number, color) in zip(curves, [*[*palette.items()][1:], (0, "#000000")], strict=True):
            mine = where(overlap, alpha=alpha, round=number)
            expected = [expected_specialization(step).mean() for _, step in mine.groupby("step")]
            assert to_hex(line.get_color()) == color
            np.testing.assert_allclose(line.get_xdata(), [0, 1, 10, 100])
            np.testing.assert_allclose(line.get_ydata(), expected)
            assert np.isfinite(expected).all()
        np.testing.assert_allclose(null.get_ydata(), curves[-1].get_ydata()[0])
        assert null.get_linestyle() == "--"
    assert legend_of(figure) == ["100 (dense)", "50", "12", "random directions\n(dense, step 0)"]


def test_teacher_overlap_shows_which_units_the_mask_keeps():
    overlap = make_overlap()
    figure = draw("teacher_overlap", overlap=overlap)
    assert figure.axes[3].get_ylabel() == "incoming weights kept\n(ticket of 12 %)"
    for ax, alpha in zip(figure.axes[3:], (0.1, 1.0, 10.0), strict=True):
        last = where(overlap, alpha=alpha, step=100)
        largest = last["overlap"].abs().groupby([last["round"], last["seed"], last["unit"]]).max()
        first = last.groupby(["round", "seed", "unit"])[["strength", "survivors"]].first()
        use, kept = (largest * first["strength"]).loc[0], first["survivors"].loc[2]
        points = ax.collections[0].get_offsets()
        np.testing.assert_allclose(sorted(map(tuple, points)), sorted(zip(use, kept, strict=True)))
        rho = np.mean([spearmanr(use.loc[seed], kept.loc[seed]).statistic for seed in range(3)])
        assert ax.get_title() == rf"Spearman's $\rho$ = {rho:.2f}".replace("-", "−")
        bins = np.digitize(np.log(use), np.linspace(np.log(use.min()), np.log(use.max()), 11)[1:-1])
        means = [kept[bins == index].mean() for index in range(10) if (bins == index).sum() >= 3]
        np.testing.assert_allclose(ax.lines[0].get_ydata(), means)


@pytest.mark.parametrize("rounds", [(0,), (0, 1)])
def test_teacher_overlap_of_one_alpha_and_seed_with_and_without_tickets(rounds, tmp_path):
    overlap = make_overlap(alphas=(1.0,), seeds=1)
    figure = draw("teacher_overlap", overlap=overlap[overlap["round"].isin(rounds)])
    assert len(figure.axes[0].lines) == len(rounds) + 1
    figure.savefig(tmp_path / "figure.png", dpi=30)


def test_teacher_overlap_where_every_dense_network_diverged():
    overlap = make_overlap()
    lost = (overlap["alpha"] == 0.1) & (overlap["rewind"] == "dense")
    figure = draw("teacher_overlap", overlap=overlap.assign(**overlap[["overlap", "strength"]].mask(lost)))
    assert np.isnan(figure.axes[0].lines[2].get_ydata()).all() and not figure.axes[3].lines
    assert len(figure.axes[4].lines) == 1
