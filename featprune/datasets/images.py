"""Sets of images: MNIST and its relatives, and scikit-learn's digits; split and scaled."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np

from featprune.datasets.dataset import Dataset
from featprune.datasets.sources import load_idx
from featprune.errors import lookup
from featprune.randomness import numpy_generator

IMAGE_VALIDATION = 5_000
DIGITS_VALIDATION, DIGITS_TEST = 200, 300


def prepare_images(name: str, data_dir: str | Path | None, *, scaling: str) -> Dataset:
    """An idx set with pixels as inputs; 5,000 of its training images, drawn at random, are for validation."""
    files = load_idx(name, data_dir)
    order = numpy_generator(0, "split", name).permutation(len(files["train_images"]))
    validation, train = order[:IMAGE_VALIDATION], order[IMAGE_VALIDATION:]
    return scaled(
        scaling,
        train=(files["train_images"][train], files["train_labels"][train]),
        validation=(files["train_images"][validation], files["train_labels"][validation]),
        test=(files["test_images"], files["test_labels"]),
    )


def prepare_digits(data_dir: str | Path | None = None, *, scaling: str) -> Dataset:
    """scikit-learn's 1,797 embedded 8 x 8 digits, split 1,297 / 200 / 300; needs no files."""
    from sklearn.datasets import load_digits

    pixels, labels = load_digits(return_X_y=True)
    order = numpy_generator(0, "split", "digits").permutation(len(pixels))
    test, validation, train = np.split(order, [DIGITS_TEST, DIGITS_TEST + DIGITS_VALIDATION])
    parts = {"train": train, "validation": validation, "test": np.sort(test)}
    return scaled(scaling, **{split: (pixels[index], labels[index]) for split, index in parts.items()})


def scaled(
    scaling: str,
    train: tuple[np.ndarray, np.ndarray],
    validation: tuple[np.ndarray, np.ndarray],
    test: tuple[np.ndarray, np.ndarray],
) -> Dataset:
    """The dataset of three (images (n, ...), labels (n,)), its pixels scaled by the entry of SCALINGS that is named."""
    scale = lookup(SCALINGS, scaling, "scaling")(train[0])
    arrays: dict[str, np.ndarray] = {}
    for split, (images, labels) in {"train": train, "validation": validation, "test": test}.items():
        pixels = images.reshape(len(images), -1).astype(np.float32)
        arrays |= {f"{split}_x": scale(pixels), f"{split}_y": labels.astype(np.int64)}
    return Dataset(**arrays)


Scale = Callable[[np.ndarray], np.ndarray]  # of pixels float32 (n, inputs), in place


def standardized(train: np.ndarray) -> Scale:
    """Subtract the training pixels' scalar mean, and divide by their scalar standard deviation."""
    # Through the counts of the few values a pixel has: exact, and without a float64 copy of all pixels.
    values, counts = np.unique(train, return_counts=True)
    mean = np.average(values, weights=counts)
    deviation = np.sqrt(np.average((values - mean) ** 2, weights=counts))

    def scale(pixels: np.ndarray) -> np.ndarray:
        pixels -= np.float32(mean)
        pixels /= np.float32(deviation)
        return pixels

    return scale


def unit_norm(train: np.ndarray) -> Scale:
    """Divide every image by its L2 norm, as the lottery-ticket paper's released code does; an empty one stays."""

    def scale(pixels: np.ndarray) -> np.ndarray:
        norm = np.linalg.norm(pixels, axis=1, keepdims=True)
        pixels /= np.where(norm > 0, norm, np.float32(1))
        return pixels

    return scale


# How pixels become inputs: from the training images, the function that scales those of any split.
SCALINGS: dict[str, Callable[[np.ndarray], Scale]] = {"standardized": standardized, "unit_norm": unit_norm}
