"""Power laws: exponents fitted to what was measured, with their intervals, beside those that the theory says."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np
import pandas as pd
from scipy import stats

from featprune.errors import FeatpruneError

LEVEL = 0.95  # of the intervals
# quantity: what follows the law. law: the theory's exponent. exponent: fitted, and its interval over seeds.
COLUMNS = ["quantity", "law", "exponent", "low", "high", "seeds"]


def fit_law(quantity: str, law: float, table: pd.DataFrame, x: str, y: str) -> pd.DataFrame:
    """One row of COLUMNS: the exponent b of y = a x^b.

    Least squares of log y on log x for each seed, whose runs share their draws; then the mean over seeds, which are
    independent, and its Student-t interval. Raises FeatpruneError where there are fewer than two seeds, or values of
    x, or where a value isn't positive.
    """
    if not (table[[x, y]] > 0).all(axis=None):
        raise FeatpruneError(f"{quantity}: a power law needs positive values of {x} and {y}")
    several = [rows for _, rows in table.groupby("seed") if len(rows[x].unique()) > 1]
    slopes = [np.polyfit(np.log(rows[x]), np.log(rows[y]), 1)[0] for rows in several]
    if len(slopes) < 2:
        raise FeatpruneError(f"{quantity}: an interval needs two seeds or more, each with two values of {x} or more")
    mean, error = np.mean(slopes), stats.sem(slopes)
    low, high = stats.t.interval(LEVEL, len(slopes) - 1, mean, error) if error > 0 else (mean, mean)
    return pd.DataFrame([(quantity, law, mean, low, high, len(slopes))], columns=COLUMNS)


def gather(rows: Iterable[pd.DataFrame]) -> pd.DataFrame:
    """Rows below each other."""
    return pd.concat(list(rows), ignore_index=True)


def tell(laws: pd.DataFrame) -> Iterator[str]:
    """What was fitted, a sentence a row."""
    columns = (laws[name] for name in COLUMNS)
    for quantity, law, exponent, low, high, seeds in zip(*columns, strict=True):
        inside = "" if low <= law <= high else ", which lies outside"
        fitted = written(exponent, low, high)
        yield f"{quantity}: exponent {fitted} over {seeds} seeds; the law says {law:g}{inside}."


def written(exponent: float, low: float, high: float) -> str:
    """An exponent with its interval, with a digit more than tells the two ends apart, from 2 to 5."""
    width = high - low
    digits = min(5, max(2, -int(np.floor(np.log10(width))))) if width > 0 else 5
    return f"{exponent:.{digits}f} [{low:.{digits}f}, {high:.{digits}f}]"


def listing(laws: pd.DataFrame) -> str:
    """The same as a page."""
    head = "Exponents of the additional experiments"
    return "\n".join([head, "=" * len(head), "", *(f"- {told}" for told in tell(laws)), ""])
