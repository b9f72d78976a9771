"""The registry of datasets: what every entry gives, and mistaken choices."""

import numpy as np
import pytest

from featprune.data import DATASETS, Source, prepare_dataset
from featprune.datasets.dataset import Dataset
from featprune.errors import FeatpruneError
from tests.unit.datasets.prepared import SPLITS, TEACHER, assert_identical, sizes


@pytest.mark.parametrize("name", ["digits", "teacher"])
def test_types_and_shapes(name):
    dataset = prepare_dataset(name).of(0)
    assert dataset.classification == (DATASETS[name].kind == "classification")
    for split, n in zip(SPLITS, sizes(dataset), strict=True):
        x, y = getattr(dataset, f"{split}_x"), getattr(dataset, f"{split}_y")
        assert (x.shape, x.dtype) == ((n, dataset.inputs), np.float32)
        assert (y.shape, y.dtype) == (((n,), np.int64) if dataset.classification else ((n, 1), np.float32))
    assert (dataset.inputs, dataset.outputs) == {"digits": (64, 10), "teacher": (30, 1)}[name]


@pytest.mark.parametrize(("name", "options"), [("digits", {}), ("teacher", TEACHER)])
def test_a_second_call_gives_the_same(name, options):
    assert_identical(prepare_dataset(name, options), prepare_dataset(name, options))


def test_a_dataset_is_added_by_a_function_and_an_entry(monkeypatch):
    def prepare_line(data_dir, *, samples: int) -> Dataset:
        x = np.linspace(0, len(data_dir), samples, dtype=np.float32)[:, None]
        return Dataset(x, x, x, x, x, x)

    monkeypatch.setitem(DATASETS, "line", Source(prepare_line, "regression", {"samples": 3}))
    assert prepare_dataset("line", data_dir="abc").test_y[-1] == 3
    assert sizes(prepare_dataset("line", {"samples": 5}, "abc")) == [5, 5, 5]


@pytest.mark.parametrize(
    ("name", "options", "parts"),
    [
        ("minst", {}, ["'minst'", "did you mean 'mnist'?", "digits, fashion_mnist, files, kmnist, mnist, teacher"]),
        (
            "teacher",
            {"unit": 3},
            ["'unit'", "'teacher'", "did you mean 'units'?", "activation, inputs, seed"],
        ),
        ("digits", {"train": 3}, ["'train'", "'digits'", "known: scaling"]),
        ("teacher", {"train": "20"}, ["'train'", "'20'", "int"]),
        ("teacher", {"train": True}, ["'train'", "True", "int"]),
        ("teacher", {"units": 0}, ["'units'", "0", "less than 1"]),
        ("teacher", {"activation": "rleu"}, ["'rleu'", "erf, linear, relu, tanh"]),
    ],
)
def test_a_mistaken_choice_is_named_with_the_way_out(name, options, parts):
    with pytest.raises(FeatpruneError) as caught:
        prepare_dataset(name, options)
    assert all(part in str(caught.value) for part in parts) and "\n" not in str(caught.value)
