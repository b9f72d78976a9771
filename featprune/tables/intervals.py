"""Confidence intervals over seeds."""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy.stats import t

CONFIDENCE = 0.95
MIN_SEEDS = 3  # the interval from two is 13 times as wide as they are apart


def student_t(values: pd.Series) -> tuple[float, float]:
    """The 95 % Student-t interval of the mean; NaN of fewer than MIN_SEEDS values."""
    half = t.ppf((1 + CONFIDENCE) / 2, len(values) - 1) * values.sem() if len(values) >= MIN_SEEDS else np.nan
    return values.mean() - half, values.mean() + half
