"""What a config says of files of one's own: their sums are filled in, and mistakes are found before any job."""

from pathlib import Path

import pytest

from featprune.config import ConfigError, resolve
from featprune.data import DATASETS
from featprune.own_files import declare_files, declared_sums
from featprune.storage import sha256
from tests.unit.configs import KINDS, SCHEMA, written

CHOICES = {**KINDS, "dataset": [*KINDS["dataset"], "files"], "classification_dataset": ["mnist", "files"]}
OPTIONS = SCHEMA["properties"]["datasets"]["additionalProperties"]["then"]["properties"]["options"]["properties"]
USED = "experiments: {mnist: {dataset: own}}"
# The SHA-256 of "abc", from FIPS 180-2, appendix B.1.
ABC = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch) -> Path:
    """The folder that files are named from, with some."""
    monkeypatch.chdir(tmp_path)
    for name in ("own.csv", "test.csv", "own.txt", "a-images-idx3-ubyte", "a-labels-idx1-ubyte.gz"):
        Path(name).write_text("abc")
    return tmp_path


def declared(options: str, used: str = USED) -> dict:
    config = written(f"datasets: {{own: {{source: files, options: {{{options}}}}}}}\n{used}")
    return declare_files(resolve(config, SCHEMA, CHOICES))


def test_the_schema_describes_the_options_that_there_are():
    defaults = {name: entry.get("default", "") for name, entry in OPTIONS.items()}
    assert defaults == dict(DATASETS["files"].options)
    assert all(entry["description"] for entry in OPTIONS.values())


def test_sums_become_part_of_the_options(folder):
    config = declared("file: own.csv, test_file: test.csv")
    sums = {"own.csv": ABC, "test.csv": ABC}
    assert config["datasets"]["own"] == {
        "source": "files",
        "options": {"file": "own.csv", "test_file": "test.csv", "sums": sums},
    }
    assert declared_sums(config) == {"own": sums}
    (folder / "own.csv").write_text("abcd")
    assert declared_sums(declared("file: own.csv"))["own"] == {"own.csv": sha256("own.csv")} != {"own.csv": ABC}
    # A resolved config can be run again.
    assert declare_files(config | {"datasets": declared(f"file: test.csv, sums: {{test.csv: {ABC}}}")["datasets"]})


def test_what_no_experiment_uses_need_not_be_there():
    config = declared(f"file: none.csv, sums: {{none.csv: {ABC}}}", used="")
    assert config["datasets"]["own"]["options"] == {"file": "none.csv", "sums": {"none.csv": ABC}}
    assert declared_sums(config) == {}


def test_a_pair_of_idx_files_is_declared(folder):
    config = declared(f"file: {folder}/a-images-idx3-ubyte, label_file: a-labels-idx1-ubyte.gz")
    assert set(declared_sums(config)["own"]) == {f"{folder}/a-images-idx3-ubyte", "a-labels-idx1-ubyte.gz"}


IMAGES = "a-images-idx3-ubyte"
MISTAKES = {
    "no options": (None, "options: missing"),
    "no file": ("label: a", "options.file: missing"),
    "unknown option": ("file: own.csv, lable: a", "options.lable: unknown key; did you mean 'label'?"),
    "wrong type": ("file: own.csv, drop: a", "options.drop: expected a list, got 'a'"),
    "share of 1": ("file: own.csv, validation: 1", "options.validation: 1 is out of range (must be > 0 and < 1)"),
    "unknown scaling": ("file: own.csv, scaling: unit", "options.scaling: unknown value 'unit'; did you mean 'unit_no"),
    "file not there": ("file: data/own.csv", "options.file: there is no file data/own.csv in "),
    "test file not there": ("file: own.csv, test_file: no.csv", "options.test_file: there is no file no.csv in "),
    "unknown format": ("file: own.txt", "options.file: own.txt is of no format that is known by its name (.csv, "),
    "idx without labels": (
        f"file: {IMAGES}",
        f"options.label_file: must name the idx file with the labels of {IMAGES}",
    ),
    "idx with a table": (f"file: {IMAGES}, label_file: own.csv", "options.label_file: must name the idx file with"),
    "labels of a table": ("file: own.csv, label_file: test.csv", "options.label_file: is for idx files only; leave it"),
    "labels of no test file": ("file: own.csv, test_label_file: test.csv", "options.test_label_file: is for idx files"),
    "two test splits": ("file: own.csv, test_file: test.csv, test: 0.1", "options.test: is a share of `file`, but"),
    "nothing to train on": ("file: own.csv, validation: 0.8", "options.test: leaves nothing to train on"),
    "another content": ("file: own.csv, sums: {own.csv: abc}", f"options.sums: own.csv has the SHA-256 {ABC}; take"),
    "a sum of nothing": ("file: own.csv, sums: {test.csv: abc}", "options.sums: test.csv is named by no option"),
}


@pytest.mark.parametrize("name", MISTAKES)
def test_a_mistake_is_one_line(name):
    options, line = MISTAKES[name]
    with pytest.raises(ConfigError) as caught:
        if options is None:
            resolve(written(f"datasets: {{own: {{source: files}}}}\n{USED}"), SCHEMA, CHOICES)
        else:
            declared(options)
    (found,) = caught.value.lines
    assert found.startswith(f"config: datasets.own.{line}")


def test_files_have_the_classes_that_a_loss_needs():
    config = declared("file: own.csv", used="experiments: {mnist: {dataset: own, training: {loss: cross_entropy}}}")
    assert config["experiments"]["mnist"]["training"]["loss"] == "cross_entropy"
