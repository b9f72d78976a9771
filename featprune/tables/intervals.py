"""Confidence intervals over seeds."""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy import stats

from featprune.tables.frames import TIE

CONFIDENCE = 0.95
MIN_SEEDS = 3  # the interval from two is 13 times as wide as they are apart


def student_t(values: pd.Series) -> tuple[float, float]:
    """The 95 % Student-t interval of the mean; NaN of fewer than MIN_SEEDS values."""
    half = stats.t.ppf((1 + CONFIDENCE) / 2, len(values) - 1) * values.sem() if len(values) >= MIN_SEEDS else np.nan
    return values.mean() - half, values.mean() + half


def paired_difference(gains: pd.Series) -> dict[str, float]:
    """The mean of differences paired by seed, its 95 % Student-t interval, and p of the paired t test (two-sided).

    NaN but for the mean where there are fewer than two seeds, or all tie.
    """
    row = {"n_seeds": len(gains), "difference": gains.mean(), "ci_low": np.nan, "ci_high": np.nan, "p_value": np.nan}
    if len(gains) > 1 and gains.std() > TIE:
        test = stats.ttest_1samp(gains, 0)
        row["p_value"] = test.pvalue
        row["ci_low"], row["ci_high"] = test.confidence_interval(CONFIDENCE)
    return row
