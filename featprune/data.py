"""The registry of datasets, and how each is prepared: standardized and split.

Training and validation samples are in random order, so a prefix is a random subset; the test split keeps the
order of its source, so a sample's index in it is a lasting name.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from featprune.datasets.dataset import Dataset
from featprune.datasets.sources import load_idx
from featprune.errors import FeatpruneError, lookup, nearest
from featprune.randomness import numpy_generator

IMAGE_VALIDATION = 5_000
DIGITS_VALIDATION, DIGITS_TEST = 200, 300

ACTIVATIONS: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "relu": lambda z: np.maximum(z, 0),
    "tanh": np.tanh,
    "linear": lambda z: z,
}


@dataclass(frozen=True)
class Source:
    """How a dataset is made: `prepare(data_dir, **options)`, and the options with their defaults.

    `kind`, of its labels, is "classification" or "regression".
    """

    prepare: Callable[..., Dataset]
    kind: str
    options: Mapping[str, Any] = field(default_factory=dict)


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


def prepare_images(name: str, data_dir: str | Path | None) -> Dataset:
    """An idx set with pixels as inputs; 5,000 of its training images, drawn at random, are for validation."""
    files = load_idx(name, data_dir)
    order = numpy_generator(0, "split", name).permutation(len(files["train_images"]))
    validation, train = order[:IMAGE_VALIDATION], order[IMAGE_VALIDATION:]
    return standardized(
        train=(files["train_images"][train], files["train_labels"][train]),
        validation=(files["train_images"][validation], files["train_labels"][validation]),
        test=(files["test_images"], files["test_labels"]),
    )


def prepare_digits(data_dir: str | Path | None = None) -> Dataset:
    """scikit-learn's 1,797 embedded 8 x 8 digits, split 1,297 / 200 / 300; needs no files."""
    from sklearn.datasets import load_digits

    pixels, labels = load_digits(return_X_y=True)
    order = numpy_generator(0, "split", "digits").permutation(len(pixels))
    test, validation, train = np.split(order, [DIGITS_TEST, DIGITS_TEST + DIGITS_VALIDATION])
    parts = {"train": train, "validation": validation, "test": np.sort(test)}
    return standardized(**{split: (pixels[index], labels[index]) for split, index in parts.items()})


def standardized(
    train: tuple[np.ndarray, np.ndarray],
    validation: tuple[np.ndarray, np.ndarray],
    test: tuple[np.ndarray, np.ndarray],
) -> Dataset:
    """The dataset of three (images (n, ...), labels (n,)), with pixels in units of the training split.

    The training pixels' scalar mean is subtracted, and the result divided by their scalar standard deviation.
    """
    # Through the counts of the few values a pixel has: exact, and without a float64 copy of all pixels.
    values, counts = np.unique(train[0], return_counts=True)
    mean = np.average(values, weights=counts)
    deviation = np.sqrt(np.average((values - mean) ** 2, weights=counts))
    arrays = {}
    for split, (images, labels) in {"train": train, "validation": validation, "test": test}.items():
        pixels = images.reshape(len(images), -1).astype(np.float32)
        pixels -= np.float32(mean)
        pixels /= np.float32(deviation)
        arrays |= {f"{split}_x": pixels, f"{split}_y": labels.astype(np.int64)}
    return Dataset(**arrays)


def prepare_teacher(
    data_dir: str | Path | None = None,
    *,
    inputs: int,
    units: int,
    activation: str,
    train: int,
    validation: int,
    test: int,
    seed: int,
) -> Dataset:
    """Gaussian inputs labelled by a one-hidden-layer teacher, f(x) = sum_k activation(u_k . x).

    The u_k (`units` of them) are random directions of unit norm; targets (n, 1) are standardized with the
    mean and deviation of f over the training split. `train`, `validation` and `test` are the sizes of the
    splits. Needs no files. Raises FeatpruneError for a size below 1 or an unknown activation.
    """
    sizes = {"train": train, "validation": validation, "test": test}
    for option, value in {"inputs": inputs, "units": units, **sizes}.items():
        if value < 1:
            raise FeatpruneError(f"option {option!r} of dataset 'teacher' is {value}, which is less than 1")
    act = lookup(ACTIVATIONS, activation, "activation")

    directions = numpy_generator(seed, "teacher", "units").standard_normal((units, inputs))
    directions /= np.linalg.norm(directions, axis=1, keepdims=True)
    teacher = directions.astype(np.float32)
    xs, fs = {}, {}
    for split, size in sizes.items():
        xs[split] = numpy_generator(seed, "teacher", split).standard_normal((size, inputs)).astype(np.float32)
        # From the rounded arrays, which are what is saved, so that the labels can be had again from the file.
        fs[split] = act(xs[split].astype(np.float64) @ teacher.T).sum(axis=1, keepdims=True)
    # One sample alone has no deviation.
    mean, deviation = fs["train"].mean(), fs["train"].std() or 1.0
    ys = {split: ((f - mean) / deviation).astype(np.float32) for split, f in fs.items()}
    arrays = {f"{split}_{axis}": part[split] for axis, part in {"x": xs, "y": ys}.items() for split in sizes}
    return Dataset(**arrays, teacher=teacher)


DATASETS: dict[str, Source] = {
    "mnist": Source(partial(prepare_images, "mnist"), "classification"),
    "fashion_mnist": Source(partial(prepare_images, "fashion_mnist"), "classification"),
    "kmnist": Source(partial(prepare_images, "kmnist"), "classification"),
    "digits": Source(prepare_digits, "classification"),
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
            "seed": 0,
        },
    ),
}
