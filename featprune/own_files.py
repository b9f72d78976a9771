"""What a config says of files of one's own, checked before the first job: that they are there, and what they hold.

The sums of their contents become part of the config, and so of what each job depends on: a dataset is made anew when a
file holds something else, and not when it has only been touched.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from featprune.config import ConfigError
from featprune.data import DATASETS
from featprune.datasets.files import NAMES
from featprune.datasets.formats import KNOWN, SOURCE, format_of
from featprune.storage import sha256

LABELS = {"file": "label_file", "test_file": "test_label_file"}  # what names samples -> what names their labels
SHARES = {key: DATASETS[SOURCE].options[key] for key in ("validation", "test")}


def declare_files(config: Mapping[str, Any]) -> dict[str, Any]:
    """A resolved config with the SHA-256 of every file that a dataset of an experiment names, under its `sums`.

    Raises ConfigError, a line a problem, for files that aren't there, aren't what their sums say, or don't go together.
    """
    datasets, problems = dict(config["datasets"]), []
    for name, options in own_datasets(config).items():
        found = [f"config: datasets.{name}.options.{key}: {text}" for key, text in mistakes(options)]
        if not found:
            sums = {file: sha256(file) for file in files_of(options)}
            datasets[name] = {**datasets[name], "options": {**options, "sums": sums}}
        problems += found
    if problems:
        raise ConfigError(problems)
    return {**config, "datasets": datasets}


def declared_sums(config: Mapping[str, Any]) -> dict[str, dict[str, str]]:
    """Dataset -> file of one's own -> SHA-256, as `declare_files` has filled them in."""
    return {name: options["sums"] for name, options in own_datasets(config).items()}


def own_datasets(config: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """The datasets of one's own files that an experiment uses -> their options."""
    used = {experiment["dataset"] for experiment in config["experiments"].values()}
    entries = {name: entry for name, entry in config["datasets"].items() if name in used}
    return {name: entry["options"] for name, entry in entries.items() if entry["source"] == SOURCE}


def files_of(options: Mapping[str, Any]) -> list[str]:
    """The files of one's own that a dataset's options name."""
    return [options[name] for name in NAMES if options.get(name)]


def mistakes(options: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """The options that are wrong although each has the type that it should have, and why."""
    test, sums = options.get("test_file"), options.get("sums", {})
    for option in NAMES:
        file = options.get(option, "")
        if file and (why := unopened(file)):
            yield option, why
        elif file in sums and sums[file] != sha256(file):
            yield "sums", f"{file} has the SHA-256 {sha256(file)}; take the file that was meant, or leave its sum out"
    for option, labels in LABELS.items():
        file, kind = options.get(option), format_of(options.get(option, ""))
        if file and kind is None:
            yield option, f"{file} is of no format that is known by its name ({KNOWN})"
        elif kind == "idx" and format_of(options.get(labels, "")) != "idx":
            yield labels, f"must name the idx file with the labels of {file}"
        elif kind != "idx" and options.get(labels):
            yield labels, "is for idx files only; leave it out, and name a column or array in `label`"
    for file in sums.keys() - set(files_of(options)):
        yield "sums", f"{file} is named by no option; take it out"
    if test and "test" in options:
        yield "test", "is a share of `file`, but `test_file` is there; leave one of the two out"
    elif not test and sum(options.get(key, share) for key, share in SHARES.items()) >= 1:
        yield "test", "leaves nothing to train on; `validation` and `test` must be less than 1 together"


def unopened(file: str) -> str:
    """Why a file can't be read, and the way out; empty where it can."""
    try:
        with Path(file).expanduser().open("rb"):
            return ""
    except FileNotFoundError:
        return f"there is no file {file} in {Path.cwd()}; put it there, or name it by its whole path"
    except (OSError, ValueError, RuntimeError) as error:
        return f"{file} can't be read ({getattr(error, 'strerror', None) or error}); name a file that can"
