"""Relatives of MNIST, which no package has where the mirrors can't be reached: so errors say which files go where."""

from __future__ import annotations

from pathlib import Path

from featprune.datasets.dataset import Dataset
from featprune.datasets.images import prepare_images
from featprune.datasets.sources import FILES, IDX_SETS
from featprune.errors import FeatpruneError


def prepare_relative(name: str, data_dir: str | Path | None, *, scaling: str) -> Dataset:
    """As `prepare_images`; a FeatpruneError ends with the names of the files and their folder."""
    try:
        return prepare_images(name, data_dir, scaling=scaling)
    except FeatpruneError as error:
        folder = f"{IDX_SETS[name].name}/raw"
        raise FeatpruneError(f"{error}; in {folder} go {', '.join(FILES.values())}, each as it is or as .gz") from error
