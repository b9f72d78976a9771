"""The registry of datasets: how each is prepared, and with what options.

To add a dataset, write a function `prepare(data_dir, **options)` that returns a `featprune.datasets.dataset.Dataset`,
as in `featprune/datasets/teacher.py`, enter it below, and name it under `dataset` in the config. Training and
validation samples are in random order, so that a prefix is a random subset; the test split keeps the order of its
source, so that a sample's index in it is a lasting name.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from featprune.datasets.dataset import Dataset
from featprune.datasets.files import prepare_files
from featprune.datasets.images import prepare_digits, prepare_images
from featprune.datasets.teacher import prepare_teacher
from featprune.errors import FeatpruneError, lookup, nearest


@dataclass(frozen=True)
class Source:
    """How a dataset is made: `prepare(data_dir, **options)`, and the options with their defaults.

    `kind`, of its labels, is "classification" or "regression".
    """

    prepare: Callable[..., Dataset]
    kind: str
    options: Mapping[str, Any] = field(default_factory=dict)


SCALING = {"scaling": "standardized"}  # of images, or "unit_norm"

DATASETS: dict[str, Source] = {
    "mnist": Source(partial(prepare_images, "mnist"), "classification", SCALING),
    "fashion_mnist": Source(partial(prepare_images, "fashion_mnist"), "classification", SCALING),
    "kmnist": Source(partial(prepare_images, "kmnist"), "classification", SCALING),
    "digits": Source(prepare_digits, "classification", SCALING),
    "teacher": Source(
        prepare_teacher,
        "regression",
        {
            "inputs": 30,
            "units": 3,
            "activation": "relu",
            "train": 2000,
            "validation": 1000,
            "test": 2000,
            "teachers": 64,
            "seed": 0,
        },
    ),
    "files": Source(
        prepare_files,
        "classification",
        {
            "file": "",
            "label": "label",
            "drop": [],
            "label_file": "",
            "test_file": "",
            "test_label_file": "",
            "validation": 0.2,
            "test": 0.2,
            "scaling": "",
            "sums": {},
        },
    ),
}


def prepare_dataset(
    source_name: str, options: Mapping[str, Any] | None = None, data_dir: str | Path | None = None
) -> Dataset:
    """Make the dataset that `DATASETS` has under this name, with these options over its defaults.

    `data_dir` is where files that are needed may be found (see `featprune.datasets.sources`). Raises FeatpruneError
    for an unknown name or option, an option of the wrong type, or a dataset whose files can't be had.
    """
    source = lookup(DATASETS, source_name, "dataset")
    for option, value in (options or {}).items():
        where = f"option {option!r} of dataset {source_name!r}"
        if option not in source.options:
            known = nearest(option, source.options) if source.options else "it has no options"
            raise FeatpruneError(f"unknown {where}; {known}")
        expected = type(source.options[option])
        if type(value) is not expected:
            raise FeatpruneError(f"{where} is {value!r}, which is not of type {expected.__name__}")
    return source.prepare(data_dir, **{**source.options, **(options or {})})
