"""Fashion-MNIST and KMNIST from files at hand to a dataset, and what is said without them."""

import gzip
import hashlib

import numpy as np
import pytest
from torchvision import datasets

from featprune.data import prepare_dataset
from featprune.datasets import sources
from featprune.datasets.sources import FILES
from featprune.errors import FeatpruneError
from tests.unit.datasets.prepared import SPLITS, assert_identical, sizes

CLASSES = {"fashion_mnist": "FashionMNIST", "kmnist": "KMNIST"}


@pytest.fixture(scope="module")
def content() -> dict[str, bytes]:
    """Idx files of images that are of one grey each, their label's or a little more."""
    rng = np.random.default_rng(0)
    files = {}
    for split, n in {"train": 5200, "test": 40}.items():
        labels = rng.integers(0, 10, n, dtype=np.uint8)
        images = np.repeat(10 * labels + rng.integers(0, 10, n, dtype=np.uint8), 784).reshape(n, 28, 28)
        for kind, array in {"images": images, "labels": labels}.items():
            header = bytes([0, 0, 8, array.ndim]) + np.array(array.shape, ">u4").tobytes()
            files[FILES[f"{split}_{kind}"]] = header + array.tobytes()
    return files


@pytest.fixture(autouse=True)
def alone(monkeypatch):
    """No mirror and no folder but a test's."""
    for name in CLASSES.values():
        monkeypatch.setattr(getattr(datasets, name), "mirrors", [])
    monkeypatch.delenv("FEATPRUNE_DATA", raising=False)


@pytest.mark.parametrize("name", CLASSES)
def test_files_in_the_folder_become_a_dataset(name, content, tmp_path, monkeypatch):
    archives = {f"{file}.gz": gzip.compress(data, 1, mtime=0) for file, data in content.items()}
    sums = [(file, hashlib.md5(data).hexdigest()) for file, data in archives.items()]
    monkeypatch.setattr(getattr(datasets, CLASSES[name]), "resources", sums)
    made = []
    for kind, files in {"plain": content, "packed": archives}.items():
        raw = tmp_path / kind / CLASSES[name] / "raw"
        raw.mkdir(parents=True)
        for file, data in files.items():
            (raw / file).write_bytes(data)
        made.append(prepare_dataset(name, data_dir=tmp_path / kind))
    dataset, packed = made
    assert_identical(dataset, packed)
    assert (sizes(dataset), dataset.inputs, dataset.outputs) == ([200, 5000, 40], 784, 10)
    low = min(getattr(dataset, f"{split}_x").min() for split in SPLITS)
    step = (max(getattr(dataset, f"{split}_x").max() for split in SPLITS) - low) / 99
    for split in SPLITS:
        x, y = getattr(dataset, f"{split}_x"), getattr(dataset, f"{split}_y")
        np.testing.assert_array_equal(np.rint((x - low) / step) // 10, np.repeat(y[:, None], 784, axis=1))


@pytest.mark.parametrize("name", CLASSES)
def test_without_files_an_error_says_which_go_where(name, content, tmp_path):
    ways = ["data_dir", "FEATPRUNE_DATA", f"holds {CLASSES[name]}/raw", ", ".join(FILES.values()), ".gz"]
    for folder in (None, tmp_path):
        with pytest.raises(FeatpruneError) as caught:
            prepare_dataset(name, data_dir=folder)
        assert all(way in str(caught.value) for way in ways) and "\n" not in str(caught.value)
    raw = tmp_path / CLASSES[name] / "raw"
    raw.mkdir(parents=True)
    for file, data in [*content.items()][:3]:
        (raw / file).write_bytes(data)
    with pytest.raises(FeatpruneError, match=f"{raw} lacks t10k-labels-idx1-ubyte;?"):
        prepare_dataset(name, data_dir=tmp_path)
    assert sources.IDX_SETS[name].npm is None
