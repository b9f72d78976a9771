"""What the explorer is made of: the experiments that prune, and the preactivations that are kept of them."""

import pytest
import yaml

from featprune.config import resolve
from featprune.errors import FeatpruneError
from featprune.explorer.sources import sources
from featprune.runs.paths import RunPath
from featprune.study import Study
from tests.unit.test_study import CHOICES, CONFIG, SCHEMA


def study(**changes) -> Study:
    return Study(resolve(yaml.safe_load(CONFIG) | changes, SCHEMA, CHOICES))


def test_tables_are_of_what_prunes_and_preactivations_of_the_first_block():
    found = sources(study())
    assert set(found) == {"a", "b"}, "c trains a's tickets, and is shown there"
    assert found["a"]["claims"] == "out/tables/a/claims.parquet" and found["a"]["data"] == "out/data/digits.safetensors"
    runs = [RunPath.parse(file) for file in found["a"]["preactivations"]]
    assert {run.block for run in runs} == {"0-1"} and {run.round for run in runs} == {0, 3}
    assert {run.cell.lr for run in runs} == {"1"}


def test_without_pruned_networks_there_is_nothing_to_explore():
    some = study()
    some.__dict__["experiments"] = {"c": some.experiments["c"]}
    with pytest.raises(FeatpruneError, match="run"):
        sources(some)
