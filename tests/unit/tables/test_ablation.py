"""What a criterion brings, beside lottery tickets, paired by seed."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from featprune.tables.ablation import ablation
from tests.unit.tables.made import made_summary

TICKETS = made_summary(alphas=(1.0,), lrs=(1.0,), rounds=(0, 1, 2, 3))


def other(criterion, gains):
    """Pruned runs that are more accurate than the tickets by this, a seed each."""
    runs = TICKETS[TICKETS["round"] > 0]
    return runs.assign(
        criterion=criterion, test_accuracy=runs["test_accuracy"] + runs["seed"].map(dict(enumerate(gains)))
    )


def test_differences_are_paired_with_tickets_of_the_same_round():
    gains = [0.01, 0.03, -0.01]
    table = ablation(pd.concat([TICKETS, other("fisher", gains), other("lamp", [0.0] * 3)]), [1, 3])
    assert table[["criterion", "round"]].to_numpy().tolist() == [["fisher", 1], ["fisher", 3], ["lamp", 1], ["lamp", 3]]
    fisher, lamp = table.iloc[1], table.iloc[3]
    assert fisher["difference"] == pytest.approx(0.01) and fisher["n_seeds"] == 3
    test = stats.ttest_1samp(gains, 0)
    assert fisher["p_value"] == pytest.approx(test.pvalue)
    assert fisher[["ci_low", "ci_high"]].tolist() == pytest.approx(list(test.confidence_interval(0.95)))
    # All seeds tie: there is nothing to learn of their spread.
    assert lamp["difference"] == pytest.approx(0) and np.isnan(lamp["ci_low"]) and np.isnan(lamp["p_value"])


def test_a_diverged_run_is_in_no_pair():
    lost = other("fisher", [0.1, 0.2, 0.3])
    lost["test_accuracy"] = lost["test_accuracy"].mask(lost["seed"] == 2)
    table = ablation(pd.concat([TICKETS, lost]), [2])
    assert table["n_seeds"].tolist() == [2] and table["difference"].tolist() == pytest.approx([0.15])
