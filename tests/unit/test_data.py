"""The prepared datasets: splits, standardization, the teacher's formula, and the file they are kept in."""

from dataclasses import fields

import numpy as np
import pytest
from sklearn.datasets import load_digits

from featprune import data
from featprune.data import DATASETS, prepare_dataset
from featprune.datasets.dataset import Dataset, load_dataset
from featprune.errors import FeatpruneError
from featprune.storage import save_arrays

TEACHER = {"train": 200, "validation": 100, "test": 50}
SPLITS = ("train", "validation", "test")


def arrays(dataset: Dataset) -> dict[str, np.ndarray]:
    return {f.name: getattr(dataset, f.name) for f in fields(dataset) if getattr(dataset, f.name) is not None}


def assert_identical(one: Dataset, other: Dataset) -> None:
    assert arrays(one).keys() == arrays(other).keys()
    for name, array in arrays(one).items():
        np.testing.assert_array_equal(array, arrays(other)[name], strict=True)


def sizes(dataset: Dataset) -> list[int]:
    return [len(getattr(dataset, f"{split}_x")) for split in SPLITS]


@pytest.fixture(scope="module")
def digits() -> Dataset:
    return prepare_dataset("digits")


@pytest.fixture
def idx(monkeypatch) -> dict[str, np.ndarray]:
    """Idx arrays whose images carry their own index in two pixels; every way to load one gives these."""
    rng = np.random.default_rng(0)
    idx = {}
    for split, n in {"train": 5300, "test": 40}.items():
        images = rng.integers(0, 256, (n, 28, 28), dtype=np.uint8)
        images[:, 0, 0], images[:, 0, 1] = np.arange(n) // 256, np.arange(n) % 256
        idx |= {f"{split}_images": images, f"{split}_labels": (np.arange(n) % 10).astype(np.uint8)}
    monkeypatch.setattr(data, "load_idx", lambda name, data_dir: idx)
    return idx


@pytest.mark.parametrize("name", ["digits", "teacher"])
def test_types_and_shapes(name):
    dataset = prepare_dataset(name)
    assert dataset.classification == (DATASETS[name].kind == "classification")
    for split, n in zip(SPLITS, sizes(dataset), strict=True):
        x, y = getattr(dataset, f"{split}_x"), getattr(dataset, f"{split}_y")
        assert (x.shape, x.dtype) == ((n, dataset.inputs), np.float32)
        assert (y.shape, y.dtype) == (((n,), np.int64) if dataset.classification else ((n, 1), np.float32))
    assert (dataset.inputs, dataset.outputs) == {"digits": (64, 10), "teacher": (30, 1)}[name]


@pytest.mark.parametrize(("name", "options"), [("digits", {}), ("teacher", TEACHER)])
def test_a_second_call_gives_the_same(name, options):
    assert_identical(prepare_dataset(name, options), prepare_dataset(name, options))


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

    images = idx["train_images"].reshape(5300, -1)
    # The draw is fixed: another split of the same data would make results incomparable.
    index = data.numpy_generator(0, "split", name).permutation(5300)[5000:]
    mean, deviation = images[index].mean(), images[index].std()
    found = {}
    for split in ("train", "validation"):
        original = np.rint(getattr(dataset, f"{split}_x") * deviation + mean).astype(np.int64)
        found[split] = original[:, 0] * 256 + original[:, 1]
        np.testing.assert_array_equal(original, images[found[split]])
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
    monkeypatch.setattr(data, "load_idx", lambda *args: asked.append(args) or idx)
    prepare_dataset("kmnist", data_dir="folder")
    assert asked == [("kmnist", "folder")]


@pytest.mark.parametrize("activation", data.ACTIVATIONS)
def test_teacher_targets_are_its_formula_standardized(activation):
    dataset = prepare_dataset("teacher", TEACHER | {"activation": activation, "units": 4, "inputs": 7})
    assert sizes(dataset) == [200, 100, 50]
    assert dataset.teacher.shape == (4, 7) and dataset.teacher.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(dataset.teacher, axis=1), 1, rtol=1e-6)

    act = {"relu": lambda z: z * (z > 0), "tanh": np.tanh, "linear": lambda z: z}[activation]
    f = {
        split: sum(act(getattr(dataset, f"{split}_x").astype(np.float64) @ u) for u in dataset.teacher)
        for split in SPLITS
    }
    for split in SPLITS:
        target = (f[split] - f["train"].mean()) / f["train"].std()
        np.testing.assert_allclose(getattr(dataset, f"{split}_y")[:, 0], target, rtol=1e-5, atol=1e-6)
    assert dataset.train_y.mean() == pytest.approx(0, abs=1e-6)
    assert dataset.train_y.std() == pytest.approx(1, abs=1e-6)


def test_teacher_draws_depend_on_the_seed_and_not_on_one_another():
    first = prepare_dataset("teacher", TEACHER)
    other = prepare_dataset("teacher", TEACHER | {"seed": 1})
    longer = prepare_dataset("teacher", TEACHER | {"train": 300})
    for name in ("train_x", "validation_x", "test_x", "teacher"):
        assert not np.array_equal(getattr(first, name), getattr(other, name))
    for name in ("validation_x", "test_x", "teacher"):
        np.testing.assert_array_equal(getattr(first, name), getattr(longer, name))
    assert not np.array_equal(first.train_x[:50], first.test_x[:50])


@pytest.mark.parametrize(
    ("name", "options", "parts"),
    [
        ("minst", {}, ["'minst'", "did you mean 'mnist'?", "digits, fashion_mnist, kmnist, mnist, teacher"]),
        (
            "teacher",
            {"unit": 3},
            ["'unit'", "'teacher'", "did you mean 'units'?", "activation, inputs, seed"],
        ),
        ("digits", {"train": 3}, ["'train'", "'digits'", "no options"]),
        ("teacher", {"train": "20"}, ["'train'", "'20'", "int"]),
        ("teacher", {"train": True}, ["'train'", "True", "int"]),
        ("teacher", {"units": 0}, ["'units'", "0", "less than 1"]),
        ("teacher", {"activation": "rleu"}, ["'rleu'", "linear, relu, tanh"]),
    ],
)
def test_a_mistaken_choice_is_named_with_the_way_out(name, options, parts):
    with pytest.raises(FeatpruneError) as caught:
        prepare_dataset(name, options)
    assert all(part in str(caught.value) for part in parts) and "\n" not in str(caught.value)


@pytest.mark.parametrize(("name", "options"), [("digits", {}), ("teacher", TEACHER)])
def test_round_trip_is_exact(name, options, tmp_path):
    from safetensors import safe_open

    dataset = prepare_dataset(name, options)
    path = tmp_path / "folder" / "dataset.safetensors"
    dataset.save(path)
    assert_identical(load_dataset(path), dataset)
    with safe_open(path, framework="numpy") as file:
        assert set(file.keys()) == arrays(dataset).keys() | {"outputs"}
        np.testing.assert_array_equal(file.get_tensor("outputs"), np.array([dataset.outputs]), strict=True)


@pytest.mark.parametrize("keep", [0, 100, -1])
def test_a_truncated_file_is_named(keep, tmp_path):
    path = tmp_path / "dataset.safetensors"
    prepare_dataset("teacher", TEACHER).save(path)
    path.write_bytes(path.read_bytes()[:keep])
    with pytest.raises(FeatpruneError, match=r"dataset\.safetensors"):
        load_dataset(path)


@pytest.mark.parametrize("contents", [["outputs", "train_x"], ["train_x"], ["outputs", "weights"]])
def test_a_file_of_something_else_is_named(contents, tmp_path):
    path = tmp_path / "dataset.safetensors"
    save_arrays(path, {name: np.zeros((1, 1)) for name in contents})
    with pytest.raises(FeatpruneError, match=r"dataset\.safetensors"):
        load_dataset(path)
    with pytest.raises(FeatpruneError, match=r"absent\.safetensors"):
        load_dataset(tmp_path / "absent.safetensors")
