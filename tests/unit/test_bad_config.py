"""Whatever a config says: a study whose files all lie in its results, or lines that each name a key."""

import os
import re
from copy import deepcopy
from datetime import date
from functools import reduce
from itertools import chain, islice
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import example, given
from hypothesis import strategies as st

from featprune.activations import ACTIVATIONS
from featprune.bounds import bounded
from featprune.config import resolve
from featprune.criteria import CRITERIA
from featprune.data import DATASETS
from featprune.engine.objective import LOSSES
from featprune.errors import FeatpruneError
from featprune.figures import FIGURES
from featprune.network import INITIALIZATIONS, PARAMETRIZATIONS
from featprune.own_files import declare_files
from featprune.rewind import REWINDS
from featprune.runs.paths import DENSE, RunPath
from featprune.study import Study
from featprune.tables.registry import TABLES
from tests.unit.configs import SCHEMA

ROOT = Path(__file__).parents[2]
PRESETS = {name: ["config.yaml", f"presets/{name}.yaml"] for name in ("smoke", "own", "study", "lth", "headline")}
CHOICES = {
    "activation": ACTIVATIONS,
    "criterion": [name for name in CRITERIA if name != DENSE.criterion],
    "dataset": DATASETS,
    "classification_dataset": [name for name, source in DATASETS.items() if source.kind == "classification"],
    "init": INITIALIZATIONS,
    "loss": LOSSES,
    "figure": FIGURES,
    "optimizer": ["sgd", "adam"],
    "parametrization": PARAMETRIZATIONS,
    "rewind": REWINDS,
}
EVIL = ["../../x", "/etc/passwd", "$(touch pwned)", "`id`", "a b", "é\u202e", "x\n", "a\0b", "", ".", "..", "~", "{w}"]
EVIL += ["a=b", "a/b", "-1", "1e400", "x" * 300, "nan", "'; ls", "1." + "0" * 60, "%s", "*", "toy", "init", "\ud800"]
NUMBERS = [0, 1, -1, 3, 10**9, 10**30, 0.5, -0.5, 1e308, 1e-320, float("nan"), float("inf"), True, False]
VALUES = [
    *EVIL,
    *NUMBERS,
    None,
    [],
    {},
    [[]],
    [None],
    {"a": {}},
    [1, 1],
    ["1", 1.0],
    date(2020, 1, 1),
    {None: 1},
    {1: 2},
]
HOW = ("replace", "delete", "rename", "wrap", "add", "swap")


def merged(base: Any, over: Any) -> Any:
    """As Snakemake merges configs."""
    if not (isinstance(base, dict) and isinstance(over, dict)):
        return over
    return {**base, **{key: merged(base[key], value) if key in base else value for key, value in over.items()}}


LOADED = {
    name: reduce(merged, [yaml.safe_load((ROOT / file).read_text(encoding="utf-8")) for file in files])
    for name, files in PRESETS.items()
}


def places(config: Any, keys: tuple = ()) -> list[tuple]:
    """The keys of everything in a config."""
    inner = config.items() if isinstance(config, dict) else enumerate(config) if isinstance(config, list) else ()
    return [keys, *chain.from_iterable(places(value, (*keys, key)) for key, value in inner)]


def changed(config: dict, how: str, share: int, value: Any, share_of_other: int) -> dict:
    """A copy with one change, at a share (in thousandths) of all its places."""
    config, known = deepcopy(config), places(config)[1:]
    if not known:
        return config
    *outer, key = known[len(known) * share // 1000]
    holder = reduce(lambda inner, step: inner[step], outer, config)
    if how == "delete":
        del holder[key]
    elif how == "rename" and isinstance(holder, dict):
        holder[value if isinstance(value, (str, int, type(None))) else str(value)] = holder.pop(key)
    elif how == "wrap":
        holder[key] = [holder[key]] if share_of_other % 2 else {"a": holder[key]}
    elif how == "add" and isinstance(holder, list):
        holder.append(value)
    elif how == "swap":
        holder[key] = deepcopy(
            reduce(lambda inner, step: inner[step], known[len(known) * share_of_other // 1000], config)
        )
    else:
        holder[key] = deepcopy(value)
    return config


changes = st.tuples(
    st.sampled_from(HOW),
    st.integers(0, 999),
    st.sampled_from(VALUES) | st.text(max_size=5) | st.integers(),
    st.integers(0, 999),
)


@pytest.fixture(autouse=True, scope="module")
def at_the_root():
    """Files of frozen rates are named from there."""
    before = Path.cwd()
    os.chdir(ROOT)
    yield
    os.chdir(before)


def study_of(config: dict) -> Study:
    return Study(declare_files(bounded(resolve(config, SCHEMA, CHOICES))))


def files_of(study: Study) -> list[str]:
    """Some of all kinds of a study's files."""
    found = list(study.figure_files)
    for name in study.experiments:
        runs: list[RunPath] = list(islice(study.runs(name), 50))
        found += [run.file(study.root, "mask.safetensors") for run in runs]
        found += [study.dataset_file(name), *(study.table_file(name, f"{table}.parquet") for table in TABLES)]
        for table in ("summary", "headline"):
            inputs = study.table_inputs(name, table).values()
            found += islice(chain.from_iterable([i] if isinstance(i, str) else i for i in inputs), 50)
    return found


def check(config: dict) -> None:
    try:
        study = study_of(config)
        files = files_of(study)
    except FeatpruneError as error:
        for line in str(error).split("\n"):
            # A file of rates or of samples has a line of its own.
            assert re.match(r"config: \S|\S.*: ", line) and line.isprintable(), repr(line)
        return
    for file in files:
        assert file.startswith(f"{study.root}/") and file.isprintable(), file
        inner = file.removeprefix(f"{study.root}/")
        assert re.fullmatch(r"[A-Za-z0-9_=.+/-]+", inner) and ".." not in inner, file
        assert max(map(len, file.split("/"))) < 256


@given(name=st.sampled_from(sorted(PRESETS)), changes=st.lists(changes, min_size=1, max_size=3))
@example(name="smoke", changes=[("rename", 999, "toy\n", 0)])
def test_a_changed_config_is_a_study_or_lines_that_name_keys(name, changes):
    check(reduce(lambda config, change: changed(config, *change), changes, LOADED[name]))


@pytest.mark.parametrize("value", EVIL, ids=ascii)
@pytest.mark.parametrize("key", ["results", "findings", "data_dir", "run", "name", "dataset", "alpha", "rates", "file"])
def test_a_strange_word_reaches_no_other_folder(key, value):
    config = deepcopy(LOADED["smoke"])
    small = config["experiments"]["small_teacher"]
    if key in ("results", "findings", "data_dir"):
        config[key] = value
    elif key == "run":
        config["run"].append(value)
    elif key == "name":
        config["experiments"][value] = {"inherit": "small_teacher"}
        config["run"].append(value)
    elif key == "dataset":
        config["datasets"][value] = {"source": "teacher"}
        small["dataset"] = value
    elif key == "file":
        config["datasets"]["own"] = {"source": "files", "options": {"file": value}}
        config["experiments"]["digits"]["dataset"] = "own"
    else:
        small[{"alpha": "alphas"}.get(key, key)] = [value] if key == "alpha" else value
    check(config)
