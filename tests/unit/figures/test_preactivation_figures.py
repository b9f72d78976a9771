"""Figures of single units and inputs show what their tables say: preactivations, their dynamics, surviving pixels."""

import itertools

import numpy as np
import pandas as pd
import pytest
from matplotlib.colors import to_hex
from PIL import Image

from featprune.figures import save
from featprune.figures.style import STRATEGIES
from featprune.figures.toy_preactivations import matched_correlation
from tests.unit.figures.builders import make_pixels, make_preactivations
from tests.unit.figures.drawing import draw, where


def make_named(rewinds=("init", "random"), labelled=True, units=7, samples=12, steps=(0, 1, 5, 20, 100)):
    """The dense network ends at a sine of (unit, sample); elsewhere a value names its unit, to show the order."""
    unit, sample = (grid.ravel() for grid in np.meshgrid(range(units), range(samples), indexing="ij"))
    named, final = unit + 0.01 * sample, np.sin(2.7 * unit * (1 + sample))
    frames = [
        pd.DataFrame(
            {
                **{
                    "alpha": alpha,
                    "lr": 1.0,
                    "criterion": "dense" if name == "dense" else "magnitude",
                },
                **{"rewind": name, "round": number, "density": 0.5**number, "seed": seed, "step": step},
                **{"layer": layer, "sample": sample, "label": sample % 3 if labelled else np.nan},
                **{
                    "unit": unit,
                    "preactivation": alpha * layer * (final if (name, step) == ("dense", steps[-1]) else named),
                },
            }
        )
        for name in ("dense", *rewinds)
        for number in ((0,) if name == "dense" else (1, 2))
        for alpha, layer, seed, step in itertools.product((1.0, 30.0), (1, 2), (0, 1), steps)
    ]
    # A shuffle, as nothing promises an order.
    return pd.concat(frames).assign(experiment="demo").sample(frac=1, random_state=0)


def matrices_of(figure):
    """The matrices of the panels (and not the colours of a bar)."""
    return [ax.collections[0] for ax in figure.axes if ax.collections and ax.get_label() != "<colorbar>"]


def test_preactivations_keep_one_order_and_one_scale():
    figure = draw("preactivations", preactivations=make_named())
    meshes = matrices_of(figure)
    assert len(meshes) == 3 * 4
    assert len({mesh.get_clim() for mesh in meshes}) == 1
    assert all(mesh.get_rasterized() for mesh in meshes)  # an SVG has no path a cell
    # Of the alphas, layers and seeds in the table, those with the smallest values; samples sorted by class.
    samples = np.array(sorted(range(12), key=lambda sample: (sample % 3, sample)))
    order = np.floor(meshes[0].get_array()[:, 0]).astype(int)
    assert sorted(order) == list(range(7))
    assert list(order) != list(range(7))
    for number, mesh in enumerate(meshes):
        ends = np.sin(2.7 * order[:, None] * (1 + samples))
        np.testing.assert_allclose(mesh.get_array(), ends if number == 3 else order[:, None] + 0.01 * samples)
    low, high = meshes[0].get_clim()
    assert low == -high
    assert [ax.get_title() for ax in figure.axes[:4]] == ["step 0", "step 5", "step 20", "step 100"]
    assert [ax.get_ylabel() for ax in figure.axes[:12:4]] == [
        "dense\n100 % of weights",
        "rewind to init (ticket)\n25 % of weights",
        "random re-draw\n25 % of weights",
    ]
    assert [tick.get_text() for tick in figure.axes[-2].get_xticklabels()] == ["0", "1", "2"]


def test_preactivations_without_classes_or_strategies():
    figure = draw("preactivations", preactivations=make_named((), labelled=False))
    assert len(matrices_of(figure)) == 4
    assert figure.get_supxlabel() == "test samples"
    continuous = make_named().assign(label=lambda table: table["sample"] / 7)
    figure = draw("preactivations", preactivations=continuous.assign(experiment="toy"))
    assert figure.get_supxlabel() == "test samples, by target"
    assert figure.get_suptitle().startswith("toy: layer 1, 7 units")


def test_pixel_mask_shows_mean_survivors_as_images_or_bars():
    figure = draw("pixel_mask", pixel_mask=make_pixels())
    meshes = matrices_of(figure)
    assert len(meshes) == 2 * 6
    np.testing.assert_array_equal(meshes[0].get_array(), np.arange(16.0).reshape(4, 4))
    assert figure.axes[0].get_title() == "80 %"
    assert figure.axes[5].get_title() == "13 %"
    figure = draw("pixel_mask", pixel_mask=make_pixels(pixels=10, rewinds=("init",), rounds=2))
    assert [len(ax.patches) for ax in figure.axes] == [10, 10]
    assert [bar.get_height() for bar in figure.axes[0].patches] == list(range(10))


def test_matched_correlation_is_unit_by_unit_and_counts_what_is_missing():
    dense = pd.DataFrame(np.random.default_rng(0).normal(size=(8, 4)))
    assert matched_correlation(-3 * dense + 1, dense) == pytest.approx(-1)
    assert matched_correlation(dense * [2, 1, 0, 1], dense) == pytest.approx(3 / 4)
    assert matched_correlation(dense.drop(columns=0), dense) == pytest.approx(3 / 4)
    other = dense[[1, 0, 3, 2]].set_axis(dense.columns, axis=1)
    expected = np.mean([np.corrcoef(dense[unit], other[unit])[0, 1] for unit in dense])
    assert matched_correlation(other, dense) == pytest.approx(expected)
    assert np.isnan(matched_correlation(dense, 0 * dense))


def test_toy_preactivations_follow_units_in_the_colour_of_the_dense_network():
    table = make_preactivations()
    figure = draw("toy_preactivations", preactivations=table)
    axes = np.array(figure.axes[:9]).reshape(3, 3)
    titles = [ax.get_title().split("\n") for ax in axes[0]]
    assert [title[0] for title in titles] == [STRATEGIES[name] for name in ("dense", "init", "none")]
    # Of six units the ticket has five, which follow the dense network's exactly.
    assert [title[2:] for title in titles] == [[], ["$r$ = 0.83"], ["$r$ = −1.00"]]
    assert [ax.get_ylabel() for ax in axes[:, 0]] == ["target 0.10", "target 0.40", "target 0.70"]
    colors = {}
    for (row, label), (column, name) in itertools.product(
        enumerate((0.1, 0.4, 0.7)), enumerate(("dense", "init", "none"))
    ):
        mine = where(table, alpha=1.0, rewind=name, label=label)
        values = mine.pivot_table(index="step", columns="unit", values="preactivation").loc[1:]
        (lines,) = axes[row, column].collections
        for segment, color in zip(lines.get_segments(), lines.get_colors(), strict=True):
            (unit,) = (u for u in values if np.allclose(segment[:, 1], values[u]))
            np.testing.assert_allclose(segment[:, 0], [1, 10, 100])
            assert colors.setdefault((row, unit), to_hex(color)) == to_hex(color)
            if name == "dense":
                red, _, blue, _ = color
                assert (red > blue) == (values.loc[100, unit] > 0)
    assert axes[0, 0].get_xscale() == "log"


def test_dynamics_has_a_frame_a_step_with_the_matrices_of_that_step(tmp_path):
    table = make_preactivations()
    animation = draw("preactivation_dynamics", preactivations=table)
    figure = animation._fig
    assert list(animation.new_frame_seq()) == [0, 1, 2, 3]
    dense = where(table, alpha=1.0, rewind="dense")
    orders = set()
    for frame, step in enumerate((0, 1, 10, 100)):
        animation._func(frame)
        assert figure.get_suptitle() == rf"demo: $\alpha$ = 1, step {step}"
        values = where(dense, step=step).sort_values("label").pivot_table("preactivation", "unit", "label").to_numpy()
        shown, ticket, none = (mesh.get_array() for mesh in matrices_of(figure))
        orders.add(tuple(int(np.flatnonzero((values == row).all(axis=1))[0]) for row in shown))
        (order,) = orders
        np.testing.assert_allclose(ticket, 2 * shown * (np.array(order) > 0)[:, None])
        np.testing.assert_allclose(none, -shown)
        assert [ax.get_xlabel() for ax in figure.axes[:3]] == ["$r$ = 1.00", "$r$ = 0.83", "$r$ = −1.00"]
    assert len({mesh.get_clim() for mesh in matrices_of(figure)}) == 1
    save(animation, [tmp_path / "moves.gif"])
    with Image.open(tmp_path / "moves.gif") as image:
        assert (image.format, image.n_frames, image.info["duration"], image.info["loop"]) == ("GIF", 4, 500, 0)
    assert [path.name for path in tmp_path.iterdir()] == ["moves.gif"]


def test_a_network_that_starts_late_has_empty_panels_before():
    table = make_named(rewinds=("init", "late"))
    meshes = matrices_of(
        draw("preactivations", preactivations=table[(table["rewind"] != "late") | (table["step"] >= 20)])
    )
    drawn = [bool(np.isfinite(np.ma.filled(mesh.get_array().astype(float), np.nan)).any()) for mesh in meshes]
    assert drawn == [True] * 4 + [True] * 4 + [False, False, True, True]
