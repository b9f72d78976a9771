"""Reading and writing files: atomic, without pickles, with errors that name the file.

Tensors are safetensors, tables are Parquet. A file is written beside its place and renamed, so a name either holds
a whole file or nothing.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from featprune.errors import FeatpruneError


@contextmanager
def atomic(path: str | Path) -> Iterator[Path]:
    """Give a temporary path beside `path`; rename it to `path` on success, remove it on failure."""
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{path.name}.{os.getpid()}.partial")
    try:
        yield partial
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)


def sweep(root: str | Path) -> None:
    """Remove what killed processes left half-written below a folder; nothing may be written there meanwhile."""
    for partial in Path(root).rglob(".*.partial"):
        partial.unlink(missing_ok=True)


def sha256(path: str | Path) -> str:
    """The SHA-256 of what a file holds, in hexadecimal."""
    total = hashlib.sha256()
    with Path(path).expanduser().open("rb") as file:
        for part in iter(lambda: file.read(1 << 20), b""):
            total.update(part)
    return total.hexdigest()


def save_arrays(path: str | Path, arrays: Mapping[str, np.ndarray]) -> None:
    """Write named arrays as one safetensors file."""
    from safetensors.numpy import save_file

    with atomic(path) as partial:
        save_file({name: np.asarray(array, order="C") for name, array in arrays.items()}, partial)


def load_arrays(path: str | Path, names: list[str] | None = None, mapped: bool = False) -> dict[str, np.ndarray]:
    """Read the named arrays (all by default) of a safetensors file.

    `mapped` maps the file into memory instead of copying it, which takes no time and is shared between jobs; what is
    written to such an array stays in this process. Raises FeatpruneError naming the file if it is missing, truncated,
    or lacks a name.
    """
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, framework="numpy") as file:  # checks the header and the file's length
            names = file.keys() if names is None else names
            if not mapped:
                return {name: file.get_tensor(name) for name in names}
        return _map(path, names)
    except (SafetensorError, OSError, KeyError) as error:
        raise FeatpruneError(unreadable(path, error)) from error


def _map(path: str | Path, names: Iterable[str]) -> dict[str, np.ndarray]:
    """Map arrays of a sound safetensors file: 8 bytes of the header's length, the header in JSON, then the data."""
    with Path(path).open("rb") as file:
        length = int.from_bytes(file.read(8), "little")
        header = json.loads(file.read(length))
    kinds = {"F32": np.float32, "F64": np.float64, "I32": np.int32, "I64": np.int64, "BOOL": np.bool_, "U8": np.uint8}
    entries = {name: header[name] for name in names}
    return {
        name: np.memmap(path, kinds[e["dtype"]], "c", 8 + length + e["data_offsets"][0], tuple(e["shape"]))
        for name, e in entries.items()
    }


def unreadable(path: str | Path, error: Exception) -> str:
    """One line that says which file can't be read, and what to do about it."""
    reason = str(error).splitlines()[0]
    return f"{path}: missing, truncated or not what was written ({reason}); delete it and run again to make it anew"


def save_table(path: str | Path, table) -> None:
    """Write a pandas frame or an Arrow table as Parquet (zstd)."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    if not isinstance(table, pa.Table):
        table = pa.Table.from_pandas(table, preserve_index=False)
    with atomic(path) as partial:
        pq.write_table(table, partial, compression="zstd")


def load_table(path: str | Path, columns: list[str] | None = None):
    """Read a Parquet file as an Arrow table; raises FeatpruneError naming the file if it can't be read."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        # A run's folder names are Hive keys; the file's own columns are all that is wanted here.
        return pq.read_table(path, columns=columns, partitioning=None)
    except (pa.ArrowException, OSError) as error:
        raise FeatpruneError(unreadable(path, error)) from error
