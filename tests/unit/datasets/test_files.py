"""Datasets of one's own files: each format, the splits and scaling, and every mistake as one line with its option."""

import gzip
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.datasets import load_wine

from featprune.data import prepare_dataset
from featprune.datasets import images
from featprune.datasets.dataset import Dataset
from featprune.datasets.files import split
from featprune.errors import FeatpruneError
from featprune.randomness import numpy_generator
from featprune.storage import sha256
from tests.unit.datasets.prepared import SPLITS, arrays, assert_identical, sizes

N = 60


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch) -> Path:
    """The folder that files are named from."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def table(n: int = N, seed: int = 0) -> pd.DataFrame:
    """Two columns of different scales, a constant one, and three classes in words; `number` tells the rows apart."""
    rng = np.random.default_rng(seed)
    columns = {"number": np.arange(n) * 1000.0, "share": rng.random(n), "constant": np.full(n, 0.1)}
    return pd.DataFrame({**columns, "kind": np.array(["pear", "apple", "fig"])[np.arange(n) % 3]})


def prepare(file: str = "own.csv", **options) -> Dataset:
    return prepare_dataset("files", {"file": file, "label": "kind", **options})


def write_csv(file: str = "own.csv", frame: pd.DataFrame | None = None) -> None:
    (table() if frame is None else frame).to_csv(file, index=False)


def write_idx(file: str, array: np.ndarray) -> None:
    data = bytes([0, 0, 8, array.ndim]) + np.array(array.shape, ">u4").tobytes() + array.tobytes()
    Path(file).write_bytes(gzip.compress(data) if file.endswith(".gz") else data)


def rows(dataset: Dataset, frame: pd.DataFrame) -> dict[str, np.ndarray]:
    """Which row of the table each sample of each split is, by the column `number`, scaled back."""
    found = {name: getattr(dataset, f"{name}_x")[:, 0].astype(float) for name in SPLITS}
    low, high = (bound(np.concatenate(list(found.values()))) for bound in (np.min, np.max))
    return {name: np.rint((x - low) / (high - low) * (len(frame) - 1)).astype(int) for name, x in found.items()}


def test_a_table_is_split_by_class_and_standardized_by_column():
    frame = table()
    write_csv()
    dataset = prepare()
    assert (dataset.inputs, dataset.outputs, sizes(dataset)) == (3, 3, [36, 12, 12])
    found = rows(dataset, frame)
    assert sorted(np.concatenate(list(found.values()))) == list(range(N))
    classes = sorted(frame["kind"].unique())
    for name, index in found.items():
        y = getattr(dataset, f"{name}_y")
        assert (y.dtype, getattr(dataset, f"{name}_x").dtype) == (np.int64, np.float32)
        assert [classes[label] for label in y] == list(frame["kind"][index])
        assert set(np.bincount(y)) == {len(y) // 3}
    # A prefix of training or validation is a random subset; the test split keeps the order of the file.
    assert list(found["test"]) == sorted(found["test"])
    assert all(list(found[name]) != sorted(found[name]) for name in ("train", "validation"))

    raw = frame[["number", "share"]].to_numpy()
    mean, deviation = raw[found["train"]].mean(axis=0), raw[found["train"]].std(axis=0)
    for name, index in found.items():
        x = getattr(dataset, f"{name}_x")
        np.testing.assert_allclose(x[:, :2], (raw[index] - mean) / deviation, rtol=1e-5, atol=1e-6)
        assert not x[:, 2].any()


def test_scaling_sees_the_training_split_only():
    write_csv()
    before, frame = prepare(), table()
    found = rows(before, frame)
    frame.loc[[*found["validation"], *found["test"]], "share"] *= 100
    write_csv(frame=frame)
    after = prepare()
    np.testing.assert_array_equal(after.train_x, before.train_x)
    assert after.test_x[:, 1].max() > 10 * before.test_x[:, 1].max()


def test_the_draw_is_fixed_and_shares_are_of_each_class():
    labels = np.repeat([0, 1, 2], [100, 10, 3])
    train, validation, test = parts = split(labels, 0.2, 0.3)
    assert [tuple(np.bincount(labels[part])) for part in parts] == [(50, 5, 1), (20, 2, 1), (30, 3, 1)]
    assert sorted(np.concatenate(parts)) == list(range(113))
    # Another split of the same data would make results incomparable.
    order = numpy_generator(0, "split", "files").permutation(113)
    common = order[order < 100]
    assert sorted(common[:30]) == list(test[test < 100])
    assert list(common[30:50]) == list(validation[validation < 100]) and list(common[50:]) == list(train[train < 100])
    for shares in [(0.5, 0.49), (0.01, 0.98), (0.98, 0.01)]:
        assert all(set(labels[part]) == {0, 1, 2} for part in split(labels, *shares))
    assert len(split(labels, 0.2, 0)[2]) == 0


def test_all_formats_of_the_same_numbers_give_the_same():
    frame = table()
    write_csv()
    write_csv("own.csv.gz")
    frame.to_parquet("own.parquet")
    inputs = frame.drop(columns="kind").to_numpy()
    np.savez("own.npz", kind=frame["kind"].to_numpy(dtype=str), x=inputs)
    frame.assign(kind=frame["kind"].astype("category")).to_parquet("category.parquet")
    whole = frame.assign(kind=frame["kind"].map({"apple": 3, "fig": 5, "pear": 40}))
    write_csv("whole.csv", whole)
    whole.astype({"kind": float}).to_parquet("floats.parquet")
    whole.astype({"kind": "Int64", "share": "Float64"}).to_parquet("nullable.parquet")
    first = prepare()
    for file in Path().iterdir():
        assert_identical(prepare(str(file)), first)
    frame.assign(name="a", day=3).to_csv("more.csv")
    assert_identical(prepare("more.csv", drop=["name", "day", "Unnamed: 0"]), first)


def test_a_real_table_keeps_its_numbers():
    frame = load_wine(as_frame=True).frame
    write_csv("wine.csv", frame)
    dataset = prepare_dataset("files", {"file": "wine.csv", "label": "target"})
    assert (dataset.inputs, dataset.outputs, sum(sizes(dataset))) == (13, 3, len(frame))
    x, y = (np.concatenate([getattr(dataset, f"{name}_{axis}") for name in SPLITS]) for axis in "xy")
    assert list(np.bincount(y)) == list(frame["target"].value_counts().sort_index())
    # What is scaled by column keeps the correlations between columns.
    np.testing.assert_allclose(np.corrcoef(x.T), np.corrcoef(frame.drop(columns="target").T), atol=1e-5)
    np.testing.assert_allclose(dataset.train_x.mean(axis=0), 0, atol=1e-6)
    np.testing.assert_allclose(dataset.train_x.std(axis=0), 1, atol=1e-6)


@pytest.mark.parametrize("end", ["", ".gz"])
def test_idx_files_are_scaled_as_images_are(end):
    rng = np.random.default_rng(0)
    pixels, labels = rng.integers(0, 256, (50, 4, 5), dtype=np.uint8), np.repeat(np.arange(5, dtype=np.uint8), 10)
    names = {"file": f"train-images-idx3-ubyte{end}", "label_file": f"train-labels-idx1-ubyte{end}"}
    names |= {"test_file": f"t10k-images-idx3-ubyte{end}", "test_label_file": f"t10k-labels-idx1-ubyte{end}"}
    for name, array in zip(names.values(), (pixels, labels, pixels[::-1], labels[::-1]), strict=True):
        write_idx(name, array)
    train, validation, _ = split(labels.astype(np.int64), 0.2, 0)
    parts = {"train": train, "validation": validation, "test": slice(None, None, -1)}
    for scaling in ("", "unit_norm"):
        expected = images.scaled(
            scaling or "standardized", **{name: (pixels[part], labels[part]) for name, part in parts.items()}
        )
        assert_identical(prepare_dataset("files", {**names, "scaling": scaling}), expected)
    np.savez("own.npz", label=labels, images=pixels)
    np.savez("test.npz", label=labels[::-1], images=pixels[::-1])
    dataset = prepare_dataset("files", {"file": "own.npz", "test_file": "test.npz"})
    assert_identical(dataset, prepare_dataset("files", names))
    by_column = prepare_dataset("files", {**names, "scaling": "standardized_columns"})
    np.testing.assert_allclose(by_column.train_x.std(axis=0), 1, atol=1e-6)


def test_a_test_file_is_the_test_split_and_chooses_nothing():
    write_csv()
    other = table(n=7, seed=1)
    write_csv("test.csv", other[["kind", "share", "constant", "number"]])
    dataset = prepare(test_file="test.csv")
    assert sizes(dataset) == [48, 12, 7]
    assert [["apple", "fig", "pear"][label] for label in dataset.test_y] == list(other["kind"])
    order = np.argsort(dataset.test_x[:, 0])
    assert list(order) == list(range(7)), "columns go by their names, and rows by their order"
    write_csv("test.csv", other.assign(share=7e3, kind="fig"))
    changed = prepare(test_file="test.csv")
    for name, array in arrays(dataset).items():
        if not name.startswith("test"):
            np.testing.assert_array_equal(arrays(changed)[name], array)


def test_large_numbers_close_to_each_other_stay_apart():
    frame = table().assign(time=1.7e9 + np.arange(N))
    write_csv(frame=frame)
    assert len(np.unique(prepare().train_x[:, 3])) == 36


def test_a_sum_is_insisted_on():
    write_csv()
    sums = {"own.csv": sha256("own.csv")}
    assert_identical(prepare(sums=sums), prepare())
    write_csv(frame=table(seed=1))
    assert "SHA-256" in failure(sums=sums)


def test_the_log_tells_of_test_samples_that_are_trained_on(capsys):
    frame = table()
    write_csv(frame=frame)
    prepare()
    told = capsys.readouterr().out
    assert "class 1 is 'fig': train 12 validation 4 test 4" in told
    assert "0 of 12 test samples are also among those" in told
    write_csv("test.csv", frame[:5])
    prepare(test_file="test.csv")
    assert "5 of 5 test samples are also among those" in capsys.readouterr().out


def failure(file: str = "own.csv", **options) -> str:
    with pytest.raises(FeatpruneError) as caught:
        prepare(file, **options)
    message = str(caught.value)
    assert "\n" not in message
    return message


def changed(**columns) -> pd.DataFrame:
    return table().assign(**columns)


GAP = np.where(np.arange(N) == 4, np.nan, 1.0)
TABLES = {
    "no such label": (table(), {"label": "kin"}, ["'label'", "own.csv has no column 'kin'", "did you mean 'kind'?"]),
    "no such column to drop": (table(), {"drop": ["shar"]}, ["'drop'", "'shar'", "did you mean 'share'?"]),
    "dropped label": (table(), {"drop": ["kind"]}, ["'drop'", "'kind' is the label"]),
    "words": (changed(town="Rome"), {}, ["'drop'", "aren't numbers, 'town'", "list them"]),
    "an index": (table().rename(columns={"share": "Unnamed: 0"}), {}, ["'drop'", "without a name", "index"]),
    "nothing but labels": (table()[["kind"]], {}, ["'label'", "no column besides 'kind'"]),
    "a missing number": (changed(share=GAP), {}, ["'file'", "1 samples", "row 5, column 'share'", "fill it in"]),
    "an infinite number": (changed(share=GAP * np.inf), {}, [f"{N} samples", "row 1, column 'share'"]),
    "a number too large": (changed(share=1e39), {}, [f"{N} samples", "row 1, column 'share'"]),
    "a missing label": (changed(kind=table()["kind"].mask(GAP != 1)), {}, ["'label'", "lacks 1 labels", "row 5"]),
    "one class": (changed(kind="a"), {}, ["'label'", "1 class", "at least 2"]),
    "numbers for labels": (changed(kind=np.linspace(0, 1, N)), {}, ["'label'", "no classes, but float64"]),
    "a class a sample": (changed(kind=np.arange(N)), {}, ["'label'", "fewer than 3", "60 of 60 classes", "55 more"]),
    "too few of a class": (changed(kind=np.where(np.arange(N) < 2, "a", "b")), {}, ["1 of 2 classes, 'a'", "too few"]),
    "no rows": (table()[:0], {}, ["'file'", "no rows"]),
    "nothing to tell samples apart": (changed(number=1, share=2), {}, ["'file'", "all samples", "the same"]),
    "unknown scaling": (table(), {"scaling": "unit"}, ["unknown scaling 'unit'", "did you mean 'unit_norm'?"]),
}


@pytest.mark.parametrize("name", TABLES)
@pytest.mark.parametrize("file", ["own.csv", "own.parquet"])
def test_a_mistake_in_a_table_is_one_line_with_the_way_out(name, file):
    frame, options, parts = TABLES[name]
    if file == "own.csv":
        write_csv(frame=frame)
    else:
        frame.to_parquet(file)
    message = failure(file, **options)
    assert all(part.replace("own.csv", file) in message for part in parts), message


def test_inputs_that_scaling_makes_infinite_are_an_error():
    tested = split(np.arange(N) % 3, 0.2, 0.2)[2][0]
    write_csv(frame=pd.DataFrame({"x": np.arange(N) == tested, "kind": np.arange(N) % 3}))
    assert prepare().test_x.any() == np.False_
    message = failure(scaling="standardized")
    assert "'scaling'" in message and "not finite" in message


X, Y = np.eye(12, 3), np.arange(12) % 2
ARRAYS = {
    "no labels": ({"x": X}, ["'label'", "no array 'kind'", "known: x"]),
    "no samples": ({"kind": Y}, ["'drop'", "one array besides", "found: none"]),
    "several arrays": ({"kind": Y, "x": X, "z": X}, ["'drop'", "found: x, z"]),
    "rows and labels differ": ({"kind": Y[:-1], "x": X}, ["'file'", "shape (11,)", "(12, 3)", "one label a sample"]),
    "one-hot labels": ({"kind": np.eye(2)[Y], "x": X}, ["'file'", "shape (12, 2)", "one label a sample"]),
    "flat samples": ({"kind": Y, "x": X[:, 0]}, ["'file'", "shape (12,)"]),
    "complex samples": ({"kind": Y, "x": X * 1j}, ["'file'", "type complex128", "numbers"]),
    "samples in words": ({"kind": Y, "x": X.astype(str)}, ["'file'", "type <U32", "numbers"]),
    "missing number": ({"kind": Y, "x": X * np.nan}, ["'file'", "12 samples", "row 1, column 1"]),
    "objects": ({"kind": Y, "x": X.astype(object)}, ["'file'", "can't be read as npz", "allow_pickle"]),
    "missing label": ({"kind": np.where(Y, np.nan, 1), "x": X}, ["'label'", "float64"]),
}


@pytest.mark.parametrize("name", ARRAYS)
def test_a_mistake_in_arrays_is_one_line_with_the_way_out(name):
    content, parts = ARRAYS[name]
    np.savez("own.npz", **content)
    message = failure("own.npz")
    assert all(part in message for part in parts), message


@pytest.mark.parametrize("file", ["own.csv", "own.csv.gz", "own.parquet", "own.npz"])
@pytest.mark.parametrize("content", [b"", b"\x80\x04K\x03.", b"PK\x03\x04broken", None])
def test_a_file_that_cannot_be_read_is_named(file, content):
    if content is not None:
        Path(file).write_bytes(content)
    message = failure(file)
    assert file in message and any(part in message for part in ("can't be read as", "no column 'kind'", "no rows"))


def test_idx_files_that_do_not_go_together_are_named():
    pixels, labels = np.arange(48, dtype=np.uint8).reshape(12, 2, 2), (np.arange(12) % 2).astype(np.uint8)
    file, label_file = "a-images-idx3-ubyte", "a-labels-idx1-ubyte"
    write_idx(file, pixels)
    write_idx(label_file, labels)
    assert prepare(file, label_file=label_file).inputs == 4
    assert "'test_label_file' of dataset 'files': missing" in failure(file, label_file=label_file, test_file=file)
    assert "'label_file'" in failure(file) and "missing" in failure(file)
    assert "shape (12, 2, 2)" in failure(file, label_file=file)
    write_idx(label_file, labels[:5])
    assert "labels of shape (5,)" in failure(file, label_file=label_file)
    Path(label_file).write_bytes(Path(label_file).read_bytes()[:-1])
    assert f"'label_file' of dataset 'files': {label_file} is no whole idx file" in failure(file, label_file=label_file)
    assert "no format" in failure("own.txt")


@pytest.mark.parametrize(
    ("frame", "parts"),
    [
        (table(5).assign(kind="plum"), ["classes that can't be trained on, 'plum'"]),
        (table(5).drop(columns="share"), ["don't share 'share'"]),
        (table(5).assign(more=1), ["don't share 'more'"]),
        (table(5).assign(share=np.nan), ["5 samples of test.csv", "row 1, column 'share'"]),
        (table(5).assign(kind=[0.5, 1, 2, 3, 4]), ["no classes"]),
    ],
)
def test_a_test_file_that_does_not_go_with_the_other_is_named(frame, parts):
    write_csv()
    write_csv("test.csv", frame)
    message = failure(test_file="test.csv")
    assert all(part in message for part in ["test.csv", *parts]), message
    np.savez("test.npz", kind=["fig"], x=np.ones((1, 4)))
    np.savez("own.npz", kind=table()["kind"].to_numpy(dtype=str), x=np.eye(N, 3))
    assert "shape (4,), the training file (3,)" in failure("own.npz", test_file="test.npz")
