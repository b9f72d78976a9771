"""A dataset of one's own files: checked, split and scaled.

Test data are a file of their own, or are drawn; validation data are always drawn, from the file that is trained on.
Both draws are by class and always the same: see docs/method.md, "Data".
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from featprune.datasets.dataset import Dataset
from featprune.datasets.formats import Samples, listed, mistake, read_samples
from featprune.datasets.images import SCALINGS, Scale
from featprune.errors import lookup
from featprune.randomness import numpy_generator
from featprune.storage import sha256

COLUMNS = "standardized_columns"
NAMES = ("file", "label_file", "test_file", "test_label_file")  # the options that name files


def prepare_files(
    data_dir: str | Path | None = None,
    *,
    file: str,
    label: str,
    drop: Sequence[str],
    label_file: str,
    test_file: str,
    test_label_file: str,
    validation: float,
    test: float,
    scaling: str,
    sums: Mapping[str, str],
) -> Dataset:
    """The samples of files in any format of `featprune.datasets.formats`, as a classification.

    `validation` and, without a `test_file`, `test` are the shares of each class of `file` that are drawn for these
    splits. `scaling` is one of `SCALINGS`, or "standardized_columns"; with "" it is that where a sample is a row of
    numbers, and "standardized" where it is an image. `sums` are SHA-256 of files by name, where known. Labels are
    numbered in their sorted order. Raises FeatpruneError for anything that one wouldn't want to train on.
    """
    for option, name in zip(NAMES, (file, label_file, test_file, test_label_file), strict=True):
        if name in sums and sha256(name) != sums[name]:
            raise mistake(option, f"{name} is not what its SHA-256 in `sums` says; run again to take it as it is now")
    whole = read_samples(file, label, drop, label_file)
    check(whole, file)
    classes = classes_of(whole, file, splits=2 if test_file else 3)
    labels = numbered(whole.labels, classes)
    if test_file:
        other = read_samples(test_file, label, drop, test_label_file, "test_file")
        check(other, test_file, "test_file")
        other = aligned(other, whole, test_file)
        tested = other.inputs, numbered(known(other, classes, test_file), classes)
        train, validated, _ = split(labels, validation, 0)
    else:
        train, validated, drawn = split(labels, validation, test)
        tested = whole.inputs[drawn], labels[drawn]
    parts = {
        "train": (whole.inputs[train], labels[train]),
        "validation": (whole.inputs[validated], labels[validated]),
        "test": tested,
    }
    report(parts, classes)
    scale = scale_of(scaling, parts["train"][0])
    with np.errstate(all="ignore"):
        xs = {f"{name}_x": scale(x.reshape(len(x), -1)) for name, (x, _) in parts.items()}
    if not all(np.isfinite(x).all() for x in xs.values()):
        raise mistake("scaling", f"gives numbers that are not finite from {file}; choose another")
    return Dataset(**xs, **{f"{name}_y": y for name, (_, y) in parts.items()})


def check(samples: Samples, file: str, option: str = "file") -> None:
    """Raise FeatpruneError unless there are as many labels as samples, all of finite numbers."""
    inputs, labels = samples.inputs, samples.labels
    if inputs.dtype.kind not in "biuf":
        raise mistake(option, f"{file} has samples of type {inputs.dtype}; save them as numbers")
    if inputs.ndim < 2 or 0 in inputs.shape:
        raise mistake(option, f"{file} has samples of shape {inputs.shape}; save them as (samples, numbers, ...)")
    if labels.shape != inputs.shape[:1]:
        text = f"{file} has labels of shape {labels.shape} for samples of shape {inputs.shape}; give one label a sample"
        raise mistake(option, text)
    flat = inputs.reshape(len(inputs), -1)
    with np.errstate(over="ignore"):
        broken = ~np.isfinite(flat.astype(np.float32))
    if broken.any():
        row, column = (int(place[0]) for place in np.nonzero(broken))
        name = repr(samples.columns[column]) if samples.columns else 1 + column
        text = f"{broken.any(axis=1).sum()} samples of {file} have a number that is missing or not finite"
        raise mistake(option, f"{text}, the first in row {row + 1}, column {name}; fill it in, or take such rows out")
    if option == "file" and (flat == flat[0]).all():
        raise mistake(option, f"all samples of {file} are the same; name a file in which they differ")


def classes_of(samples: Samples, file: str, splits: int) -> list[Any]:
    """The sorted classes of a file that is to be split; each must have a sample for each split."""
    names = plain(samples.labels, file)
    counts = Counter(names)
    if len(counts) < 2:
        raise mistake("label", f"{file} has samples of {len(counts)} class; there must be at least 2")
    if rare := sorted(name for name, count in counts.items() if count < splits):
        text = f"{file} has fewer than {splits} samples of {len(rare)} of {len(counts)} classes, {listed(rare)}"
        raise mistake("label", f"{text}: too few to split; take them out, or name a column of classes")
    return sorted(counts)


def known(samples: Samples, classes: Sequence[Any], file: str) -> np.ndarray:
    """The labels of a test file, all of which must be among these classes."""
    names = plain(samples.labels, file)
    if strange := sorted(set(names) - set(classes), key=str):
        raise mistake("test_file", f"{file} has classes that can't be trained on, {listed(strange)}; take them out")
    return samples.labels


def plain(labels: np.ndarray, file: str) -> list[Any]:
    """Labels as numbers or words; raises FeatpruneError for those that aren't of classes."""
    whole = labels.dtype.kind == "f" and bool((np.isfinite(labels) & (labels == np.round(labels))).all())
    if labels.dtype.kind not in "biuUS" and not whole:
        raise mistake("label", f"{file} has labels that are no classes, but {labels.dtype}; use whole numbers or words")
    return (labels.astype(np.int64) if whole else labels).tolist()


def numbered(labels: np.ndarray, classes: Sequence[Any]) -> np.ndarray:
    """Labels as int64 places in the classes."""
    place = {name: index for index, name in enumerate(classes)}
    return np.array([place[name] for name in labels.tolist()], dtype=np.int64)


def aligned(samples: Samples, like: Samples, file: str) -> Samples:
    """The samples of a test file with their columns in the order of those that are trained on."""
    if set(samples.columns) != set(like.columns):
        other = sorted(set(samples.columns) ^ set(like.columns))
        raise mistake("test_file", f"{file} and the training file don't share {listed(other)}; give both the same")
    if samples.inputs.shape[1:] != like.inputs.shape[1:]:
        text = f"{file} has samples of shape {samples.inputs.shape[1:]}, the training file {like.inputs.shape[1:]}"
        raise mistake("test_file", f"{text}; give both the same")
    order = [samples.columns.index(column) for column in like.columns]
    return Samples(samples.inputs[:, order], samples.labels, like.columns) if order else samples


def split(labels: np.ndarray, validation: float, test: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Places of training, validation and test samples: shares of each class, at least one of it; of 0, none.

    Training and validation are in random order, test in that of the file.
    """
    order = numpy_generator(0, "split", "files").permutation(len(labels))
    part = np.zeros(len(labels), dtype=np.int64)  # 0 train, 1 validation, 2 test
    for number in np.unique(labels):
        members = order[labels[order] == number]
        tested, validated = (max(1, round(share * len(members))) if share else 0 for share in (test, validation))
        # Rounded up or not, each split that is drawn has one of the class, and so has training.
        tested = min(tested, len(members) - 2)
        validated = min(validated, len(members) - 1 - tested)
        part[members[:tested]], part[members[tested : tested + validated]] = 2, 1
    return order[part[order] == 0], order[part[order] == 1], np.flatnonzero(part == 2)


def scale_of(scaling: str, train: np.ndarray) -> Scale:
    """How samples (n, numbers) become float32 inputs, from those trained on (n, ...); see `prepare_files`."""
    scaling = scaling or (COLUMNS if train.ndim == 2 else "standardized")
    if scaling == COLUMNS:
        return standardized_columns(train.reshape(len(train), -1))
    scale = lookup(SCALINGS, scaling, "scaling")(train)
    return lambda samples: scale(samples.astype(np.float32))


def standardized_columns(train: np.ndarray) -> Scale:
    """Subtract each column's training mean, and divide by its standard deviation; a constant one becomes 0."""
    train = train.astype(np.float64)
    mean, deviation = train.mean(axis=0), train.std(axis=0)
    deviation[np.ptp(train, axis=0) == 0] = np.inf
    return lambda samples: ((samples - mean) / deviation).astype(np.float32)


def report(parts: Mapping[str, tuple[np.ndarray, np.ndarray]], classes: Sequence[Any]) -> None:
    """Print, for the job's log, what the splits hold, and which test samples are among the others."""
    for number, name in enumerate(classes):
        print(f"class {number} is {name!r}:", *(f"{part} {(y == number).sum()}" for part, (_, y) in parts.items()))
    seen = {sample.tobytes() for part in ("train", "validation") for sample in parts[part][0]}
    repeated = sum(sample.tobytes() in seen for sample in parts["test"][0])
    print(f"{repeated} of {len(parts['test'][0])} test samples are also among those for training or validation")
