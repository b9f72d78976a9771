"""What is drawn of the runs: a metric's values, their means over seeds, and the confidence bands of these."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes

from featprune.errors import FeatpruneError
from featprune.figures.style import OURS, Looks
from featprune.tables.intervals import student_t


@dataclass(frozen=True)
class Metric:
    """A column to draw, times `scale`: the label of its axis, and whether that is logarithmic."""

    column: str
    label: str
    scale: float = 1.0
    log: bool = False

    def of(self, runs: pd.DataFrame) -> pd.Series:
        """The values, NaN where a run diverged; above zero on a logarithmic axis."""
        values = self.scale * runs[self.column].astype(float)
        sound = np.isfinite(values) & ~runs.get("diverged", pd.Series(False, runs.index)).astype(bool)
        return (values.clip(lower=float(np.finfo(np.float32).tiny)) if self.log else values).where(sound)

    def mean(self, runs: pd.DataFrame, by: Sequence[str]) -> pd.Series:
        """The mean over seeds at each value of `by`, a geometric one on a logarithmic axis."""
        values = self.of(runs)
        means = (np.log(values) if self.log else values).groupby([runs[key] for key in by]).mean()
        return np.exp(means) if self.log else means

    def require(self, runs: pd.DataFrame, name: str) -> None:
        """Raise FeatpruneError if the table called `name` holds not one value."""
        if not self.of(runs).notna().any():
            why = "has no rows to draw" if runs.empty else f"has no finite {self.column}: every run diverged"
            raise FeatpruneError(f"table {name!r} {why}")

    def note_diverged(self, runs: pd.DataFrame) -> str:
        """A line for the end of a title: how many runs diverged, and so are in no mean."""
        count = int(self.of(runs).isna().sum())
        return f"\n({count} run{'s' * (count > 1)} diverged)" if count else ""


ACCURACY = Metric("test_accuracy", "test accuracy (%)", scale=100.0)
ERROR = Metric("test_loss", "test error (squared)", log=True)
LOSS = Metric("loss", "validation loss", log=True)


def choose_metric(runs: pd.DataFrame) -> Metric:
    """Accuracy for classification; for regression, where it is null throughout, the squared error."""
    return ACCURACY if runs["test_accuracy"].notna().any() else ERROR


def band(single: bool = False, curves: int = 1) -> dict[str, Any]:
    """Keywords for seaborn's lineplot: the mean of `value` over seeds in its band; `single`: points with error bars.

    Bands are fainter where many `curves` share a panel, so that the lines can be read.

    seaborn aggregates on the scale that y has when it draws, so make a logarithmic axis so before: then the mean is
    geometric, the interval that of the logarithm, and a band never reaches zero.
    """
    opacity = min(0.2, 1.2 / curves)
    style = {"err_style": "bars"} if single else {"err_style": "band", "err_kws": {"linewidth": 0, "alpha": opacity}}
    return {"y": "value", "errorbar": student_t, "legend": False, "markeredgewidth": 0, **style}


def draw_differences(ax: Axes, places: Any, table: pd.DataFrame, upright: bool = True) -> None:
    """Paired differences in percentage points with their intervals; open where the interval holds zero.

    table: rows with the columns of `paired_difference`, and `color` unless all are ours. places: of the rows on the
    other axis, x if `upright`.
    """
    mean, low, high = (100 * table[column].to_numpy(float) for column in ("difference", "ci_low", "ci_high"))
    zero, lines = (ax.axhline, ax.vlines) if upright else (ax.axvline, ax.hlines)
    colors: Any = table["color"].to_numpy() if "color" in table else np.full(len(table), OURS)
    clear = (low > 0) | (high < 0)
    zero(0, color="0.4", linewidth=0.8)
    # seaborn draws intervals that it computes, not those of a table.
    lines(places, low, high, colors=colors)
    x, y = (places, mean) if upright else (mean, places)
    ax.scatter(x, y, s=16, facecolor=np.where(clear, colors, "white"), edgecolor=colors, zorder=3)


def draw_means(ax: Axes, runs: pd.DataFrame, x: str, metric: Metric, looks: Looks, **line: Any) -> None:
    """Only the means over seeds against x, a line an alpha in its colour."""
    palette = {alpha: look["color"] for alpha, look in looks.items()}
    # Values without names, which lineplot would write on the axes.
    drawn = {"x": runs[x].to_numpy(), "y": metric.of(runs).to_numpy(), "hue": runs["alpha"].to_numpy()}
    if len(runs):
        sns.lineplot(**drawn, palette=palette, errorbar=None, legend=False, ax=ax, **line)
