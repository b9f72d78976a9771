import numpy as np
import pandas as pd

from featprune.findings.publication import Publication
from featprune.findings.widths import decided, grokking, ticket_width, width_consistency
from featprune.theory import grokking as grok
from featprune.theory.registry import RESULTS


def told(tell, **options):
    """What a function tells of a small measurement."""
    return list(tell(Publication("", RESULTS[tell.__name__].measure(options), (), {}, {})))


def test_sides_are_told_by_intervals():
    gaps = {0.4: [1.0, 1.1, 0.9], 0.1: [-2.0, -2.1, -2.2], 0.02: [-1.0, 1.0, 0.1]}
    rows = [{"density": density, "value": value} for density, values in gaps.items() for value in values]
    assert decided(pd.DataFrame(rows)) == "+ at 40 %, - at 10 %, undecided at 2.0 %"


def test_a_ticket_is_told_beside_each_dense_network():
    lines = told(ticket_width, seeds=2, width=8, rate=0.5, rounds=2, alpha=0.2, lr=1.0, batch=20, steps=4)
    assert lines[0].startswith("Of 2 densities a ticket is at the last step more like its parent in test loss at ")
    assert len(lines) == 6 and "by weights remaining: " in lines[-1]


def test_widths_are_told_over_what_draws_alone_give():
    options = {"seeds": 3, "widths": [4, 8, 16], "widest": 32, "alpha": 0.2, "lr": 0.5, "batch": 20, "steps": 4}
    lines = told(width_consistency, **options)
    assert (
        sum(line.startswith("NTK, ") for line in lines) == 3 and "width 16" in lines[0] and "width 32" not in lines[0]
    )


def test_runs_that_never_generalize_are_counted():
    time = np.concatenate([[0], np.logspace(-1, 3, 200)])
    rows = []
    for alpha in (1.0, 2, 4, np.inf):
        for seed in range(3):
            test = np.ones_like(time) if np.isinf(alpha) else 1 / (1 + time / alpha)
            curves = {"train_loss": 1 / (1 + time), "test_loss": test, "kernel_movement": (time / min(alpha, 9)) ** 2}
            rows += [
                pd.DataFrame({"seed": seed, "alpha": alpha, "time": time, "measure": name, "value": value})
                for name, value in curves.items()
            ]
    table = pd.concat(rows)
    lines = list(grokking(Publication("", {"grokking": table, "grokking_laws": grok.laws(table)}, (), {}, {})))
    assert "alpha 4 4.0" in lines[0] and "alpha 1 1.00" in lines[1] and "linearized model 1" not in lines[1]
    assert "3 of 3 of the linearized model" in lines[2]
