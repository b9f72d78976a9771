"""Figures of methods show what their tables say: levels, layers, compression and transferred tickets."""

import itertools

import numpy as np
import pytest
from matplotlib.colors import to_hex, to_rgb
from scipy.stats import gmean
from seaborn.utils import relative_luminance

from featprune.figures import save
from featprune.figures.style import LAYER_MAP, METHODS, STRATEGIES, log_palette
from tests.unit.figures.builders import (
    ALPHAS,
    CONTROLS,
    PAIRS,
    make_compression,
    make_layer_density,
    make_transfer,
    make_tuned,
)
from tests.unit.figures.drawing import band_edges, curves_of, draw, labels_of, legend_of, t_interval, titles_of, where


def test_levels_shows_means_bands_styles_and_the_dense_level():
    tuned = make_tuned([*PAIRS, *CONTROLS])
    figure = draw("levels", tuned=tuned)
    notes = {10.0: "\n(1 run diverged)"}
    assert titles_of(figure) == [rf"$\alpha$ = {a:g}" + notes.get(a, "") for a in ALPHAS]
    assert figure.get_suptitle() == "demo"
    assert "chosen on the validation split" in figure.get_supxlabel()
    assert figure.axes[0].get_ylabel() == "test error (%)"
    linestyles = ["--", "--", "-", ":", ":", "-", "-", "-"]
    order = [*PAIRS, ("ticket", "same_sign"), ("shuffled", "init"), ("new", "late")]
    for ax, alpha in zip(figure.axes, ALPHAS, strict=True):
        assert (ax.get_xscale(), ax.get_yscale()) == ("log", "log")
        assert ax.get_xlim()[0] > ax.get_xlim()[1]
        *curves, level = ax.lines
        dense = gmean(100 - 100 * where(tuned, alpha=alpha, criterion="dense", rewind="dense")["test_accuracy"])
        np.testing.assert_allclose(level.get_ydata(), dense)
        assert (level.get_color(), level.get_linewidth()) == ("black", 0.8)
        assert [line.get_linestyle() for line in curves] == linestyles
        for line, (criterion, rewind) in zip(curves, order, strict=True):
            runs = where(tuned, alpha=alpha, criterion=criterion, rewind=rewind, diverged=False)
            errors = 100 - 100 * runs["test_accuracy"]
            expected = errors.groupby(runs["density"]).apply(gmean)
            np.testing.assert_allclose(line.get_xdata(), expected.index)
            np.testing.assert_allclose(line.get_ydata(), expected)
            assert (to_hex(line.get_color()) == to_hex("0.65")) == ((criterion, rewind) in CONTROLS)
            assert (line.get_linewidth() < 1) == ((criterion, rewind) in CONTROLS)
            assert (line.get_markerfacecolor() == "white") == criterion.endswith("_iterative")
        runs = where(tuned, alpha=alpha, criterion="magnitude", rewind="none", density=0.25)
        edges = band_edges(ax, METHODS["magnitude", "none"].color, 0.25)
        np.testing.assert_allclose(edges, np.exp(t_interval(np.log(100 - 100 * runs["test_accuracy"]))))


def test_bands_of_many_methods_are_faint():
    few, many = (draw("levels", tuned=make_tuned(pairs)).axes[0] for pairs in (PAIRS, [*PAIRS, *CONTROLS]))
    assert {area.get_alpha() for area in few.collections} == {0.2}
    assert {area.get_alpha() for area in many.collections} == {0.15}


def test_levels_groups_its_legend_by_level():
    figure = draw("levels", tuned=make_tuned([*PAIRS, *CONTROLS]))
    assert legend_of(figure) == [
        *("dense", "before training", "SNIP", "SNIP, iterative", "during training", "rewind to init (ticket)"),
        *("after training", "no rewind (fine-tune)", "learning-rate rewind"),
        *("controls", "ticket mask, same signs", "ticket mask, shuffled", "new × late rewind"),
    ]
    bold = [text.get_text() for text in figure.legends[0].get_texts() if text.get_fontweight() == "bold"]
    assert bold == ["before training", "during training", "after training", "controls"]
    some = draw("levels", tuned=make_tuned(PAIRS[2:3], alphas=(1.0,), seeds=1))
    assert legend_of(some) == ["dense", "during training", "rewind to init (ticket)"]


def test_levels_of_a_regression_and_of_methods_that_some_alphas_lack():
    tuned = make_tuned(PAIRS, regression=True)
    tuned = tuned[(tuned["alpha"] != 1) | (tuned["criterion"] != "snip")]
    figure = draw("levels", tuned=tuned)
    assert figure.axes[0].get_ylabel() == "test error (squared)"
    ticket = figure.axes[1].lines[1]  # after that of iterative SNIP
    runs = where(tuned, alpha=1, criterion="magnitude", rewind="init").groupby("density")["test_loss"]
    np.testing.assert_allclose(ticket.get_ydata(), runs.apply(gmean))


def test_levels_has_a_place_for_no_error():
    figure = draw("levels", tuned=make_tuned().assign(test_accuracy=1.0, diverged=False))
    np.testing.assert_allclose(figure.axes[0].lines[1].get_ydata(), 0.01)


def crosses_of(ax):
    """Where the crosses of each layer are, by colour."""
    return {to_hex(line.get_color()): line for line in ax.lines if line.get_marker() == "x"}


def test_layerwise_density_shows_means_bands_and_collapsed_layers():
    layers = make_layer_density()
    figure = draw("layerwise_density", layer_density=layers)
    assert titles_of(figure) == [METHODS[p].label if p in METHODS else "SNIP, iterative" for p in PAIRS]
    assert figure.get_suptitle() == r"demo: $\alpha$ = 1, learning rate × 1"
    palette = {layer: to_hex(color) for layer, color in log_palette((1, 2, 3), LAYER_MAP, 0.0, 0.85).items()}
    shown = where(layers, alpha=1.0, lr=1.0)
    for ax, (criterion, rewind) in zip(figure.axes, PAIRS, strict=True):
        curves = curves_of(ax)
        for layer, color in palette.items():
            runs = where(shown, criterion=criterion, rewind=rewind, layer=layer)
            alive = runs[runs["layer_density"] > 0]
            expected = 100 * alive.groupby("density")["layer_density"].apply(gmean)
            np.testing.assert_allclose(curves[color].get_xdata(), expected.index)
            np.testing.assert_allclose(curves[color].get_ydata(), expected)
            values = np.log(100 * where(runs, round=2)["layer_density"])
            np.testing.assert_allclose(band_edges(ax, color, 0.25), np.exp(t_interval(values)))
        crosses = {color: list(line.get_xdata()) for color, line in crosses_of(ax).items()}
        assert crosses == ({palette[2]: [0.0625], palette[3]: [0.125, 0.0625]} if criterion == "snip" else {})
    assert legend_of(figure)[-1].startswith("collapsed")


def test_crosses_hide_neither_each_other_nor_a_curve():
    figure = draw("layerwise_density", layer_density=make_layer_density())
    ax = figure.axes[0]
    low, high = np.log(ax.get_ylim())
    heights = [line.get_ydata()[-1] for line in crosses_of(ax).values()]
    lowest = min(
        np.nanmin(line.get_ydata()) for other in figure.axes for line in other.lines if line.get_marker() == "o"
    )
    assert 0 < heights[0] < heights[1] < (np.log(lowest) - low) / (high - low)
    assert all(line.get_transform() == ax.get_xaxis_transform() for line in crosses_of(ax).values())
    assert ax.get_yticklabels()[0].get_text() == "0"
    assert labels_of(ax.get_yticklabels()[1:]) == [f"{tick:g}" for tick in ax.get_yticks()[1:]]


def test_layerwise_density_without_collapse_has_no_crosses():
    figure = draw("layerwise_density", layer_density=make_layer_density(PAIRS[2:4], seeds=1))
    assert not any(crosses_of(ax) for ax in figure.axes)
    assert legend_of(figure) == ["1", "2", "3", "as in the\nnetwork"]


def test_layerwise_density_names_a_rate_only_where_there_is_one_and_breaks_long_names():
    layers = make_layer_density(PAIRS[2:4], seeds=1)
    assert draw("layerwise_density", layer_density=layers).get_suptitle().endswith("learning rate × 1")
    kinds = layers[["criterion", "rewind"]].drop_duplicates()
    other = (layers["rewind"] == kinds["rewind"].iloc[1]) & (layers["criterion"] == kinds["criterion"].iloc[1])
    renamed = layers.assign(lr=layers["lr"].mask(other, 3.3), criterion=layers["criterion"].mask(other, "lamp"))
    figure = draw("layerwise_density", layer_density=renamed)
    assert "learning rate" not in figure.get_suptitle()
    assert any(title.startswith("lamp ×\n") for title in titles_of(figure))


def test_compression_shows_rates_accuracies_and_references():
    table = make_compression()
    figure = draw("compression", compression=table)
    assert figure.get_suptitle().endswith("learning rate × 1, 4 to 6 bits a weight (6 in the output layer)")
    shown = where(table, alpha=1.0)
    for row, rewind in enumerate(("init", "none")):
        left, right = figure.axes[2 * row : 2 * row + 2]
        assert left.get_title() == right.get_title() == STRATEGIES[rewind]
        runs = where(shown, rewind=rewind)
        rates = {
            stage: (runs["original_bytes"] / runs[f"{stage}_bytes"]).groupby(runs["density"]).apply(gmean)
            for stage in ("pruned", "quantized", "huffman")
        }
        for line, expected in zip(left.lines[:3], rates.values(), strict=True):
            np.testing.assert_allclose(line.get_xdata(), expected.index)
            np.testing.assert_allclose(line.get_ydata(), expected)
        sizes = [line.get_markersize() for line in left.lines[:3]]
        assert sizes == sorted(set(sizes), reverse=True)  # so that all are seen where they coincide
        np.testing.assert_allclose(left.lines[3].get_ydata(), 40)
        assert [text.get_text().replace("\n", " ") for text in left.texts] == ["40x (Han et al. 2016)"]
        pruned, quantized, paper, dense = right.lines
        np.testing.assert_allclose(dense.get_ydata(), 100 * runs["dense_accuracy"].mean())
        np.testing.assert_allclose(paper.get_xdata(), 40)
        for line, stage in ((pruned, "pruned"), (quantized, "quantized")):
            order = rates["huffman"].sort_values().index
            accuracies = 100 * runs[f"{stage}_accuracy"].groupby(runs["density"]).mean()
            np.testing.assert_allclose(line.get_xdata(), rates["huffman"][order])
            np.testing.assert_allclose(line.get_ydata(), accuracies[order])
            values = 100 * where(runs, round=2)[f"{stage}_accuracy"]
            np.testing.assert_allclose(band_edges(right, line.get_color(), rates["huffman"][0.25]), t_interval(values))
    assert [ax.get_xlabel() for ax in figure.axes[2:]] == ["weights remaining (%)", "compression rate after all stages"]
    assert legend_of(figure)[-1] == "dense"


def test_compression_of_one_rewind_and_seed():
    figure = draw("compression", compression=make_compression(("init",), seeds=1))
    assert len(figure.axes) == 2
    assert figure.get_suptitle().endswith("learning rate × 1, 6 bits a weight (6 in the output layer)")
    assert figure.axes[0].get_ylim()[1] >= 80  # so that the label of 40x is in the panel
    lost = make_compression(("init",))
    lost.loc[(lost["round"] == 3) & (lost["seed"] == 0), ["quantized_accuracy", "huffman_bytes"]] = np.nan
    figure = draw("compression", compression=lost)
    assert figure.axes[1].get_title().endswith("(1 run diverged)")


def matrices_of(figure):
    return [ax.collections[0] for ax in figure.axes if ax.texts]


def texts_of(ax):
    """(column, row) -> what is written in the cell."""
    return {tuple(int(place) for place in text.get_position()): text.get_text() for text in ax.texts}


def test_ticket_transfer_shows_means_and_differences_to_the_diagonal():
    table = make_transfer()
    figure = draw("ticket_transfer", transfer=table)
    assert "chosen on the validation split" in figure.get_supxlabel()
    meshes = matrices_of(figure)
    assert [mesh.axes.get_title() for mesh in meshes] == ["50 % of weights", "12 % of weights", "3.1 % of weights"]
    assert len({mesh.get_clim() for mesh in meshes}) == 1
    for mesh, number in zip(meshes, (1, 3, 5), strict=True):
        expected = 100 * where(table, round=number).groupby(["mask_alpha", "alpha"])["test_accuracy"].mean().unstack()
        np.testing.assert_allclose(mesh.get_array(), expected)
        ax, texts = mesh.axes, texts_of(mesh.axes)
        for (row, mask_alpha), (column, alpha) in itertools.product(enumerate(ALPHAS), repeat=2):
            value, own = expected.loc[mask_alpha, alpha], expected.loc[alpha, alpha]
            written, *change = texts[column, row].split("\n")
            assert written == f"{value:.1f}"
            differences = [float(part.replace("−", "-")) for part in change]
            assert differences == pytest.approx([value - own] * (row != column), abs=0.051)
        assert [patch.get_xy() for patch in ax.patches] == [(i, i) for i in range(3)]
        assert labels_of(ax.get_xticklabels()) == ["0.1", "1", "10"]
        assert ax.get_ylim() == (3, 0)
    assert [mesh.axes.get_ylabel() for mesh in meshes] == [r"$\alpha$ of the mask", "", ""]
    assert {mesh.axes.get_xlabel() for mesh in meshes} == {r"$\alpha$ of the training"}
    assert figure.get_suptitle() == "demo"


@pytest.mark.parametrize("regression", [False, True])
@pytest.mark.parametrize(("rich", "others"), [(10.0, 1.0), (0.3, 3.0), (0.1, 0.1)])
def test_ticket_transfer_draws_every_cell_of_the_table(regression, rich, others):
    """Whatever lr was chosen for it: one that no other cell has, and 1 nowhere."""
    table = make_transfer(rounds=1, regression=regression)
    table = table.assign(lr=np.where(table[["mask_alpha", "alpha"]].eq([1.0, 0.1]).all(axis=1), rich, others))
    figure = draw("ticket_transfer", transfer=table)
    (mesh,) = matrices_of(figure)
    cells = table.groupby(["mask_alpha", "alpha"])
    expected = cells["test_loss"].apply(gmean) if regression else 100 * cells["test_accuracy"].mean()
    assert not np.ma.is_masked(mesh.get_array())
    np.testing.assert_allclose(mesh.get_array(), expected.unstack())
    assert ("chosen on the validation split" in figure.get_supxlabel()) == (rich != others)


def test_ticket_transfer_counts_runs_that_diverged():
    table = make_transfer(rounds=1)
    lost = (table[["mask_alpha", "alpha", "seed"]] == [0.1, 10.0, 0]).all(axis=1)
    figure = draw("ticket_transfer", transfer=table.assign(test_accuracy=table["test_accuracy"].mask(lost)))
    (mesh,) = matrices_of(figure)
    assert mesh.axes.get_title() == "50 % of weights\n(1 run diverged)"
    kept = where(table[~lost], mask_alpha=0.1, alpha=10.0)["test_accuracy"]
    assert len(kept) == 2
    assert mesh.get_array()[0, 2] == pytest.approx(100 * kept.mean())


def test_a_difference_of_nothing_has_no_minus_sign():
    table = make_transfer(rounds=1)
    table = table.assign(test_accuracy=np.where(table["alpha"] == table["mask_alpha"], 0.9, 0.89999))
    (mesh,) = matrices_of(draw("ticket_transfer", transfer=table))
    assert texts_of(mesh.axes)[0, 1] == "90.0\n+0.0"


def test_ticket_transfer_of_a_regression_with_a_cell_missing():
    table = make_transfer(regression=True, rounds=2)
    table = table[(table["mask_alpha"] != 10) | (table["alpha"] != 0.1)]
    mesh = matrices_of(draw("ticket_transfer", transfer=table))[0]
    expected = where(table, round=1).groupby(["mask_alpha", "alpha"])["test_loss"].apply(gmean).unstack()
    np.testing.assert_allclose(np.ma.filled(mesh.get_array(), np.nan), expected)
    texts = texts_of(mesh.axes)
    assert texts[0, 2] == "–"
    assert texts[1, 0].split("\n")[1] == f"×{expected.loc[0.1, 1.0] / expected.loc[1.0, 1.0]:.2f}"
    assert mesh.get_cmap().name == "cividis_r"


def test_numbers_in_cells_stand_out_from_their_colour():
    """A contrast of at least 4.5 (WCAG 2.1) in every cell."""
    for mesh in matrices_of(draw("ticket_transfer", transfer=make_transfer())):
        for cell, text in zip(mesh.get_facecolors(), mesh.axes.texts, strict=True):
            dark, bright = sorted(relative_luminance(color) for color in (cell, to_rgb(text.get_color())))
            assert (bright + 0.05) / (dark + 0.05) >= 4.5


@pytest.mark.parametrize("regression", [False, True])
def test_ticket_transfer_of_one_cell(regression, tmp_path):
    figure = draw("ticket_transfer", transfer=make_transfer((1.0,), 1, 1, regression))
    save(figure, [tmp_path / "one.png"])
    assert [len(mesh.axes.texts) for mesh in matrices_of(figure)] == [1]
