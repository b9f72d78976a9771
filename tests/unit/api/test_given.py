"""Arrays and tensors become a dataset, or an error that names the argument and the way out."""

import numpy as np
import pytest
import torch

from featprune.api.given import make_dataset
from featprune.errors import FeatpruneError

RNG = np.random.default_rng(0)
X, Y = RNG.standard_normal((40, 3)), np.arange(40) % 4


@pytest.mark.parametrize("kind", [np.asarray, torch.tensor, np.ndarray.tolist])
def test_arrays_tensors_and_lists_give_the_same_dataset(kind):
    data, plain = (make_dataset(a(X), a(Y), 0.1, (a(X), a(Y))) for a in (kind, np.asarray))
    assert data.train_x.dtype == np.float32 and data.train_y.dtype == np.int64
    assert len(data.train_x) == 36 and len(data.validation_x) == 4 and data.outputs == 4
    assert np.array_equal(data.train_x, plain.train_x) and np.array_equal(data.test_x, X.astype(np.float32))


def test_halves_that_numpy_lacks_are_taken_too():
    data = make_dataset(torch.tensor(X, dtype=torch.bfloat16, requires_grad=True), Y, 0.1, 0.1)
    assert data.train_x.dtype == np.float32


def test_what_is_held_out_is_not_trained_on_and_nothing_is_lost():
    x = np.arange(40.0)[:, None]
    data = make_dataset(x, Y, 0.2, 0.1)
    parts = [data.train_x, data.validation_x, data.test_x]
    assert list(map(len, parts)) == [28, 8, 4]
    assert sorted(np.concatenate(parts)[:, 0]) == x[:, 0].tolist()
    assert np.array_equal(data.train_x[:, 0] % 4, data.train_y)


def test_given_splits_leave_the_order_alone():
    assert np.array_equal(make_dataset(X, Y, (X, Y), (X, Y)).train_x, X.astype(np.float32))


@pytest.mark.parametrize("y", [X[:, 0], X[:, :2], X[:, :1].astype(np.float32)])
def test_floats_are_regressed_on(y):
    data = make_dataset(X, y, 0.1, 0.1)
    assert not data.classification and data.train_y.dtype == np.float32 and data.train_y.ndim == 2


BAD_X = X.copy()
BAD_X[0, 0] = np.nan
MISTAKES = {
    "images": (np.zeros((40, 28, 28)), Y, r"^x: shape \(40, 28, 28\).*flatten each sample, x.reshape\(len\(x\), -1\)$"),
    "one dimension": (X[:, 0], Y, r"^x: shape \(40,\), expected \(samples, inputs\)$"),
    "no sample": (X[:0], Y[:0], "^x: shape"),
    "pixels": (np.zeros((40, 3), np.uint8), Y, "^x: dtype uint8, expected floats"),
    "not finite": (BAD_X, Y, "^x: 1 values are not finite"),
    "too large": (X * 1e200, Y, "^x: 120 values are not finite"),
    "ragged": ([[1.0], [1.0, 2.0]], Y, "^x: no array"),
    "fewer labels": (X, Y[:-1], r"^y: shape \(39,\) for 40 samples"),
    "names": (X, np.array(list("abcd") * 10), "^y: dtype <U1.*np.unique"),
    "one-hot": (X, np.eye(4, dtype=int)[Y], r"^y: shape \(40, 4\).*argmax"),
    "negative": (X, Y - 1, "^y: a class -1"),
    "from one": (X, Y + 1, "^y: no training sample of 0 of the classes 0 to 4; number"),
    "one class": (X, Y * 0, "^y: a single class"),
    "three axes": (X, X[:, :, None], r"^y: shape \(40, 3, 1\)"),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_is_one_line_that_names_the_argument(mistake):
    x, y, message = MISTAKES[mistake]
    with pytest.raises(FeatpruneError, match=message) as error:
        make_dataset(x, y, 0.1, 0.1)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    "validation, test, message",
    [
        (0.1, (X[:, :2], Y), "^test x: 2 inputs a sample, but x has 3"),
        ((X, Y.astype(float)), 0.1, r"^validation y: float32 \(samples, 1\), but y is int64"),
        (0.1, (X, Y + 1), "^y: no training sample of 4"),
        (1.0, 0.1, "^validation: 1.0 is no share"),
        (0.6, 0.6, "^x: 40 samples leave none"),
        (None, 0.1, "^validation: expected"),
    ],
)
def test_splits_have_to_fit(validation, test, message):
    with pytest.raises(FeatpruneError, match=message):
        make_dataset(X, Y, validation, test)
