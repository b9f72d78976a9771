"""Means over seeds with their confidence bands, on the scale of the axis they are drawn on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from scipy.stats import t

from featprune.errors import FeatpruneError
from featprune.figures.style import log_axis

CONFIDENCE = 0.95
MIN_SEEDS = 3  # of a band: the interval from two is 13 times as wide as they are apart


@dataclass(frozen=True)
class Metric:
    """A column to draw, times `scale`: the label of its axis, and whether that is logarithmic."""

    column: str
    label: str
    scale: float = 1.0
    log: bool = False

    def of(self, runs: pd.DataFrame) -> pd.Series:
        """The values, NaN where a run diverged."""
        values = self.scale * runs[self.column].astype(float)
        sound = np.isfinite(values) & ~runs.get("diverged", pd.Series(False, runs.index)).astype(bool)
        return values.where(sound)

    def require(self, runs: pd.DataFrame, name: str) -> None:
        """Raise FeatpruneError if the table called `name` holds not one value."""
        if not self.of(runs).notna().any():
            why = "has no rows to draw" if runs.empty else f"has no finite {self.column}: every run diverged"
            raise FeatpruneError(f"table {name!r} {why}")

    def style_axis(self, ax: Axes, label: bool = True) -> None:
        """Set the scale of y (once the data is there), and its label."""
        if self.log:
            log_axis(ax)
        if label:
            ax.set_ylabel(self.label)

    def note_diverged(self, runs: pd.DataFrame) -> str:
        """A line for the end of a title: how many runs diverged, and so are in no mean."""
        count = int(self.of(runs).isna().sum())
        return f"\n({count} run{'s' * (count > 1)} diverged)" if count else ""


ACCURACY = Metric("test_accuracy", "test accuracy (%)", scale=100.0)
ERROR = Metric("test_loss", "test error (squared)", log=True)
LOSS = Metric("loss", "test loss", log=True)


def choose_metric(runs: pd.DataFrame) -> Metric:
    """Accuracy for classification; for regression, where it is null throughout, the squared error."""
    return ACCURACY if runs["test_accuracy"].notna().any() else ERROR


def over_seeds(runs: pd.DataFrame, by: Sequence[str], metric: Metric) -> pd.DataFrame:
    """Mean over seeds and its 95 % Student-t interval, one row a value of `by`.

    On a logarithmic axis both are those of the logarithm (a geometric mean), so a band never reaches zero.
    Diverged seeds are left out; with fewer than MIN_SEEDS `low` and `high` are NaN.

    Returns a frame with the columns `by`, density (if the runs have it), mean, low, high, n_seeds.
    """
    values = metric.of(runs)
    if metric.log:
        values = np.log(values.clip(lower=np.finfo(np.float32).tiny))
    keys = [runs[key] for key in by]
    groups = values.groupby(keys, observed=True)
    mean, count = groups.mean(), groups.count()
    half = t.ppf((1 + CONFIDENCE) / 2, count - 1) * groups.sem().where(count >= MIN_SEEDS)
    table = pd.DataFrame({"mean": mean, "low": mean - half, "high": mean + half})
    table = (np.exp(table) if metric.log else table).assign(n_seeds=count)
    if "density" in runs and "density" not in by:
        table.insert(0, "density", runs["density"].groupby(keys, observed=True).first())
    return table.reset_index()


def draw_band(ax: Axes, x: pd.Series, means: pd.DataFrame, color, **line) -> None:
    """Draw the means against x with their band; a single point gets an error bar instead."""
    ax.plot(x, means["mean"], color=color, **line)
    if len(means) > 1:
        ax.fill_between(x, means["low"], means["high"], color=color, alpha=0.2, linewidth=0)
    else:
        ax.vlines(x, means["low"], means["high"], color=color)
