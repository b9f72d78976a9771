"""What tests of figures share: rows of tables, and what is drawn of them."""

import numpy as np
import pandas as pd
from matplotlib.colors import to_hex
from scipy.stats import t

from featprune.figures import FIGURES
from featprune.findings.captions import found


def draw(name, **tables):
    """The figure; what can be drawn can also be told of in its caption."""
    figure = FIGURES[name].draw(tables)
    assert found(name, tables).startswith("What was found:")
    return figure


def where(table, **values):
    """The rows of the table with these values."""
    return table[(table[list(values)] == pd.Series(values)).all(axis=1)]


def legend_of(figure):
    return [text.get_text() for text in figure.legends[0].get_texts()]


def labels_of(ticks):
    return [tick.get_text() for tick in ticks]


def titles_of(figure):
    return [ax.get_title() for ax in figure.axes]


def curves_of(ax):
    """The curves of an axes (lines with round markers), by colour."""
    return {to_hex(line.get_color()): line for line in ax.lines if line.get_marker() == "o"}


def colors_of(looks):
    return {key: to_hex(look["color"]) for key, look in looks.items()}


def band_edges(ax, color, x):
    """The lowest and the highest point at x of the area of this colour."""
    (area,) = (a for a in ax.collections if to_hex(a.get_facecolor()[0]) == to_hex(color) and len(a.get_paths()))
    vertices = area.get_paths()[0].vertices
    column = vertices[np.isclose(vertices[:, 0], x), 1]
    return column.min(), column.max()


def t_interval(values):
    """The 95 % Student-t interval of the mean, by scipy."""
    return t.interval(0.95, len(values) - 1, loc=np.mean(values), scale=np.std(values, ddof=1) / len(values) ** 0.5)
