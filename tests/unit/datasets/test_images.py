"""The sets of images: their splits, and how their pixels are scaled."""

import numpy as np
import pytest
from sklearn.datasets import load_digits

from featprune.data import prepare_dataset
from featprune.datasets import images
from featprune.datasets.dataset import Dataset
from featprune.errors import FeatpruneError
from featprune.randomness import numpy_generator
from tests.unit.datasets.prepared import SPLITS, sizes


@pytest.fixture(scope="module")
def digits() -> Dataset:
    return prepare_dataset("digits")


@pytest.fixture
def idx(monkeypatch) -> dict[str, np.ndarray]:
    """Idx arrays whose images carry their own index in two pixels; every way to load one gives these."""
    rng = np.random.default_rng(0)
    idx = {}
    for split, n in {"train": 5300, "test": 40}.items():
        pixels = rng.integers(0, 256, (n, 28, 28), dtype=np.uint8)
        pixels[:, 0, 0], pixels[:, 0, 1] = np.arange(n) // 256, np.arange(n) % 256
        idx |= {f"{split}_images": pixels, f"{split}_labels": (np.arange(n) % 10).astype(np.uint8)}
    monkeypatch.setattr(images, "load_idx", lambda name, data_dir: idx)
    return idx


def test_digits_splits_are_disjoint_and_standardized(digits):
    assert sizes(digits) == [1297, 200, 300]
    pixels, labels = load_digits(return_X_y=True)
    place = {image.tobytes(): i for i, image in enumerate(pixels)}
    assert len(place) == len(pixels)

    # Pixels are whole numbers, of which the standardized ones are an increasing affine map.
    scale = 16 / (digits.train_x.max() - digits.train_x.min())
    found = {}
    for split in SPLITS:
        original = np.rint((getattr(digits, f"{split}_x") - digits.train_x.min()) * scale)
        found[split] = [place[image.tobytes()] for image in original.astype(np.float64)]
        np.testing.assert_array_equal(getattr(digits, f"{split}_y"), labels[found[split]])
    assert sorted(found["train"] + found["validation"] + found["test"]) == list(range(len(pixels)))
    assert found["test"] == sorted(found["test"])
    assert found["train"] != sorted(found["train"]) and found["validation"] != sorted(found["validation"])

    assert digits.train_x.mean(dtype=np.float64) == pytest.approx(0, abs=1e-6)
    assert digits.train_x.std(dtype=np.float64) == pytest.approx(1, abs=1e-6)


@pytest.mark.parametrize("name", ["mnist", "fashion_mnist", "kmnist"])
def test_images_are_split_at_random_and_standardized_by_the_training_split(name, idx):
    dataset = prepare_dataset(name)
    assert sizes(dataset) == [300, 5000, 40]
    assert (dataset.inputs, dataset.outputs) == (784, 10)

    pixels = idx["train_images"].reshape(5300, -1)
    # The draw is fixed: another split of the same data would make results incomparable.
    index = numpy_generator(0, "split", name).permutation(5300)[5000:]
    mean, deviation = pixels[index].mean(), pixels[index].std()
    found = {}
    for split in ("train", "validation"):
        original = np.rint(getattr(dataset, f"{split}_x") * deviation + mean).astype(np.int64)
        found[split] = original[:, 0] * 256 + original[:, 1]
        np.testing.assert_array_equal(original, pixels[found[split]])
        np.testing.assert_array_equal(getattr(dataset, f"{split}_y"), idx["train_labels"][found[split]])
        assert (np.diff(found[split]) < 0).any()
    assert sorted([*found["train"], *found["validation"]]) == list(range(5300))
    np.testing.assert_allclose(
        dataset.test_x, (idx["test_images"].reshape(40, -1) - mean) / deviation, rtol=1e-5, atol=1e-6
    )
    np.testing.assert_array_equal(dataset.test_y, idx["test_labels"])
    assert dataset.train_x.mean(dtype=np.float64) == pytest.approx(0, abs=1e-6)
    assert dataset.train_x.std(dtype=np.float64) == pytest.approx(1, abs=1e-6)


def test_data_dir_reaches_the_files(monkeypatch, idx):
    asked = []
    monkeypatch.setattr(images, "load_idx", lambda *args: asked.append(args) or idx)
    prepare_dataset("kmnist", data_dir="folder")
    assert asked == [("kmnist", "folder")]


def test_images_of_unit_norm_are_each_scaled_by_their_own(idx):
    idx["test_images"][7] = 0
    dataset = prepare_dataset("mnist", {"scaling": "unit_norm"})
    pixels = idx["test_images"].reshape(40, -1).astype(float)
    expected = pixels / np.maximum(np.linalg.norm(pixels, axis=1, keepdims=True), 1)
    np.testing.assert_allclose(dataset.test_x, expected, rtol=1e-6)
    np.testing.assert_allclose(np.linalg.norm(dataset.train_x, axis=1), 1, rtol=1e-6)
    assert dataset.train_x.dtype == np.float32 and not dataset.test_x[7].any()


def test_an_unknown_scaling_is_an_error():
    with pytest.raises(FeatpruneError, match=r"unknown scaling 'unit'.* did you mean 'unit_norm'"):
        prepare_dataset("digits", {"scaling": "unit"})
