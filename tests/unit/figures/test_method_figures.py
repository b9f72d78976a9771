"""Figures of all methods show what their tables say: levels, layers, compression and transferred tickets."""

import itertools

import matplotlib
import numpy as np
import pandas as pd
import pytest
from matplotlib.colors import to_hex
from matplotlib.patches import Rectangle
from scipy.stats import gmean, t

from featprune.errors import FeatpruneError
from featprune.figures import FIGURES, save
from featprune.figures.style import METHODS, STRATEGIES, choose_method, layer_palette, order_methods
from tests.unit.figures.drawing import legend_of, saved_twice_is_the_same

matplotlib.use("Agg")
ALPHAS = (0.1, 1.0, 10.0)
PAIRS = [
    ("snip", "init"),
    ("snip_iterative", "init"),
    ("magnitude", "init"),
    ("magnitude", "none"),
    ("magnitude", "lr"),
]
CONTROLS = [("shuffled", "init"), ("ticket", "same_sign"), ("new", "late")]
NAMES = ("levels", "layerwise_density", "compression", "ticket_transfer")


def make_tuned(pairs=(*PAIRS, *CONTROLS), alphas=ALPHAS, rounds=3, seeds=4, regression=False):
    """A table `tuned` in which one run of SNIP has diverged, and the dense network was trained longer, too."""
    rng = np.random.default_rng(0)
    runs = [("dense", "dense", 0), ("dense", "none", 1), *((c, w, r) for c, w in pairs for r in range(1, rounds + 1))]
    rows = [
        (criterion, rewind, number, alpha, 0.3 if number % 2 else 1.0, seed, rng.uniform(0.9, 0.98))
        for criterion, rewind, number in runs
        for alpha in alphas
        for seed in range(seeds)
    ]
    columns = ["criterion", "rewind", "round", "alpha", "lr", "seed", "test_accuracy"]
    table = pd.DataFrame(rows, columns=columns).assign(experiment="demo", test_loss=rng.uniform(0.01, 0.2, len(rows)))
    table["density"] = 0.5 ** table["round"].where(table["criterion"] != "dense", 0)
    lost = (table[["criterion", "round", "seed", "alpha"]] == ["snip", rounds, 3, 0.1]).all(axis=1)
    accuracy = table["test_accuracy"].mask(lost | regression)
    return table.assign(diverged=lost, test_loss=table["test_loss"].mask(lost), test_accuracy=accuracy)


def make_layers(pairs=PAIRS, rounds=4, seeds=4):
    """A table `layers` of three layers; SNIP empties the third in round 3 (in seed 0) and, with the second, in round 4.

    Another alpha and another lr have other densities.
    """
    rng = np.random.default_rng(1)
    rows = []
    for (criterion, rewind), number, seed in itertools.product(pairs, range(1, rounds + 1), range(seeds)):
        density = 0.5**number
        layers = density * rng.uniform(0.5, 1.5, 3)
        if criterion == "snip":
            layers[2] *= not (number == 4 or (number, seed) == (3, 0))
            layers[1] *= number != 4
        for layer, (alpha, lr) in itertools.product((1, 2, 3), [(1.0, 1.0), (1.0, 0.3), (0.1, 1.0)]):
            value = layers[layer - 1] if alpha == lr else 0.001
            rows.append((alpha, lr, criterion, rewind, number, density, seed, layer, value, value == 0))
    columns = ["alpha", "lr", "criterion", "rewind", "round", "density", "seed", "layer", "layer_density", "collapsed"]
    return pd.DataFrame(rows, columns=columns).assign(experiment="demo")


def make_compression(rewinds=("none", "init"), rounds=3, seeds=4, bits=(2, 6)):
    rng = np.random.default_rng(2)
    rows = [
        {
            **{"experiment": "demo", "alpha": alpha, "lr": 1.0, "criterion": "magnitude", "rewind": rewind},
            **{"round": number, "density": 0.5**number, "seed": seed, "hidden_bits": width, "output_bits": width},
            **{"original_bytes": 10_000, "pruned_bytes": int(rng.integers(4000, 5000)) // number},
            **{"quantized_bytes": int(rng.integers(1000, 2000)) // number},
            **{"huffman_bytes": int(rng.integers(200, 900)) // number},
            **{f"{stage}_accuracy": rng.uniform(0.9, 1) for stage in ("dense", "pruned", "quantized")},
        }
        for alpha in (0.1, 1.0)
        for width in bits
        for rewind in rewinds
        for number in range(1, rounds + 1)
        for seed in range(seeds)
    ]
    return pd.DataFrame(rows)


def make_transfer(alphas=ALPHAS, rounds=5, seeds=3, lrs=(0.3, 1.0), regression=False):
    """A table `transfer`: the lr 0.3 is the better on validation and the worse on test."""
    rng = np.random.default_rng(3)
    grid = itertools.product(alphas, alphas, lrs, range(1, rounds + 1), range(seeds))
    columns = ["mask_alpha", "alpha", "lr", "round", "seed"]
    table = pd.DataFrame(grid, columns=columns).assign(experiment="demo")
    table["density"] = 0.5 ** table["round"]
    table["test_accuracy"] = np.nan if regression else rng.uniform(0.9, 0.95, len(table)) + 0.04 * (table["lr"] == 1)
    table["validation_accuracy"] = np.nan if regression else -table["lr"]
    return table.assign(test_loss=rng.uniform(0.1, 0.9, len(table)))


def make_tables():
    return {
        "tuned": make_tuned(),
        "layer_density": make_layers(),
        "compression": make_compression(),
        "transfer": make_transfer(),
    }


def where(table, **values):
    """The rows of the table with these values."""
    return table[(table[list(values)] == pd.Series(values)).all(axis=1)]


def band_of(ax, color, x):
    """The lowest and the highest point at x of the band of this colour."""
    (band,) = (b for b in ax.collections if to_hex(b.get_facecolor()[0]) == to_hex(color) and len(b.get_paths()))
    vertices = band.get_paths()[0].vertices
    column = vertices[np.isclose(vertices[:, 0], x), 1]
    return column.min(), column.max()


def t_interval(values):
    return t.interval(0.95, len(values) - 1, loc=np.mean(values), scale=np.std(values, ddof=1) / len(values) ** 0.5)


@pytest.mark.parametrize("name", NAMES)
def test_save_writes_the_same_bytes_twice(name, tmp_path):
    assert saved_twice_is_the_same(name, make_tables, tmp_path)


@pytest.mark.parametrize("name", NAMES)
def test_nothing_to_draw_names_figure_and_table(name):
    tables = make_tables()
    (table,) = FIGURES[name].tables
    with pytest.raises(FeatpruneError, match=f"figure '{name}': table '{table}' is empty"):
        FIGURES[name].draw({table: tables[table].head(0)})
    with pytest.raises(FeatpruneError, match=f"figure '{name}': table '{table}' is missing"):
        FIGURES[name].draw({})


@pytest.mark.parametrize(
    ("name", "columns"),
    [
        ("levels", ["test_accuracy", "test_loss"]),
        ("layerwise_density", ["layer_density"]),
        ("compression", ["quantized_accuracy"]),
        ("ticket_transfer", ["test_accuracy", "test_loss"]),
    ],
)
def test_no_values_names_figure_and_table(name, columns):
    (table,) = FIGURES[name].tables
    lost = make_tables()[table].assign(**dict.fromkeys(columns, np.nan))
    with pytest.raises(FeatpruneError, match=f"figure '{name}': table '{table}' has no finite"):
        FIGURES[name].draw({table: lost})


@pytest.mark.parametrize("name", ["levels", "layerwise_density"])
def test_dense_runs_alone_are_nothing_to_draw(name):
    (table,) = FIGURES[name].tables
    dense = make_tables()[table].assign(criterion="dense", rewind="dense")
    with pytest.raises(FeatpruneError, match=f"figure '{name}': table '{table}' has no rows"):
        FIGURES[name].draw({table: dense})


def test_methods_are_ordered_by_level_and_variants_follow_their_method():
    pairs = [*CONTROLS, ("dense", "none"), *PAIRS[::-1], ("dense", "dense")]
    ordered = order_methods(pd.DataFrame(pairs, columns=["criterion", "rewind"]))
    assert list(ordered) == [*PAIRS, ("ticket", "same_sign"), ("shuffled", "init"), ("new", "late")]
    assert [method.hollow for method in ordered.values()] == [False, True] + [False] * 6
    assert choose_method("synflow_iterative", "init").label == "SynFlow, iterative"
    assert choose_method("synflow_iterative", "init").color == METHODS["synflow", "init"].color
    assert choose_method("new", "late").label == "new × " + STRATEGIES["late"]


def test_every_method_has_its_own_colour_and_every_control_its_own_marker():
    colors = [method.color for method in METHODS.values() if method.level != "controls"]
    assert len(set(colors)) == len(colors) == 10
    looks = [(method.level, method.marker) for method in METHODS.values()]
    assert len(set(looks)) == len(looks)


def test_levels_shows_means_bands_styles_and_the_dense_level():
    tuned = make_tuned()
    figure = FIGURES["levels"].draw({"tuned": tuned})
    notes = {0.1: "\n(1 run diverged)"}
    assert [ax.get_title() for ax in figure.axes] == [rf"$\alpha$ = {a:g}" + notes.get(a, "") for a in ALPHAS]
    assert figure.get_suptitle() == "demo"
    assert "chosen on the validation split" in figure.get_supxlabel()
    assert figure.axes[0].get_ylabel() == "test error (%)"
    linestyles = ["--", "--", "-", ":", ":", "-", "-", "-"]
    order = [*PAIRS, ("ticket", "same_sign"), ("shuffled", "init"), ("new", "late")]
    for ax, alpha in zip(figure.axes, ALPHAS, strict=True):
        assert (ax.get_xscale(), ax.get_yscale()) == ("log", "log")
        assert ax.get_xlim()[0] > ax.get_xlim()[1]
        level, *curves = ax.lines
        dense = gmean(100 - 100 * where(tuned, alpha=alpha, criterion="dense", rewind="dense")["test_accuracy"])
        np.testing.assert_allclose(level.get_ydata(), dense)
        assert (level.get_color(), level.get_linewidth()) == ("black", 0.8)
        assert [line.get_linestyle() for line in curves] == linestyles
        for line, (criterion, rewind) in zip(curves, order, strict=True):
            runs = where(tuned, alpha=alpha, criterion=criterion, rewind=rewind, diverged=False)
            errors = 100 - 100 * runs["test_accuracy"]
            expected = errors.groupby(runs["density"]).apply(gmean)
            np.testing.assert_allclose(line.get_xdata()[::-1], expected.index)
            np.testing.assert_allclose(line.get_ydata()[::-1], expected)
            assert (to_hex(line.get_color()) == to_hex("0.65")) == ((criterion, rewind) in CONTROLS)
            assert (line.get_linewidth() < 1) == ((criterion, rewind) in CONTROLS)
            assert (line.get_markerfacecolor() == "white") == criterion.endswith("_iterative")
        runs = where(tuned, alpha=alpha, criterion="magnitude", rewind="none", density=0.25)
        edges = band_of(ax, METHODS["magnitude", "none"].color, 0.25)
        np.testing.assert_allclose(edges, np.exp(t_interval(np.log(100 - 100 * runs["test_accuracy"]))))


def test_levels_groups_its_legend_by_level():
    figure = FIGURES["levels"].draw({"tuned": make_tuned()})
    assert legend_of(figure) == [
        *("dense", "before training", "SNIP", "SNIP, iterative", "during training", "rewind to init (ticket)"),
        *("after training", "no rewind (fine-tune)", "learning-rate rewind"),
        *("controls", "ticket mask, same signs", "ticket mask, shuffled", "new × late rewind"),
    ]
    bold = [text.get_text() for text in figure.legends[0].get_texts() if text.get_fontweight() == "bold"]
    assert bold == ["before training", "during training", "after training", "controls"]
    some = FIGURES["levels"].draw({"tuned": make_tuned(PAIRS[2:3], alphas=(1.0,), seeds=1)})
    assert legend_of(some) == ["dense", "during training", "rewind to init (ticket)"]


def test_levels_of_a_regression_and_of_methods_that_some_alphas_lack():
    tuned = make_tuned(regression=True)
    tuned = tuned[(tuned["alpha"] != 1) | (tuned["criterion"] != "snip")]
    figure = FIGURES["levels"].draw({"tuned": tuned})
    assert figure.axes[0].get_ylabel() == "test error (squared)"
    ticket = figure.axes[1].lines[3]
    runs = where(tuned, alpha=1, criterion="magnitude", rewind="init").groupby("density")["test_loss"]
    np.testing.assert_allclose(ticket.get_ydata()[::-1], runs.apply(gmean))


def test_levels_has_a_place_for_no_error():
    figure = FIGURES["levels"].draw({"tuned": make_tuned().assign(test_accuracy=1.0, diverged=False)})
    np.testing.assert_allclose(figure.axes[0].lines[1].get_ydata(), 0.01)


def crosses_of(ax):
    """Where the crosses of each layer are, by colour."""
    return {to_hex(line.get_color()): line for line in ax.lines if line.get_marker() == "x"}


def test_layerwise_density_shows_means_bands_and_collapsed_layers():
    layers = make_layers()
    figure = FIGURES["layerwise_density"].draw({"layer_density": layers})
    assert [ax.get_title() for ax in figure.axes] == [
        METHODS[p].label if p in METHODS else "SNIP, iterative" for p in PAIRS
    ]
    assert figure.get_suptitle() == r"demo: $\alpha$ = 1, learning rate × 1"
    palette = {layer: to_hex(color) for layer, color in layer_palette((1, 2, 3)).items()}
    shown = where(layers, alpha=1.0, lr=1.0)
    for ax, (criterion, rewind) in zip(figure.axes, PAIRS, strict=True):
        curves = {to_hex(line.get_color()): line for line in ax.lines if line.get_marker() == "o"}
        for layer, color in palette.items():
            runs = where(shown, criterion=criterion, rewind=rewind, layer=layer)
            alive = runs[runs["layer_density"] > 0]
            expected = 100 * alive.groupby("density")["layer_density"].apply(gmean).reindex(runs["density"].unique())
            np.testing.assert_allclose(curves[color].get_xdata(), expected.index)
            np.testing.assert_allclose(curves[color].get_ydata(), expected)
            values = np.log(100 * where(runs, round=2)["layer_density"])
            np.testing.assert_allclose(band_of(ax, color, 0.25), np.exp(t_interval(values)))
        crosses = {color: list(line.get_xdata()) for color, line in crosses_of(ax).items()}
        assert crosses == ({palette[2]: [0.0625], palette[3]: [0.125, 0.0625]} if criterion == "snip" else {})
    assert legend_of(figure)[-1].startswith("collapsed")


def test_crosses_hide_neither_each_other_nor_a_curve():
    figure = FIGURES["layerwise_density"].draw({"layer_density": make_layers()})
    ax = figure.axes[0]
    low, high = np.log(ax.get_ylim())
    heights = [line.get_ydata()[-1] for line in crosses_of(ax).values()]
    lowest = min(
        np.nanmin(line.get_ydata()) for other in figure.axes for line in other.lines if line.get_marker() == "o"
    )
    assert 0 < heights[0] < heights[1] < (np.log(lowest) - low) / (high - low)
    assert all(line.get_transform() == ax.get_xaxis_transform() for line in crosses_of(ax).values())
    assert ax.get_yticklabels()[0].get_text() == "0"
    assert [tick.get_text() for tick in ax.get_yticklabels()[1:]] == [f"{tick:g}" for tick in ax.get_yticks()[1:]]


def test_layerwise_density_without_collapse_has_no_crosses():
    figure = FIGURES["layerwise_density"].draw({"layer_density": make_layers(PAIRS[2:4], seeds=1)})
    assert not any(crosses_of(ax) for ax in figure.axes)
    assert legend_of(figure) == ["1", "2", "3", "as in the\nnetwork"]


def test_compression_shows_rates_accuracies_and_references():
    table = make_compression()
    figure = FIGURES["compression"].draw({"compression": table})
    assert figure.get_suptitle().endswith("learning rate × 1, 6 bits a weight (6 in the output layer)")
    shown = where(table, alpha=1.0, hidden_bits=6)
    for row, rewind in enumerate(("init", "none")):
        left, right = figure.axes[2 * row : 2 * row + 2]
        assert left.get_title() == right.get_title() == STRATEGIES[rewind]
        runs = where(shown, rewind=rewind)
        rates = {
            stage: (runs["original_bytes"] / runs[f"{stage}_bytes"]).groupby(runs["density"]).apply(gmean)[::-1]
            for stage in ("pruned", "quantized", "huffman")
        }
        paper, *curves = left.lines
        np.testing.assert_allclose(paper.get_ydata(), 40)
        for line, expected in zip(curves, rates.values(), strict=True):
            np.testing.assert_allclose(line.get_xdata(), expected.index)
            np.testing.assert_allclose(line.get_ydata(), expected)
        assert [text.get_text().replace("\n", " ") for text in left.texts] == ["40x (Han et al. 2016)"]
        dense, pruned, quantized, paper = right.lines
        np.testing.assert_allclose(dense.get_ydata(), 100 * runs["dense_accuracy"].mean())
        np.testing.assert_allclose(paper.get_xdata(), 40)
        for line, stage in ((pruned, "pruned"), (quantized, "quantized")):
            accuracies = 100 * runs[f"{stage}_accuracy"].groupby(runs["density"]).mean()[::-1]
            np.testing.assert_allclose(line.get_xdata(), rates["huffman"])
            np.testing.assert_allclose(line.get_ydata(), accuracies)
            values = 100 * where(runs, round=2)[f"{stage}_accuracy"]
            np.testing.assert_allclose(band_of(right, line.get_color(), rates["huffman"][0.25]), t_interval(values))
    assert [ax.get_xlabel() for ax in figure.axes[2:]] == ["weights remaining (%)", "compression rate after all stages"]
    assert legend_of(figure)[-1] == "dense"


def test_compression_of_one_rewind_and_seed():
    figure = FIGURES["compression"].draw({"compression": make_compression(("init",), seeds=1)})
    assert len(figure.axes) == 2
    assert figure.axes[0].get_ylim()[1] >= 80  # so that the label of 40x is in the panel
    lost = make_compression(("init",))
    lost.loc[(lost["round"] == 3) & (lost["seed"] == 0), ["quantized_accuracy", "huffman_bytes"]] = np.nan
    figure = FIGURES["compression"].draw({"compression": lost})
    assert figure.axes[1].get_title().endswith("(1 run diverged)")


def matrices_of(figure):
    return [ax.images[0] for ax in figure.axes if ax.images]


def test_ticket_transfer_shows_means_and_differences_at_the_lr_chosen_on_validation():
    table = make_transfer()
    figure = FIGURES["ticket_transfer"].draw({"transfer": table})
    assert "chosen" not in figure.get_supxlabel()  # 0.3 everywhere
    images = matrices_of(figure)
    assert [image.axes.get_title() for image in images] == ["50 % of weights", "12 % of weights", "3.1 % of weights"]
    assert len({image.get_clim() for image in images}) == 1
    for image, number in zip(images, (1, 3, 5), strict=True):
        runs = where(table, round=number, lr=0.3)
        expected = 100 * runs.groupby(["mask_alpha", "alpha"])["test_accuracy"].mean().unstack()
        np.testing.assert_allclose(image.get_array(), expected)
        ax = image.axes
        texts = {(*text.xy, text.get_va()): text.get_text() for text in ax.texts}
        assert len(texts) == 3 + 2 * 6
        for (row, mask_alpha), (column, alpha) in itertools.product(enumerate(ALPHAS), repeat=2):
            value, own = expected.loc[mask_alpha, alpha], expected.loc[alpha, alpha]
            if row == column:
                assert texts[column, row, "center"] == f"{value:.1f}"
            else:
                assert texts[column, row, "bottom"] == f"{value:.1f}"
                assert float(texts[column, row, "top"].replace("−", "-")) == pytest.approx(value - own, abs=0.051)
        outlined = [patch.get_xy() for patch in ax.patches if isinstance(patch, Rectangle)]
        assert outlined == [(i - 0.5, i - 0.5) for i in range(3)]
        assert [tick.get_text() for tick in ax.get_xticklabels()] == ["0.1", "1", "10"]
    assert [image.axes.get_ylabel() for image in images] == [r"$\alpha$ of the mask", "", ""]
    assert {image.axes.get_xlabel() for image in images} == {r"$\alpha$ of the training"}
    assert figure.get_suptitle() == "demo"
    several = table.assign(experiment=table["mask_alpha"].astype(str))
    assert FIGURES["ticket_transfer"].draw({"transfer": several}).get_suptitle() == ""


def test_ticket_transfer_passes_over_an_lr_that_diverged():
    table = make_transfer(rounds=1)
    lost = (table[["mask_alpha", "alpha", "lr", "seed"]] == [0.1, 10.0, 0.3, 0]).all(axis=1)
    columns = ["test_accuracy", "validation_accuracy"]
    figure = FIGURES["ticket_transfer"].draw({"transfer": table.assign(**table[columns].mask(lost))})
    expected = 100 * where(table, mask_alpha=0.1, alpha=10.0, lr=1.0)["test_accuracy"].mean()
    assert matrices_of(figure)[0].get_array()[0, 2] == pytest.approx(expected)
    assert "chosen on the validation split" in figure.get_supxlabel()


def test_ticket_transfer_of_a_regression_with_a_cell_missing():
    table = make_transfer(regression=True, rounds=2)
    table = table[(table["mask_alpha"] != 10) | (table["alpha"] != 0.1)]
    image = matrices_of(FIGURES["ticket_transfer"].draw({"transfer": table}))[0]
    expected = where(table, round=1, lr=1.0).groupby(["mask_alpha", "alpha"])["test_loss"].apply(gmean).unstack()
    np.testing.assert_allclose(np.ma.filled(image.get_array(), np.nan), expected)
    texts = {(*text.xy, text.get_va()): text.get_text() for text in image.axes.texts}
    assert texts[0, 2, "center"] == "–"
    assert texts[1, 0, "top"] == f"×{expected.loc[0.1, 1.0] / expected.loc[1.0, 1.0]:.2f}"
    assert image.get_cmap().name == "cividis_r"


def test_ticket_transfer_of_one_cell(tmp_path):
    for regression in (False, True):
        figure = FIGURES["ticket_transfer"].draw({"transfer": make_transfer((1.0,), 1, 1, (1.0,), regression)})
        save(figure, [tmp_path / "one.png"])
        assert [len(image.axes.texts) for image in matrices_of(figure)] == [1]
