"""Made runs on disk and made summaries, for the tests of tables."""

import numpy as np
import pandas as pd
import pyarrow as pa

from featprune.pruning.masks import Mask
from featprune.runs.files import HISTORY_SCHEMA, save_mask
from featprune.storage import save_table

STEPS = (0, 10, 100)
BEHIND = {"dense/dense": [0], "magnitude/init": [0] * 4, "magnitude/none": [0, 100, 200], "magnitude/late": [0, 10, 10]}


def run_folder(root, criterion="dense", rewind="dense", round=0, alpha="0.3"):
    return root / f"experiment=e/alpha={alpha}/lr=1/criterion={criterion}/rewind={rewind}/round={round}/seeds=0-1"


def write_mask(folder, layers):
    save_mask(folder / "mask.safetensors", folder / "density.parquet", Mask(layers, np.ones(2, bool)), [0, 1])


def write_run(root, criterion="dense", rewind="dense", round=0, losses=(3.0, 1.0, 2.0), alpha="0.3", kept=6):
    """A run of seeds 0 and 1 whose validation loss is `losses`, test loss twice and train loss half of that.

    Of the six weights it keeps the last two and the first of the others. A late run's steps are numbered from 10.
    """
    folder = run_folder(root, criterion, rewind, round, alpha)
    write_mask(folder, [np.arange(4).reshape(1, 2, 2).repeat(2, 0) < kept - 2, np.ones((2, 1, 2), bool)])
    first = 10 if rewind == "late" else 0
    rows = [
        (seed, first + step, split, loss * scale, 1 / (1 + loss * scale + seed))
        for seed in (0, 1)
        for step, loss in zip(STEPS, losses, strict=True)
        for split, scale in (("train", 0.5), ("validation", 1.0), ("test", 2.0))
    ]
    names = HISTORY_SCHEMA.names
    table = pa.Table.from_pylist([dict(zip(names, row, strict=True)) for row in rows], HISTORY_SCHEMA)
    save_table(folder / "history.parquet", table)
    return folder


def files(folders, name):
    """The paths of the files of this name."""
    return [str(folder / name) for folder in folders]


def histories_and_densities(folders):
    return files(folders, "history.parquet"), files(folders, "density.parquet")


def made_summary(alphas=(0.3, 1.0), lrs=(1.0, 3.0), rounds=(0, 1), seeds=(0, 1, 2), seed=0):
    """A summary of dense networks and tickets, all metrics at random."""
    rng = np.random.default_rng(seed)
    rows = [
        {
            "experiment": "e",
            "alpha": alpha,
            "lr": lr,
            "criterion": "magnitude" if r else "dense",
            "rewind": "init" if r else "dense",
            "round": r,
            "density": 0.5**r,
            "weights_remaining": 1024 >> r,
            "seed": s,
            "validation_accuracy": rng.random(),
            "validation_loss": rng.random(),
            "test_accuracy": rng.random(),
            "test_loss": rng.random(),
        }
        for alpha in alphas
        for lr in lrs
        for r in rounds
        for s in seeds
    ]
    return pd.DataFrame(rows)
