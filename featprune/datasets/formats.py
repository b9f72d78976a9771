"""Files of one's own: samples and labels from a table (CSV, Parquet), from an `.npz`, or from a pair of idx files.

What a file lacks is an error that names the option of the dataset, the file, and the way out.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING
from zipfile import BadZipFile

import numpy as np

from featprune.datasets.sources import UNSOUND
from featprune.errors import FeatpruneError, first_line, nearest

if TYPE_CHECKING:
    import pandas as pd

SOURCE = "files"  # under `DATASETS`
# What libraries raise for a file that is not whole; its metadata may be wrong too, or ask for endless memory.
UNREADABLE = (*UNSOUND, BadZipFile, LookupError, ArithmeticError, MemoryError, struct.error)
# What a file's name ends on -> its format.
ENDINGS = {
    r"\.csv(\.gz)?": "csv",
    r"\.(parquet|pq)": "parquet",
    r"\.npz": "npz",
    r"[-.]idx\d[-.]ubyte(\.gz)?": "idx",
}
KNOWN = ".csv, .csv.gz, .parquet, .npz, -idx<n>-ubyte, -idx<n>-ubyte.gz"
INDEX = re.compile(r"Unnamed: \d+")  # what pandas calls a column of a CSV file without a name


@dataclass(frozen=True, eq=False)
class Samples:
    """Samples (n, ...) of numbers with their labels (n,), as a file has them; of a table, its columns' names."""

    inputs: np.ndarray
    labels: np.ndarray
    columns: tuple[str, ...] = ()


def mistake(option: str, text: str) -> FeatpruneError:
    """An error that names an option of the dataset."""
    return FeatpruneError(f"option {option!r} of dataset {SOURCE!r}: {text}")


def format_of(file: str) -> str | None:
    """The format that a file's name tells, a value of `ENDINGS`."""
    return next((kind for ending, kind in ENDINGS.items() if re.search(f"{ending}$", file.lower())), None)


def read_samples(
    file: str, label: str, drop: Sequence[str] = (), label_file: str = "", option: str = "file"
) -> Samples:
    """The samples in a file whose name an option gives.

    `label` names the column of a table, or the array of an `.npz`, that has the labels; those in `drop` are left out,
    and the rest are inputs. Of idx files `label_file` has the labels. Raises FeatpruneError for a file that can't be
    read, lacks one of these, or has what isn't numbers.
    """
    kind = format_of(file)
    if kind is None:
        raise mistake(option, f"{file} is of no format that is known by its name ({KNOWN})")
    if kind == "idx":
        if not label_file:
            raise mistake(f"{option[:-4]}label_file", f"missing; name the idx file of {file}'s labels")
        return Samples(read_idx(file, option), read_idx(label_file, f"{option[:-4]}label_file"))
    try:
        content = READERS[kind](Path(file).expanduser())
    except UNREADABLE as error:
        raise mistake(option, f"{file} can't be read as {kind} ({first_line(error)}); save it anew") from error
    if isinstance(content, dict):
        return from_arrays(content, file, label, drop)
    return from_table(content, file, label, drop)


def read_idx(file: str, option: str) -> np.ndarray:
    """The array in an idx file, plain or .gz, of any type and number of axes."""
    from torchvision.datasets.mnist import read_sn3_pascalvincent_tensor
    from torchvision.datasets.utils import extract_archive

    path = Path(file).expanduser()
    try:
        with TemporaryDirectory() as scratch:
            plain = extract_archive(str(path), scratch) if path.suffix == ".gz" else str(path)
            return read_sn3_pascalvincent_tensor(plain).numpy()
    except UNREADABLE as error:
        raise mistake(option, f"{file} is no whole idx file ({first_line(error)}); name one that is") from error


def read_csv(path: Path) -> pd.DataFrame:
    import pandas as pd

    return pd.read_csv(path, low_memory=False)


def read_parquet(path: Path) -> pd.DataFrame:
    import pyarrow.parquet as pq

    return pq.read_table(path, partitioning=None).to_pandas()


def read_npz(path: Path) -> dict[str, np.ndarray]:
    content = np.load(path, allow_pickle=False)
    if not isinstance(content, np.lib.npyio.NpzFile):
        raise ValueError("it is a single array, not an .npz")
    with content:
        return dict(content)


READERS: dict[str, Callable[[Path], dict[str, np.ndarray] | pd.DataFrame]] = {
    "csv": read_csv,
    "parquet": read_parquet,
    "npz": read_npz,
}


def from_arrays(arrays: dict[str, np.ndarray], file: str, label: str, drop: Sequence[str]) -> Samples:
    """Of named arrays, the labels and the one other."""
    others = remaining(list(arrays), file, "array", label, drop)
    if len(others) != 1:
        found = ", ".join(others) or "none"
        raise mistake("drop", f"{file} must have one array besides the labels (found: {found}); list the rest here")
    return Samples(arrays[others[0]], arrays[label])


def from_table(frame: pd.DataFrame, file: str, label: str, drop: Sequence[str]) -> Samples:
    """Of a table, the column of labels and all others."""
    from pandas.api.types import is_numeric_dtype

    if frame.empty:
        raise mistake("file", f"{file} has no rows; name a file with samples")
    columns = remaining(list(map(str, frame.columns)), file, "column", label, drop)
    if unnamed := [column for column in columns if INDEX.fullmatch(column)]:
        way = f"an index? save without it, or list {unnamed[0]!r} here"
        raise mistake("drop", f"{file} has a column without a name ({way})")
    if words := [column for column in columns if not is_numeric_dtype(frame[column])]:
        text = f"{file} has columns that aren't numbers, {listed(words)}"
        raise mistake("drop", f"{text}; write them as numbers, or list them here")
    if not columns:
        raise mistake("label", f"{file} has no column besides {label!r}; give it inputs")
    labels = frame[label]
    if empty := int(labels.isna().sum()):
        first = 1 + int(labels.isna().to_numpy().argmax())
        raise mistake("label", f"{file} lacks {empty} labels, the first in row {first}; give them or drop the rows")
    inputs = frame[columns].to_numpy(dtype=np.float64, na_value=np.nan)
    return Samples(inputs, np.asarray(labels.tolist()), tuple(columns))


def remaining(names: list[str], file: str, what: str, label: str, drop: Sequence[str]) -> list[str]:
    """The names of a file's columns or arrays without the labels' and those that are dropped."""
    if repeated := sorted({name for name in names if names.count(name) > 1}):
        raise mistake("file", f"{file} has several columns of the name {repeated[0]!r}; rename them")
    if label not in names:
        raise mistake("label", f"{file} has no {what} {label!r}; {nearest(label, names)}")
    for name in drop:
        if name not in names:
            raise mistake("drop", f"{file} has no {what} {name!r}; {nearest(name, names)}")
    if label in drop:
        raise mistake("drop", f"{label!r} is the label; take it out of one of the two")
    return [name for name in names if name != label and name not in drop]


def listed(names: Sequence[str], most: int = 5) -> str:
    """The first of some names, and how many more there are."""
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(map(repr, names[:most])) + more
