"""Sets of images: MNIST and its relatives, and scikit-learn's digits; split, and standardized by the training split."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from featprune.datasets.dataset import Dataset
from featprune.datasets.sources import load_idx
from featprune.randomness import numpy_generator

IMAGE_VALIDATION = 5_000
DIGITS_VALIDATION, DIGITS_TEST = 200, 300


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
    arrays: dict[str, np.ndarray] = {}
    for split, (images, labels) in {"train": train, "validation": validation, "test": test}.items():
        pixels = images.reshape(len(images), -1).astype(np.float32)
        pixels -= np.float32(mean)
        pixels /= np.float32(deviation)
        arrays |= {f"{split}_x": pixels, f"{split}_y": labels.astype(np.int64)}
    return Dataset(**arrays)
