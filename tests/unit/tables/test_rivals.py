"""Ours against every baseline."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from featprune.runs.paths import Kind
from featprune.tables.rivals import against
from tests.unit.tables.made import made_summary

TICKETS = made_summary(alphas=(1.0,), lrs=(1.0,), rounds=(0, 1, 2, 3))
RUNS = TICKETS[TICKETS["round"] > 0]
OURS = Kind("fisher", "init")


def better(by, **columns):
    """These tickets' runs with another accuracy, a number a seed, and other columns."""
    accuracy = RUNS["test_accuracy"] + RUNS["seed"].map(dict(enumerate(by)))
    return RUNS.assign(test_accuracy=accuracy, **columns)


def test_the_hardest_rival_decides_and_holm_is_over_rounds():
    ours = better([0.05, 0.06, 0.04], criterion="fisher", experiment="ours")
    easy = better([0.0, 0.001, 0.0], experiment="easy")
    hard = better([0.03, 0.03, 0.031], experiment="hard")
    table = against(ours, pd.concat([easy, hard]), OURS, [1, 3])
    assert table[["rival", "round"]].to_numpy().tolist() == [["easy", 1], ["easy", 3], ["hard", 1], ["hard", 3]]
    assert table["hardest"].tolist() == [False, False, True, True]
    gains = np.array([0.02, 0.03, 0.009])
    np.testing.assert_allclose(table["difference"][2:], gains.mean())
    p = stats.ttest_1samp(gains, 0).pvalue
    assert table["p_value"][2] == pytest.approx(p)
    # Two rounds of the same p: Holm doubles both.
    np.testing.assert_allclose(table["p_adjusted"], [np.nan, np.nan, 2 * p, 2 * p])


def test_only_tickets_are_rivals_and_only_our_kind_is_ours():
    ours = pd.concat([better([0.01] * 3, criterion="fisher"), RUNS])
    others = pd.concat([RUNS.assign(experiment="a"), better([9.0] * 3, experiment="a", rewind="none")])
    table = against(ours, others, OURS, [2])
    assert table["difference"].tolist() == pytest.approx([0.01]) and table["n_seeds"].tolist() == [3]
    # All seeds tie: no p, and nothing to correct.
    assert table["p_adjusted"].isna().all()
