"""Arrays and tensors as a user has them, checked and turned into a dataset."""

from __future__ import annotations

from typing import Any

import numpy as np

from featprune.datasets.dataset import Dataset
from featprune.errors import FeatpruneError
from featprune.randomness import numpy_generator

Part = float | tuple[Any, Any]  # a share to hold out, or (x, y)


def make_dataset(x: Any, y: Any, validation: Part, test: Part) -> Dataset:
    """The dataset of training samples x (n, inputs) and labels y, with the other splits given, or held out of these.

    What is held out is drawn by a generator of its own, the same for every seed. Raises FeatpruneError that names the
    argument.
    """
    parts = {"train": labelled("", x, y)}
    shares = {}
    for name, part in (("validation", validation), ("test", test)):
        if isinstance(part, (int, float)):
            if not 0 < part < 1:
                raise FeatpruneError(f"{name}: {part} is no share of the samples; it must be > 0 and < 1, or (x, y)")
            shares[name] = float(part)
        elif isinstance(part, (tuple, list)) and len(part) == 2:
            parts[name] = labelled(f"{name} ", *part)
        else:
            raise FeatpruneError(f"{name}: expected a share of the samples, or a pair (x, y)")
    parts = held_out(*parts.pop("train"), shares) | parts
    check_alike(parts)
    return Dataset(
        **{f"{name}_{axis}": array for name, pair in parts.items() for axis, array in zip("xy", pair, strict=True)}
    )


def held_out(x: np.ndarray, y: np.ndarray, shares: dict[str, float]) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """The samples cut into a split a share, rounded up, and "train", the rest; untouched where there is no share."""
    sizes = {name: -int(-share * len(x) // 1) for name, share in shares.items()}
    if not sizes:
        return {"train": (x, y)}
    if sum(sizes.values()) >= len(x):
        raise FeatpruneError(f"x: {len(x)} samples leave none to train on beside {sizes}; give more, or smaller shares")
    order = numpy_generator(0, "split").permutation(len(x))
    cuts = np.split(order, np.cumsum(list(sizes.values())))
    return {name: (x[index], y[index]) for name, index in zip([*sizes, "train"], cuts, strict=True)}


def labelled(split: str, x: Any, y: Any) -> tuple[np.ndarray, np.ndarray]:
    """Inputs float32 (n, inputs), and labels int64 (n,) or float32 (n, outputs); `split` begins an error's name."""
    inputs, labels = as_array(f"{split}x", x), as_array(f"{split}y", y)
    if inputs.ndim != 2 or 0 in inputs.shape:
        hint = "; flatten each sample, x.reshape(len(x), -1)" if inputs.ndim > 2 and inputs.size else ""
        raise FeatpruneError(f"{split}x: shape {inputs.shape}, expected (samples, inputs){hint}")
    if not np.issubdtype(inputs.dtype, np.floating):
        way = "pass floats scaled as the network shall see them, such as (x - x.mean()) / x.std()"
        raise FeatpruneError(f"{split}x: dtype {inputs.dtype}, expected floats; {way}")
    if len(labels.shape) == 0 or len(labels) != len(inputs):
        raise FeatpruneError(
            f"{split}y: shape {labels.shape} for {len(inputs)} samples of x; a label a sample is needed"
        )
    if np.issubdtype(labels.dtype, np.integer):
        labels = classes(split, labels)
    elif np.issubdtype(labels.dtype, np.floating):
        labels = single(f"{split}y", labels[:, None] if labels.ndim == 1 else labels)
        if labels.ndim != 2 or labels.shape[1] == 0:
            raise FeatpruneError(f"{split}y: shape {labels.shape}, expected (samples,) or (samples, outputs)")
    else:
        way = "number the classes, y = np.unique(y, return_inverse=True)[1], or pass floats to regress on"
        raise FeatpruneError(f"{split}y: dtype {labels.dtype}, expected integers or floats; {way}")
    return single(f"{split}x", inputs), labels


def classes(split: str, labels: np.ndarray) -> np.ndarray:
    """Classes as int64 (n,), none of them negative."""
    if labels.ndim != 1:
        way = "; of one-hot rows take y.argmax(1)" if labels.ndim == 2 else ""
        raise FeatpruneError(f"{split}y: shape {labels.shape}, expected (samples,) of classes{way}")
    if labels.min() < 0:
        raise FeatpruneError(f"{split}y: a class {labels.min()}; classes are numbered from 0")
    return np.ascontiguousarray(labels, np.int64)


def check_alike(parts: dict[str, tuple[np.ndarray, np.ndarray]]) -> None:
    """Whether the splits fit each other, and every class is there to be learnt."""
    x, y = parts["train"]
    for name, (inputs, labels) in parts.items():
        if inputs.shape[1] != x.shape[1]:
            raise FeatpruneError(f"{name} x: {inputs.shape[1]} inputs a sample, but x has {x.shape[1]}")
        if labels.dtype != y.dtype or labels.shape[1:] != y.shape[1:]:
            kinds = [f"{kind.dtype} {('samples', *kind.shape[1:])}" for kind in (labels, y)]
            raise FeatpruneError(f"{name} y: {kinds[0]}, but y is {kinds[1]}".replace("'", ""))
    if y.dtype == np.int64:
        known = np.unique(y)
        last = max(int(labels.max()) for _, labels in parts.values())
        missing = sorted(set(range(last + 1)) - set(known.tolist()))
        if missing:
            way = "number those that there are: y = np.unique(y, return_inverse=True)[1]"
            raise FeatpruneError(f"y: no training sample of {_listing(missing)} of the classes 0 to {last}; {way}")
        if last == 0:
            raise FeatpruneError("y: a single class; there is nothing to tell apart")


def as_array(name: str, values: Any) -> np.ndarray:
    """A numpy array of what has its values: an array, a tensor of any device, a frame, nested lists."""
    if hasattr(values, "detach"):
        values = values.detach().cpu()
        values = (values.float() if values.is_floating_point() and values.element_size() < 4 else values).numpy()
    try:
        return np.asarray(values)
    except ValueError as error:
        raise FeatpruneError(f"{name}: no array ({error})") from error


def single(name: str, values: np.ndarray) -> np.ndarray:
    """The values as float32, all finite."""
    with np.errstate(over="ignore"):
        values = np.ascontiguousarray(values, np.float32)
    if not np.isfinite(values).all():
        count = int((~np.isfinite(values)).sum())
        raise FeatpruneError(
            f"{name}: {count} values are not finite in single precision; drop or replace these samples"
        )
    return values


def _listing(numbers: list[int]) -> str:
    shown = ", ".join(map(str, numbers[:5]))
    return f"{shown}, ..." if len(numbers) > 5 else shown
