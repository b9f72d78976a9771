"""Figures show what their tables say: means, bands, labels, colours and orders."""

import itertools
import subprocess
import sys

import matplotlib
import numpy as np
import pandas as pd
import pytest
from matplotlib.colors import to_hex
from scipy.stats import t

from featprune.errors import FeatpruneError
from featprune.figures import FIGURES, save
from featprune.figures.bands import ACCURACY, ERROR, over_seeds
from featprune.figures.learning_curves import choose_lr
from featprune.figures.style import BASELINE, OURS, STRATEGIES, alpha_palette, percent, pick, spaced

matplotlib.use("Agg")
ALPHAS = (0.1, 1.0, 10.0)
REWINDS = ("init", "random", "none")
RUN = ("alpha", "lr", "criterion", "rewind", "round", "density")


def make_tuned(alphas=ALPHAS, rewinds=REWINDS, rounds=4, seeds=4, regression=False, criteria=("magnitude",)):
    """A table `tuned` in which one run of random rewinding has diverged (if there are seeds to spare)."""
    rng = np.random.default_rng(0)
    runs = [("dense", "dense", 0), *(("dense", "none", r) for r in range(1, rounds + 1) if "none" in rewinds)]
    runs += itertools.product(criteria, rewinds, range(1, rounds + 1))
    rows = [
        {
            "experiment": "demo",
            "alpha": alpha,
            "lr": 0.3 if number % 2 else 1.0,
            "criterion": criterion,
            "rewind": rewind,
            "round": number,
            "seed": seed,
            "density": 1.0 if criterion == "dense" else 0.5**number,
            "test_accuracy": np.nan if regression else rng.uniform(0.9, 0.98),
            "test_loss": rng.uniform(0.01, 0.2),
            "diverged": False,
        }
        for alpha in alphas
        for criterion, rewind, number in runs
        for seed in range(seeds)
    ]
    table = pd.DataFrame(rows)
    lost = (table["rewind"] == "random") & (table["seed"] == 3) & (table["round"] == rounds)
    lost &= table["alpha"] == alphas[-1]
    return table.assign(diverged=lost, test_loss=table["test_loss"].mask(lost))


def make_headline(rounds=3, seeds=4):
    rng = np.random.default_rng(1)
    sides = pd.DataFrame(
        [
            (side, number, 0.5**number, seed, 1.0 if side == "baseline" else 0.3, 1.0, 0.9, rng.uniform(0.9, 1))
            for side in ("baseline", "ours")
            for number in range(1, rounds + 1)
            for seed in range(seeds)
        ],
        columns=[
            *("side", "round", "density", "seed", "alpha", "lr", "validation_accuracy", "test_accuracy"),
        ],
    )
    difference = pd.DataFrame(
        {
            "round": range(1, rounds + 1),
            "density": [0.5**number for number in range(1, rounds + 1)],
            "n_seeds": seeds,
            "difference": 0.01,
            "ci_low": [-0.01, *[0.005] * (rounds - 1)],
            "ci_high": 0.02,
            "p_value": 0.05,
        }
    )
    gain = {"comparison": "gain"}
    return {"headline": sides.assign(**gain), "headline_difference": difference.assign(**gain)}


def make_curves(alphas=ALPHAS, lrs=(1.0,), seeds=3):
    rng = np.random.default_rng(2)
    columns = [*RUN, "seed", "step", "split", "loss", "accuracy"]
    runs = [("dense", "dense", 0), ("magnitude", "init", 1), ("magnitude", "init", 2), ("magnitude", "none", 1)]
    rows = [
        # The learning rate 1 is the best on validation, the worst on test.
        (alpha, lr, *run, 0.5 ** run[2], seed, step, split, rng.uniform(0.1, 2), lr if split != "test" else -lr)
        for alpha, lr, run, seed, step, split in itertools.product(
            alphas, lrs, runs, range(seeds), (0, 1, 10, 100), ("train", "validation", "test")
        )
    ]
    return pd.DataFrame(rows, columns=columns)


def make_preactivations(rewinds=("init", "random"), labelled=True, units=7, samples=12, steps=(0, 1, 5, 20, 100)):
    """The dense network ends at a sine of (unit, sample); elsewhere a value names its unit, to show the order."""
    unit, sample = (grid.ravel() for grid in np.meshgrid(range(units), range(samples), indexing="ij"))
    named, final = unit + 0.01 * sample, np.sin(2.7 * unit * (1 + sample))
    frames = [
        pd.DataFrame(
            {
                **{"alpha": alpha, "lr": 1.0, "criterion": "dense" if name == "dense" else "magnitude"},
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
    return pd.concat(frames).sample(frac=1, random_state=0)


def make_pixels(pixels=16, rewinds=("init", "random"), rounds=9):
    columns = [*RUN, "seed", "pixel", "survivors"]
    rows = [
        (1.0, 1.0, "magnitude", rewind, number, 0.8**number, seed, pixel, seed * pixel)
        for rewind, number, seed, pixel in itertools.product(rewinds, range(1, rounds + 1), (0, 2), range(pixels))
    ]
    return pd.DataFrame(rows, columns=columns)


def make_tables():
    return {
        "tuned": make_tuned(),
        **make_headline(),
        "learning_curves": make_curves(),
        "preactivations": make_preactivations(),
        "pixel_mask": make_pixels(),
    }


def where(table, **values):
    """The rows of the table with these values."""
    return table[(table[list(values)] == pd.Series(values)).all(axis=1)]


def curves_of(ax):
    """The lines of an axes that are curves over rounds or alphas (not levels or legend keys), by colour."""
    return {to_hex(line.get_color()): line for line in ax.lines if line.get_marker() == "o"}


def band_edges(collection, x):
    """The lowest and the highest point of a band at x."""
    vertices = collection.get_paths()[0].vertices
    column = vertices[np.isclose(vertices[:, 0], x), 1]
    return column.min(), column.max()


def t_interval(values):
    return t.interval(0.95, len(values) - 1, loc=np.mean(values), scale=np.std(values, ddof=1) / len(values) ** 0.5)


def test_importing_the_registry_is_light():
    heavy = "sorted({'matplotlib', 'pandas', 'seaborn', 'scipy', 'torch'} & set(sys.modules))"
    code = f"import sys, featprune.figures; print({heavy})"
    assert subprocess.check_output([sys.executable, "-c", code], text=True).strip() == "[]"


# The other figures have their tests in test_method_figures.py.
DRAWN = ("accuracy_vs_density", "alpha_sweep", "headline", "learning_curves", "preactivations", "pixel_mask")


@pytest.mark.parametrize("name", DRAWN)
def test_save_writes_the_same_bytes_twice(name, tmp_path):
    for take in ("a", "b"):
        figure = FIGURES[name].draw(make_tables())
        save(figure, [tmp_path / take / f"{name}.png", tmp_path / take / f"{name}.svg"])
    for kind, magic in {"png": b"\x89PNG", "svg": b"<?xml"}.items():
        first, second = ((tmp_path / take / f"{name}.{kind}").read_bytes() for take in ("a", "b"))
        assert first.startswith(magic)
        assert first == second
    assert sorted(path.name for path in (tmp_path / "a").iterdir()) == [f"{name}.png", f"{name}.svg"]


def test_save_refuses_other_formats(tmp_path):
    with pytest.raises(FeatpruneError, match=r"saved as \.svg or \.png"):
        save(FIGURES["pixel_mask"].draw(make_tables()), [tmp_path / "figure.pdf"])


@pytest.mark.parametrize("name", DRAWN)
def test_nothing_to_draw_names_figure_and_table(name):
    tables = make_tables()
    table = FIGURES[name].tables[0]
    with pytest.raises(FeatpruneError, match=f"figure '{name}': table '{table}' is empty"):
        FIGURES[name].draw({**tables, table: tables[table].head(0)})
    with pytest.raises(FeatpruneError, match=f"figure '{name}': table '{table}' is missing"):
        FIGURES[name].draw({})


@pytest.mark.parametrize(
    ("name", "table", "columns"),
    [
        ("accuracy_vs_density", "tuned", ["test_accuracy", "test_loss"]),
        ("alpha_sweep", "tuned", ["test_accuracy", "test_loss"]),
        ("headline", "headline", ["test_accuracy"]),
        ("learning_curves", "learning_curves", ["loss"]),
        ("preactivations", "preactivations", ["preactivation"]),
    ],
)
def test_all_diverged_names_figure_and_table(name, table, columns):
    tables = make_tables()
    lost = tables[table].assign(**dict.fromkeys(columns, np.nan))
    with pytest.raises(FeatpruneError, match=f"figure '{name}': table '{table}' has no finite"):
        FIGURES[name].draw({**tables, table: lost})


def test_over_seeds_leaves_out_diverged_runs():
    runs = make_tuned()
    cell = (runs["alpha"] == 10) & (runs["rewind"] == "random") & (runs["round"] == 4)
    means = over_seeds(runs[cell], ["alpha", "round"], ACCURACY).iloc[0]
    values = 100 * runs.loc[cell & ~runs["diverged"], "test_accuracy"]
    assert means["n_seeds"] == len(values) == 3
    assert means["mean"] == pytest.approx(values.mean())
    assert (means["low"], means["high"]) == pytest.approx(t_interval(values))
    assert means["density"] == 0.5**4


def test_over_seeds_is_of_the_logarithm_on_a_log_axis():
    runs = where(make_tuned(regression=True), alpha=1, rewind="init", round=1)
    means = over_seeds(runs, ["round"], ERROR).iloc[0]
    logs = np.log(runs["test_loss"])
    assert means["mean"] == pytest.approx(np.exp(logs.mean()))
    assert (means["low"], means["high"]) == pytest.approx(np.exp(t_interval(logs)))


def test_accuracy_vs_density_shows_means_bands_and_dense_levels():
    tuned = make_tuned()
    figure = FIGURES["accuracy_vs_density"].draw({"tuned": tuned})
    notes = {"random": "\n(1 run diverged)"}
    assert [ax.get_title() for ax in figure.axes] == [STRATEGIES[name] + notes.get(name, "") for name in REWINDS]
    assert figure.get_suptitle() == "demo"
    assert "chosen on the validation split" in figure.get_supxlabel()
    assert figure.axes[0].get_ylabel() == "test accuracy (%)"
    for ax, rewind in zip(figure.axes, REWINDS, strict=True):
        assert ax.get_xlabel() == "weights remaining (%)"
        assert ax.get_xscale() == "log"
        assert ax.get_xlim()[0] > ax.get_xlim()[1]
        assert [tick.get_text() for tick in ax.get_xticklabels()] == ["100", "50", "25", "12", "6.2"]
        bands = {to_hex(band.get_facecolor()[0]): band for band in ax.collections}
        for alpha, color in alpha_palette(ALPHAS).items():
            runs = where(tuned, alpha=alpha, rewind=rewind, criterion="magnitude")
            sound = runs[~runs["diverged"]].groupby("density")["test_accuracy"]
            expected = 100 * sound.mean().sort_index(ascending=False)
            line = curves_of(ax)[to_hex(color)]
            np.testing.assert_allclose(line.get_xdata(), expected.index)
            np.testing.assert_allclose(line.get_ydata(), expected)
            edges = band_edges(bands[to_hex(color)], 0.5)
            np.testing.assert_allclose(edges, t_interval(100 * sound.get_group(0.5)))
            dense = 100 * where(tuned, alpha=alpha, rewind="dense")["test_accuracy"].mean()
            levels = [line.get_ydata()[0] for line in ax.lines if to_hex(line.get_color()) == to_hex(color)]
            assert any(np.isclose(level, dense) for level in levels)
    dotted = [len([line for line in ax.lines if line.get_linestyle() == ":"]) for ax in figure.axes]
    assert dotted == [0, 0, len(ALPHAS)]
    legend = [text.get_text() for text in figure.legends[0].get_texts()]
    assert legend == ["0.1", "1", "10", "dense", "dense,\ntrained as long"]


@pytest.mark.parametrize("name", ["accuracy_vs_density", "alpha_sweep"])
def test_regression_is_an_error_on_a_log_axis(name):
    figure = FIGURES[name].draw({"tuned": make_tuned(regression=True)})
    assert figure.axes[0].get_ylabel() == "test error (squared)"
    assert {ax.get_yscale() for ax in figure.axes} == {"log"}


@pytest.mark.parametrize("name", ["accuracy_vs_density", "alpha_sweep"])
@pytest.mark.parametrize("alphas", [(1.0,), tuple(10.0 ** np.arange(-4, 4))])
@pytest.mark.parametrize("rewinds", [("init",), ("late", "none", "new", "random", "init")])
def test_any_number_of_alphas_strategies_and_one_seed(name, alphas, rewinds):
    figure = FIGURES[name].draw({"tuned": make_tuned(alphas, rewinds, seeds=1)})
    assert len(figure.axes) == len(rewinds)
    titles = [STRATEGIES["init"], STRATEGIES["late"], STRATEGIES["random"], STRATEGIES["none"], "new"]
    assert [ax.get_title() for ax in figure.axes] == titles[:: 1 if len(rewinds) > 1 else 5]


def test_only_magnitude_is_drawn_and_named_among_several_criteria():
    tuned = make_tuned(criteria=("snip", "magnitude"), rewinds=("init",))
    (ax,) = FIGURES["accuracy_vs_density"].draw({"tuned": tuned}).axes
    assert ax.get_title() == "magnitude ×\n" + STRATEGIES["init"]
    expected = where(tuned, criterion="magnitude", alpha=1).groupby("density")["test_accuracy"].mean()
    line = curves_of(ax)[to_hex(alpha_palette(ALPHAS)[1.0])]
    np.testing.assert_allclose(line.get_ydata()[::-1], 100 * expected)


@pytest.mark.parametrize("seeds", [1, 2])
def test_few_seeds_have_no_band(seeds):
    tuned = make_tuned(seeds=seeds, rewinds=("init",))
    (ax,) = FIGURES["accuracy_vs_density"].draw({"tuned": tuned}).axes
    assert len(curves_of(ax)) == len(ALPHAS)
    assert not any(len(band.get_paths()) for band in ax.collections)
    assert over_seeds(tuned, ["alpha", "round"], ACCURACY)[["low", "high"]].isna().all(axis=None)


def test_short_log_axis_has_plain_ticks():
    curves = make_curves()
    figure = FIGURES["learning_curves"].draw({"learning_curves": curves.assign(loss=0.2 + 0.5 * (curves["step"] < 9))})
    assert {"0.2", "0.5"} <= {tick.get_text() for tick in figure.axes[0].get_yticklabels()}


def test_alpha_sweep_shows_densities_and_dense():
    tuned = make_tuned(rounds=9)
    figure = FIGURES["alpha_sweep"].draw({"tuned": tuned})
    legend = [text.get_text() for text in figure.legends[0].get_texts()]
    assert legend == ["100 (dense)", "50", "12", "3.1", "0.78", "0.2"]
    for ax, rewind in zip(figure.axes, REWINDS, strict=True):
        dense, *densities = ax.lines
        assert (dense.get_color(), dense.get_linestyle()) == ("black", "--")
        expected = tuned[tuned["rewind"] == "dense"].groupby("alpha")["test_accuracy"].mean()
        np.testing.assert_allclose(dense.get_ydata(), 100 * expected)
        assert len(densities) == 5
        last = where(tuned, rewind=rewind, criterion="magnitude", round=9, diverged=False)
        np.testing.assert_allclose(densities[-1].get_ydata(), 100 * last.groupby("alpha")["test_accuracy"].mean())
        assert [tick.get_text() for tick in ax.get_xticklabels()] == ["0.1", "1", "10"]


def test_headline_is_orange_purple_and_paired():
    tables = make_headline()
    top, bottom = FIGURES["headline"].draw(tables).axes
    for line, band, side, color in zip(top.lines, top.collections, ("baseline", "ours"), (BASELINE, OURS), strict=True):
        runs = where(tables["headline"], side=side).groupby("density")["test_accuracy"]
        assert line.get_color() == color
        np.testing.assert_allclose(line.get_ydata()[::-1], 100 * runs.mean())
        np.testing.assert_allclose(band_edges(band, 0.25), t_interval(100 * runs.get_group(0.25)))
    assert [text.get_text() for text in top.texts] == ["0.3", "0.3", "0.3", r"$\alpha$"]
    whiskers, points = bottom.collections
    np.testing.assert_allclose(whiskers.get_paths()[0].vertices[:, 1], [-1, 2])
    np.testing.assert_allclose(points.get_offsets()[:, 1], [1, 1, 1])
    assert [to_hex(color) for color in points.get_facecolor()] == ["#ffffff", OURS.lower(), OURS.lower()]
    assert bottom.get_ylabel().startswith("ours − baseline")
    assert top.get_ylabel() == "test accuracy (%)"


def test_headline_shows_the_gain_only():
    tables = make_headline()
    others = {name: table.assign(comparison="gain_fixed_lr", alpha=30.0) for name, table in tables.items()}
    both = {name: pd.concat([table, others[name]]) for name, table in tables.items()}
    top, bottom = FIGURES["headline"].draw(both).axes
    assert [text.get_text() for text in top.texts] == ["0.3", "0.3", "0.3", r"$\alpha$"]
    assert len(bottom.collections[1].get_offsets()) == 3


def test_headline_of_one_seed_has_no_interval():
    tables = make_headline(seeds=1, rounds=20)
    tables["headline_difference"] = tables["headline_difference"].assign(ci_low=np.nan, ci_high=np.nan)
    top, bottom = FIGURES["headline"].draw(tables).axes
    assert {to_hex(color) for color in bottom.collections[1].get_facecolor()} == {"#ffffff"}
    assert {text.get_rotation() for text in top.texts} == {0, 90}


def test_learning_curves_show_dense_and_tickets():
    curves = make_curves()
    figure = FIGURES["learning_curves"].draw({"learning_curves": curves})
    assert [ax.get_title() for ax in figure.axes] == [rf"$\alpha$ = {alpha:g}" for alpha in ALPHAS]
    for ax, alpha in zip(figure.axes, ALPHAS, strict=True):
        *tickets, dense = ax.lines
        assert len(tickets) == 2
        assert dense.get_color() == "black"
        for line, number in zip(tickets, (1, 2), strict=True):
            runs = where(curves, alpha=alpha, rewind="init", round=number, split="test")
            expected = np.exp(np.log(runs["loss"]).groupby(runs["step"]).mean())
            np.testing.assert_allclose(line.get_xdata(), [0, 1, 10, 100])
            np.testing.assert_allclose(line.get_ydata(), expected)
        assert ax.get_yscale() == "log"
        assert ax.get_xlim()[0] == 0
    assert figure.axes[0].get_ylabel() == "test loss"


def test_learning_curves_choose_lr_on_validation():
    curves = make_curves(lrs=(0.3, 1.0, 0.1))
    assert set(choose_lr(curves)["lr"]) == {1.0}
    diverged = curves.assign(accuracy=curves["accuracy"].mask((curves["lr"] == 1) & (curves["seed"] == 0)))
    assert set(choose_lr(diverged)["lr"]) == {0.3}
    regression = curves.assign(accuracy=np.nan, loss=curves["lr"])
    assert set(choose_lr(regression)["lr"]) == {0.1}


def test_preactivations_keep_one_order_and_one_scale():
    figure = FIGURES["preactivations"].draw({"preactivations": make_preactivations()})
    images = [image for ax in figure.axes for image in ax.images]
    assert len(images) == 3 * 4
    assert len({image.get_clim() for image in images}) == 1
    # Of the alphas, layers and seeds in the table, those with the smallest values; samples sorted by class.
    samples = np.array(sorted(range(12), key=lambda sample: (sample % 3, sample)))
    order = np.floor(images[0].get_array()[:, 0]).astype(int)
    assert sorted(order) == list(range(7))
    assert list(order) != list(range(7))
    for number, image in enumerate(images):
        ends = np.sin(2.7 * order[:, None] * (1 + samples))
        np.testing.assert_allclose(image.get_array(), ends if number == 3 else order[:, None] + 0.01 * samples)
    low, high = images[0].get_clim()
    assert low == -high
    assert [ax.get_title() for ax in figure.axes[:4]] == ["step 0", "step 5", "step 20", "step 100"]
    assert [ax.get_ylabel() for ax in figure.axes[:12:4]] == [
        "dense\n100 % of weights",
        "rewind to init (ticket)\n25 % of weights",
        "random re-draw\n25 % of weights",
    ]
    assert [tick.get_text() for tick in figure.axes[-2].get_xticklabels()] == ["0", "1", "2"]


def test_preactivations_without_classes_or_strategies():
    figure = FIGURES["preactivations"].draw({"preactivations": make_preactivations((), labelled=False)})
    assert sum(len(ax.images) for ax in figure.axes) == 4
    assert figure.get_supxlabel() == "test samples"
    continuous = make_preactivations().assign(label=lambda table: table["sample"] / 7)
    figure = FIGURES["preactivations"].draw({"preactivations": continuous.assign(experiment="toy")})
    assert figure.get_supxlabel() == "test samples, by target"
    assert figure.get_suptitle().startswith("toy: layer 1, 7 units")


def test_pixel_mask_shows_mean_survivors_as_images_or_bars():
    figure = FIGURES["pixel_mask"].draw({"pixel_mask": make_pixels()})
    images = [image for ax in figure.axes for image in ax.images]
    assert len(images) == 2 * 6
    np.testing.assert_array_equal(images[0].get_array(), np.arange(16.0).reshape(4, 4))
    assert figure.axes[0].get_title() == "80 %"
    assert figure.axes[5].get_title() == "13 %"
    figure = FIGURES["pixel_mask"].draw({"pixel_mask": make_pixels(pixels=10, rewinds=("init",), rounds=2)})
    assert [len(ax.patches) for ax in figure.axes] == [10, 10]
    assert [bar.get_height() for bar in figure.axes[0].patches] == list(range(10))


def test_small_helpers():
    assert [percent(d) for d in (1, 0.5132, 0.0859, 0.01, 0.0035)] == ["100", "51", "8.6", "1.0", "0.35"]
    assert pick([0, 1, 2, 3, 4], 3) == [0, 2, 4]
    assert pick([7], 3) == [0]
    assert len(set(alpha_palette((0.01, 0.1, 1)).values())) == 3


def test_ticks_leave_each_other_room():
    densities = np.array([1.0, 0.6, 0.36, 0.22, 0.13, 0.079, 0.047, 0.029, 0.017, 0.011])
    ticks = spaced(densities)
    assert ticks[0] == 1.0 and ticks[-1] == 0.011 and set(ticks) < set(densities)
    assert np.diff(-np.log(ticks)).min() >= np.log(1 / 0.011) / 6
    assert spaced(np.array([0.5])) == [0.5]
