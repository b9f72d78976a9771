"""What several tests of prepared datasets need."""

from dataclasses import fields

import numpy as np

from featprune.datasets.dataset import Dataset

TEACHER = {"train": 200, "validation": 100, "test": 50}
SPLITS = ("train", "validation", "test")


def arrays(dataset: Dataset) -> dict[str, np.ndarray]:
    """The dataset's arrays by name."""
    return {f.name: getattr(dataset, f.name) for f in fields(dataset) if getattr(dataset, f.name) is not None}


def assert_identical(one: Dataset, other: Dataset) -> None:
    """Both have the same arrays, to the bit."""
    assert arrays(one).keys() == arrays(other).keys()
    for name, array in arrays(one).items():
        np.testing.assert_array_equal(array, arrays(other)[name], strict=True)


def sizes(dataset: Dataset) -> list[int]:
    """How many samples each split has."""
    return [len(getattr(dataset, f"{split}_x")) for split in SPLITS]
