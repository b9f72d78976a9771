"""Every figure: drawn from its tables alone, the same bytes each time, readable, and one clear error otherwise."""

import re
import subprocess
import sys
from functools import cache
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.animation import Animation
from matplotlib.colors import to_hex
from matplotlib.text import Text
from PIL import Image

from featprune.errors import FeatpruneError
from featprune.figures import ANIMATION_DPI, DPI, FIGURES, save
from featprune.figures.style import METHODS, SMALL
from tests.unit.figures.builders import make_tables, make_tuned, tables_of
from tests.unit.figures.drawing import draw

# What must hold a value in the first table of a figure.
VALUES = {
    "tuned": ["test_accuracy", "test_loss", "early_stop_step"],
    "transfer": ["test_accuracy", "test_loss"],
    "headline": ["test_accuracy"],
    "compression": ["quantized_accuracy"],
    "records": ["error"],
    "learning_curves": ["loss"],
    "features": ["frobenius", "correlation"],
    "richness": ["value"],
    "connectivity": ["loss_barrier", "error_barrier"],
    "overlap": ["overlap", "strength"],
    "layer_density": ["layer_density"],
    "claims": ["estimate"],
    "preactivations": ["preactivation"],
}


def draw_any(name, **changed):
    """The figure of that name; of an animation the picture of its first frame."""
    tables = tables_of(name) | changed
    figure = draw(name, **{table: tables[table] for table in FIGURES[name].tables if table in tables})
    if isinstance(figure, Animation):
        figure._draw_was_started = True  # else matplotlib warns that nothing came of it
        return figure._fig
    return figure


def test_importing_the_registry_is_light():
    heavy = "sorted({'matplotlib', 'pandas', 'seaborn', 'scipy', 'torch'} & set(sys.modules))"
    code = f"import sys, featprune.figures; print({heavy})"
    assert subprocess.check_output([sys.executable, "-c", code], text=True).strip() == "[]"


def save_any(name, folder):
    """The figure of that name, as it is once it is saved in the folder; of an animation the picture of a frame."""
    figure = draw(name, **tables_of(name))
    save(figure, [folder / f"{name}.{kind}" for kind in FIGURES[name].formats])
    return figure._fig if isinstance(figure, Animation) else figure


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    """name -> the folder of a saved figure, and the figure."""

    @cache
    def saved(name):
        folder = tmp_path_factory.mktemp(name)
        return folder, save_any(name, folder)

    return saved


@pytest.mark.parametrize("name", FIGURES)
def test_save_writes_the_same_bytes_twice(name, saved, tmp_path):
    magic = {"png": b"\x89PNG", "svg": b"<?xml", "gif": b"GIF8"}
    save_any(name, tmp_path)
    files = [{path.name: path.read_bytes() for path in folder.iterdir()} for folder in (saved(name)[0], tmp_path)]
    assert files[0] == files[1]
    assert set(files[0]) == {f"{name}.{kind}" for kind in FIGURES[name].formats}
    assert all(data.startswith(magic[file.split(".")[1]]) for file, data in files[0].items())


@pytest.mark.parametrize("name", FIGURES)
def test_every_table_must_be_there_and_have_rows(name):
    tables = tables_of(name)
    for table in FIGURES[name].tables:
        with pytest.raises(FeatpruneError, match=f"figure '{FIGURES[name].module}': table '{table}' is empty"):
            draw(name, **tables | {table: tables[table].head(0)})
        with pytest.raises(FeatpruneError, match=f"figure '{FIGURES[name].module}': table '{table}' is missing"):
            draw(name, **{other: frame for other, frame in tables.items() if other != table})


@pytest.mark.parametrize("name", [name for name in FIGURES if FIGURES[name].tables[0] in VALUES])
def test_a_table_without_a_value_names_figure_and_table(name):
    table = FIGURES[name].tables[0]
    lost = make_tables()[table].assign(**dict.fromkeys(VALUES[table], np.nan))
    with pytest.raises(FeatpruneError, match=f"figure '{FIGURES[name].module}': table '{table}' has no finite"):
        draw_any(name, **{table: lost})


@pytest.mark.parametrize("name", ["accuracy_vs_density", "alpha_sweep", "early_stop", "levels", "layerwise_density"])
def test_dense_runs_alone_are_nothing_to_draw(name):
    (table,) = FIGURES[name].tables
    dense = make_tables()[table].assign(criterion="dense", rewind="dense")
    with pytest.raises(FeatpruneError, match=f"figure '{FIGURES[name].module}': table '{table}' has no rows"):
        draw_any(name, **{table: dense})


@pytest.mark.parametrize("name", FIGURES)
def test_all_text_is_large_enough_and_without_superscripts(name, saved):
    texts = [text for text in saved(name)[1].findobj(Text) if text.get_visible() and text.get_text()]
    assert texts
    assert min(text.get_fontsize() for text in texts) >= SMALL
    assert not [text.get_text() for text in texts if "^" in text.get_text() or "_{" in text.get_text()]


@pytest.mark.parametrize("name", [name for name in FIGURES if "svg" in FIGURES[name].formats])
def test_svg_holds_text_as_text_and_none_of_it_is_small(name, saved):
    """What a reader sees, mathematics too: one unit of the SVG is a point."""
    svg = (saved(name)[0] / f"{name}.svg").read_text()
    sizes = [float(size) for size in re.findall(r"font-size: ([\d.]+)px", svg)]
    assert len(sizes) >= svg.count("<text") > 0
    assert min(sizes) >= SMALL
    assert "scale(" not in " ".join(re.findall(r"<text[^>]*>", svg))
    shown = [text.get_text() for text in saved(name)[1].findobj(Text) if text.get_visible() and text.get_text()]
    words = next(text for text in shown if re.fullmatch(r"[A-Za-z ]{4,}", text))
    assert f">{words}</text>" in svg


@pytest.mark.parametrize("name", FIGURES)
def test_pictures_have_their_resolution(name, saved):
    folder, figure = saved(name)
    kind = FIGURES[name].formats[0]
    dpi = DPI if kind == "png" else ANIMATION_DPI
    with Image.open(folder / f"{name}.{kind}") as picture:
        assert picture.size == pytest.approx(dpi * figure.get_size_inches(), abs=1.01)
        assert kind == "gif" or picture.info["dpi"] == pytest.approx((200, 200), abs=0.1)


def test_a_strategy_has_the_same_colour_everywhere(saved):
    known = {method.label: to_hex(method.color) for method in METHODS.values()}
    known["LTH baseline"] = known["rewind to init (ticket)"]
    seen = []
    for name in FIGURES:
        for legend in saved(name)[1].legends:
            for handle, text in zip(legend.legend_handles, legend.get_texts(), strict=True):
                if text.get_text() in known:
                    assert to_hex(handle.get_color()) == known[text.get_text()], (name, text.get_text())
                    seen.append(text.get_text())
    assert {"LTH baseline", "rewind to init (ticket)", "SNIP"} <= set(seen)


@pytest.mark.parametrize("name", ["accuracy_vs_density", "alpha_sweep", "levels"])
def test_only_outer_panels_have_tick_labels(name):
    figure = draw_any(name, tuned=make_tuned(alphas=tuple(10.0 ** np.arange(-2, 3)), regression=True))
    figure.draw_without_rendering()
    count = len(figure.axes)
    for index, ax in enumerate(figure.axes):
        assert bool(ax.get_yticklabels()) == (index % 3 == 0)
        assert bool(ax.get_xticklabels()) == (index + 3 >= count)


def test_no_figure_stays_open():
    draw_any("levels")
    draw_any("ticket_transfer")
    assert plt.get_fignums() == []


def test_figures_and_animations_keep_their_formats(tmp_path):
    with pytest.raises(FeatpruneError, match=r"saved as \.svg or \.png, an animation as \.gif"):
        save(draw_any("claims"), [tmp_path / "figure.gif"])
    with pytest.raises(FeatpruneError, match=r"saved as \.svg or \.png"):
        save(draw_any("pixel_mask"), [tmp_path / "figure.pdf"])
    animation = draw("preactivation_dynamics", **make_tables())
    with pytest.raises(FeatpruneError, match=r"an animation as \.gif"):
        save(animation, [tmp_path / "figure.png"])
    assert not list(tmp_path.iterdir())
    animation._draw_was_started = True


def test_a_failed_animation_leaves_no_file(tmp_path, monkeypatch):
    animation = draw("preactivation_dynamics", **make_tables())

    def fail(writer):
        Path(writer.outfile).write_text("half of it")
        raise OSError("no space left")

    monkeypatch.setattr("matplotlib.animation.PillowWriter.finish", fail)
    with pytest.raises(FeatpruneError, match=r"moves\.gif: can.t be written .no space left"):
        save(animation, [tmp_path / "moves.gif"])
    assert not list(tmp_path.iterdir())


def test_no_window_opens():
    """With a display, too: pyplot, which makes the figures of seaborn's grids, is told to draw to memory."""
    code = (
        "import matplotlib; matplotlib.use('template')\n"
        "from tests.unit.figures.builders import make_tables\n"
        "from tests.unit.figures.drawing import draw\n"
        "draw('levels', **make_tables()); print(matplotlib.get_backend())"
    )
    assert subprocess.check_output([sys.executable, "-c", code], text=True).strip().lower() == "agg"
