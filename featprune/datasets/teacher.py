"""The toy data: Gaussian inputs, labelled by one-hidden-layer networks that the students are to find again."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from featprune.activations import ACTIVATIONS
from featprune.datasets.dataset import Dataset
from featprune.errors import FeatpruneError, lookup
from featprune.randomness import numpy_generator


def prepare_teacher(
    data_dir: str | Path | None = None,
    *,
    inputs: int,
    units: int,
    activation: str,
    train: int,
    validation: int,
    test: int,
    teachers: int,
    seed: int,
) -> Dataset:
    """Gaussian inputs labelled by one-hidden-layer teachers, f(x) = sum_k activation(u_k . x), one for each seed.

    The u_k (`units` of them) are random directions of unit norm; targets (teachers, n, 1) are standardized with the
    mean and deviation of f over the training split. `train`, `validation` and `test` are the sizes of the splits,
    whose inputs all teachers share. Seed s of a study learns from teacher s modulo `teachers`; with a single one there
    is one teacher for all. Needs no files. Raises FeatpruneError for a size below 1 or an unknown activation.
    """
    sizes = {"train": train, "validation": validation, "test": test}
    for option, value in {"inputs": inputs, "units": units, "teachers": teachers, **sizes}.items():
        if value < 1:
            raise FeatpruneError(f"option {option!r} of dataset 'teacher' is {value}, which is less than 1")
    sigma = lookup(ACTIVATIONS, activation, "activation").array

    drawn = [numpy_generator(seed, "teacher", "units", number) for number in range(teachers)]
    directions = np.stack([generator.standard_normal((units, inputs)) for generator in drawn])
    directions /= np.linalg.norm(directions, axis=-1, keepdims=True)
    teacher = directions.astype(np.float32)
    xs, fs = {}, {}
    for split, size in sizes.items():
        xs[split] = numpy_generator(seed, "teacher", split).standard_normal((size, inputs)).astype(np.float32)
        # From the rounded arrays, which are what is saved, so that the labels can be had again from the file.
        fs[split] = sigma(xs[split].astype(np.float64) @ teacher.swapaxes(1, 2)).sum(axis=2, keepdims=True)
    mean, deviation = (statistic(fs["train"], axis=1, keepdims=True) for statistic in (np.mean, np.std))
    deviation[deviation == 0] = 1.0  # that of one sample alone
    ys = {split: ((f - mean) / deviation).astype(np.float32) for split, f in fs.items()}
    arrays = {f"{split}_{axis}": part[split] for axis, part in {"x": xs, "y": ys}.items() for split in sizes}
    return Dataset(**arrays, teacher=teacher)
