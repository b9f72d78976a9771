"""Selections of rows."""

import pandas as pd

from featprune.runs.paths import DENSE, LONGER, TICKET
from featprune.tables.frames import nearest_one, of_kind


def test_runs_of_a_kind_have_its_criterion_and_its_rewind():
    pairs = [DENSE, LONGER, TICKET, ("magnitude", "none"), ("snip", "init"), TICKET]
    runs = pd.DataFrame(pairs, columns=["criterion", "rewind"], index=range(3, 9))
    assert of_kind(runs, TICKET).index.tolist() == [5, 8]
    assert of_kind(runs, DENSE, TICKET).index.tolist() == [3, 5, 8]
    nothing = of_kind(runs.head(0), DENSE)
    assert len(nothing) == 0 and list(nothing.columns) == ["criterion", "rewind"]


def test_nearest_1_is_meant_in_logarithm():
    table = pd.DataFrame({"alpha": [0.3, 2.5, 0.3, 30.0], "row": range(4)})
    assert nearest_one(table, "alpha")["row"].tolist() == [1]
    assert nearest_one(table.replace(2.5, 4.0), "alpha")["row"].tolist() == [0, 2]
