"""What is chosen on validation is the best there, and nothing else counts."""

import numpy as np

from featprune.tables.tuning import tune
from tests.unit.tables.made import made_summary


def test_tuning_takes_the_best_validation_mean_and_never_sees_the_test_split():
    summary = made_summary()
    tuned = tune(summary, ["lr"])
    for (alpha, round), group in summary.groupby(["alpha", "round"]):
        best = group.groupby("lr")["validation_accuracy"].mean().idxmax()
        chosen = tuned[(tuned["alpha"] == alpha) & (tuned["round"] == round)]
        assert set(chosen["lr"]) == {best} and len(chosen) == 3
    shuffled = summary.assign(test_accuracy=-summary["test_accuracy"], test_loss=0.0)
    assert tune(shuffled, ["lr"])["lr"].tolist() == tuned["lr"].tolist()


def test_a_value_at_which_a_seed_diverged_loses():
    summary = made_summary(alphas=(1.0,), rounds=(1,))
    summary.loc[summary["lr"] == 3.0, "validation_accuracy"] = [1.0, 1.0, np.nan]
    assert set(tune(summary, ["lr"])["lr"]) == {1.0}


def test_regression_is_tuned_on_the_smallest_validation_loss():
    summary = made_summary(alphas=(1.0,), rounds=(1,)).assign(validation_accuracy=np.nan)
    best = summary.groupby("lr")["validation_loss"].mean().idxmin()
    assert set(tune(summary, ["lr"])["lr"]) == {best}


def test_ties_go_to_the_smaller_value():
    summary = made_summary(alphas=(1.0,), rounds=(1,)).assign(validation_accuracy=0.5)
    assert set(tune(summary, ["lr"])["lr"]) == {1.0}
