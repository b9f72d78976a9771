"""What of a result another machine changes: `python -m benchmarks.machines`, in some minutes; MNIST as in the README.

The same training under settings that make torch, oneDNN, MKL, OpenBLAS and numba compute as on an older x86 machine,
and with the other product (`featprune.engine.products`), each in a process of its own. Compared with the machine as it
is: weights after some steps, by the norm of their difference over their own, where 0 is the same bits; and the test
accuracy of each run, by the largest and the mean difference in points. Beside them the deviation over seeds. Writes
results/benchmarks/machines.parquet, and prints the table that docs/reproducibility.md has.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pandas as pd

from featprune.data import prepare_dataset
from featprune.engine import products
from featprune.jobs.joblog import THREADS
from featprune.jobs.provenance import provenance
from featprune.storage import load_arrays, save_arrays, save_table

OUTPUT = Path("results/benchmarks/machines.parquet")
BLAS = "--blas"
AVX2 = {
    "ATEN_CPU_CAPABILITY": {"ATEN_CPU_CAPABILITY": "avx2"},
    "ONEDNN_MAX_CPU_ISA": {"ONEDNN_MAX_CPU_ISA": "AVX2"},
    "MKL_ENABLE_INSTRUCTIONS": {"MKL_ENABLE_INSTRUCTIONS": "AVX2"},
    "OPENBLAS_CORETYPE": {"OPENBLAS_CORETYPE": "Haswell"},
    "NUMBA_CPU_NAME": {"NUMBA_CPU_NAME": "haswell", "NUMBA_CPU_FEATURES": ""},
}
# What is told of a setting -> its environment.
SETTINGS: dict[str, dict[str, str]] = {
    "as it is": {},
    **{" ".join(f"{key}={value}" for key, value in setting.items()): setting for setting in AVX2.values()},
    "all of these": {key: value for setting in AVX2.values() for key, value in setting.items()},
    "ONEDNN_MAX_CPU_ISA=AVX512_CORE": {"ONEDNN_MAX_CPU_ISA": "AVX512_CORE"},
    "NUMBA_CPU_NAME=generic": {"NUMBA_CPU_NAME": "generic"},
    "product torch.mm": {},
}
STEPS = (1, 10, 100, 500)  # of the runs on MNIST, at which weights are compared
SEEDS = (0, 1, 2)
SAMPLES = 10_000  # of MNIST, to train on


def trained() -> Iterator[tuple[str, np.ndarray]]:
    """Name -> array of what is compared: weights of runs on MNIST, and accuracies (cells, rounds, seeds)."""
    from featprune import prune_and_train

    mnist = {"hidden": [300, 100], "lr": 4e-3, "steps": STEPS[-1], "round": 2, "snapshot_steps": STEPS}
    digits = {"hidden": [30, 20], "lr": 3e-3, "steps": 200, "round": 4}
    for name, options, cells in (
        ("mnist", {"scaling": "unit_norm"}, [mnist]),
        (
            "digits",
            {},
            [digits | {"alpha": alpha, "rewind": kind} for alpha in (0.3, 1.0) for kind in ("init", "none")],
        ),
    ):
        data = prepare_dataset(name, options, os.environ.get("FEATPRUNE_DATA"))
        splits = {part: (getattr(data, f"{part}_x"), getattr(data, f"{part}_y")) for part in ("validation", "test")}
        x, y, rates = data.train_x[:SAMPLES], data.train_y[:SAMPLES], {"hidden": 0.6, "output": 0.3}
        accuracies = []
        for cell in cells:
            result = prune_and_train(x, y, **splits, **cell, seeds=SEEDS, rates=rates, evaluation_steps=1)
            accuracies.append([run.accuracy for run in result.runs.values()])
        yield name, np.array(accuracies)
        for kind, run in (("dense", result.dense), ("sparse", result)):
            for step in STEPS if name == "mnist" else ():
                yield f"{kind} {step}", np.concatenate([w.ravel() for w in run.snapshots[step].weights])


def of_a_process(setting: str, folder: Path) -> dict[str, np.ndarray]:
    """What a process under this setting trains."""
    file = folder / "trained.safetensors"
    command = [sys.executable, "-m", __spec__.name, str(file), *([BLAS] if setting == "product torch.mm" else [])]
    subprocess.run(command, check=True, env=os.environ | dict.fromkeys(THREADS, "1") | SETTINGS[setting])
    return load_arrays(file)


def apart(reference: Mapping[str, np.ndarray], other: Mapping[str, np.ndarray]) -> dict[str, float]:
    """The differences of weights, relative to their norm, and of accuracies, in points: the columns of a row."""
    row = {}
    for name, mine in reference.items():
        difference = other[name].astype(float) - mine
        if name in ("mnist", "digits"):
            points = 100 * np.abs(difference)
            row |= {f"{name} largest": points.max(), f"{name} mean": points.mean()}
        else:
            row[name] = float(np.linalg.norm(difference) / np.linalg.norm(mine))
    return row


def spread(accuracies: np.ndarray) -> float:
    """The deviation over seeds (last axis) of accuracies, in points, over all cells and rounds."""
    return 100 * float(np.sqrt(accuracies.var(axis=-1, ddof=1).mean()))


def compared() -> pd.DataFrame:
    """A row a setting, and a last one with the deviation over seeds under "mean"."""
    with TemporaryDirectory() as folder:
        found = {setting: of_a_process(setting, Path(folder)) for setting in SETTINGS}
    reference = found.pop("as it is")
    rows = {setting: apart(reference, arrays) for setting, arrays in found.items()}
    rows["deviation over seeds"] = {f"{name} mean": spread(reference[name]) for name in ("mnist", "digits")}
    columns = [f"{kind} {step}" for kind in ("dense", "sparse") for step in STEPS]
    columns += [f"{name} {which}" for name in ("mnist", "digits") for which in ("largest", "mean")]
    return pd.DataFrame.from_dict(rows, orient="index")[columns].rename_axis("setting").reset_index()


def as_text(table: pd.DataFrame) -> str:
    """The table in Markdown, with differences of weights by their order of magnitude."""
    text = table.copy()
    for name in table.columns[1:]:
        form = "{:.2f}" if name.endswith(("largest", "mean")) else "{:.0e}"
        text[name] = ["" if np.isnan(x) else "0" if x == 0 else form.format(x) for x in table[name]]
    return text.to_markdown(index=False, disable_numparse=True)


def main() -> None:
    if len(sys.argv) > 1:
        if BLAS in sys.argv:
            products._chosen = lambda dtype: (products.BLAS, products.blas)
        save_arrays(sys.argv[1], dict(trained()))
        return
    table = compared()
    save_table(OUTPUT, table)
    told = provenance()
    versions = ", ".join(f"{name} {told['packages'].get(name)}" for name in ("torch", "numpy", "numba"))
    print(f"{told['device']['processor']}, {versions}\n\n{as_text(table)}")


if __name__ == "__main__":
    main()
