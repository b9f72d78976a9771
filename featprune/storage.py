"""Reading and writing files: atomic, without pickles, with errors that name the file.

Tensors are safetensors, tables are Parquet. A file is written beside its place and renamed, so a name either holds
a whole file or nothing. Each says in its metadata where it belongs and what it holds, with checksums, so that a
flipped byte or the file of another run is noticed when it is read; a file without it, as of an older version, is taken
as it is.
"""

from __future__ import annotations

import hashlib
import json
import os
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

import numpy as np

from featprune.errors import FeatpruneError, unreadable, unwritable, writing

if TYPE_CHECKING:
    import pyarrow as pa
    import pyarrow.parquet as pq

FORMAT = 1  # of what files say of themselves
ABOUT = "featprune"  # the one key of that in a file's metadata: of several, safetensors would shuffle the order
TOPS = ("runs", "tables", "data")  # the folders of results whose files must not be mistaken for each other
SEAL = b"CRC:"  # what comes before the checksum in a Parquet file


@contextmanager
def atomic(path: str | Path) -> Iterator[Path]:
    """Give a temporary path beside `path`; rename it to `path` on success, remove it on failure.

    Raises FeatpruneError naming the file where it can't be written, as on a full disk.
    """
    path = Path(path)
    partial = path.with_name(f".{path.name}.{os.getpid()}.partial")
    try:
        with writing(path):
            path.parent.mkdir(parents=True, exist_ok=True)
        try:
            yield partial
        except OSError as error:
            # Of a write that fails the system names no file; another name is that of a file that was to be read.
            if error.filename is None or partial.name in str(error.filename):
                raise FeatpruneError(unwritable(path, error)) from error
            raise
        with writing(path):
            partial.replace(path)
    finally:
        with suppress(OSError):
            partial.unlink(missing_ok=True)


def place(path: str | Path) -> str:
    """Where a file of results lies, below their folder, which may be moved: "tables/toy/tuned.parquet"; else ""."""
    parts = Path(path).parts
    tops = [number for number, part in enumerate(parts[:-1]) if part in TOPS]
    return "/".join(parts[tops[-1] :]) if tops else ""


def about(path: str | Path, **content: Any) -> dict[str, str]:
    """What a file says of itself, as metadata; content: what is in it, as plain data."""
    return {ABOUT: json.dumps({"format": FORMAT, "place": place(path), **content}, sort_keys=True)}


def told(path: str | Path, metadata: Mapping[str, str] | None) -> dict[str, Any]:
    """What a file says of itself; empty where it says nothing. Raises FeatpruneError for the file of another place."""
    said = json.loads((metadata or {}).get(ABOUT, "{}"))
    if said and said["format"] > FORMAT:
        raise FeatpruneError(f"{path}: written by a newer featprune; read it with that, or delete it and run again")
    here = place(path)
    if said and here and said["place"] not in ("", here):
        text = "is what was written to {}, so not what belongs here; delete it and run again to make it anew"
        raise FeatpruneError(f"{path}: {text.format(said['place'])}")
    return said


def checksum(array: np.ndarray) -> str:
    """The CRC-32 of an array's type, shape and values, in hexadecimal."""
    start = zlib.crc32(f"{array.dtype} {array.shape}".encode())
    return f"{zlib.crc32(array.reshape(-1).view(np.uint8).data, start):08x}"


def sweep(root: str | Path) -> None:
    """Remove what killed processes left half-written below a folder; nothing may be written there meanwhile."""
    for partial in Path(root).rglob(".*.partial"):
        partial.unlink(missing_ok=True)


def sha256(path: str | Path) -> str:
    """The SHA-256 of what a file holds, in hexadecimal."""
    total = hashlib.sha256()
    with Path(path).expanduser().open("rb") as file:
        for part in parts(file):
            total.update(part)
    return total.hexdigest()


def parts(file: BinaryIO) -> Iterator[bytes]:
    """What an open file holds from here on, a megabyte at a time."""
    return iter(lambda: file.read(1 << 20), b"")


def shapes(path: str | Path) -> dict[str, tuple[int, ...]]:
    """The shape of each array of a safetensors file, from its header; raises FeatpruneError as `load_arrays`."""
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, framework="numpy") as file:
            return {name: tuple(file.get_slice(name).get_shape()) for name in file.keys()}  # noqa: SIM118  no dict
    except (SafetensorError, OSError) as error:
        raise FeatpruneError(unreadable(path, error)) from error


def save_arrays(path: str | Path, arrays: Mapping[str, np.ndarray]) -> None:
    """Write named arrays as one safetensors file; raises FeatpruneError where it can't be written."""
    from safetensors.numpy import save

    arrays = {name: np.asarray(array, order="C") for name, array in arrays.items()}
    sums = {name: checksum(array) for name, array in arrays.items()}
    with atomic(path) as partial:
        partial.write_bytes(save(arrays, about(path, sums=sums)))


def load_arrays(path: str | Path, names: Sequence[str] | None = None, mapped: bool = False) -> dict[str, np.ndarray]:
    """Read the named arrays (all by default) of a safetensors file.

    `mapped` maps the file into memory instead of copying it, so that it is shared between jobs; what is written to such
    an array stays in this process. Raises FeatpruneError naming the file if it is missing, truncated or altered, lacks
    a name, or is that of another place; and where its numbers aren't finite, but for those that it has a checksum of:
    such a run has diverged.
    """
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, framework="numpy") as file:  # checks the header and the file's length
            names = list(file.keys()) if names is None else names
            said = told(path, file.metadata())
            arrays = _map(path, names) if mapped else {name: file.get_tensor(name) for name in names}
        for name, array in arrays.items():
            if said and checksum(array) != said["sums"][name]:
                raise ValueError(f"the checksum of {name!r} differs")
            if not said and array.dtype.kind == "f" and not np.isfinite(array).all():
                raise ValueError(f"{name!r} has numbers that are not finite")
        return arrays
    except (SafetensorError, OSError, KeyError, TypeError, ValueError) as error:
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


def save_table(path: str | Path, table) -> None:
    """Write a pandas frame or an Arrow table as Parquet (zstd); raises FeatpruneError where it can't be written."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    if not isinstance(table, pa.Table):
        table = pa.Table.from_pandas(table, preserve_index=False)
    with atomic(path) as partial:
        pq.write_table(table.cast(placed(path, table.schema)), partial, compression="zstd")
        seal(partial)


def placed(path: str | Path, schema: pa.Schema) -> pa.Schema:
    """The schema of a table with what its file says of itself."""
    return schema.with_metadata({**(schema.metadata or {}), **about(path)})


def seal(file: Path) -> None:
    """Put the CRC-32 of a Parquet file into it: before its footer, whose length is in the last 8 bytes, where readers
    see a gap between what the footer points to."""
    with file.open("r+b") as opened:
        total = 0
        for part in parts(opened):
            total = zlib.crc32(part, total)
        length = opened.seek(-8, os.SEEK_END)
        footer = length - int.from_bytes(opened.read(4), "little")
        opened.seek(footer)
        end = opened.read()
        opened.seek(footer)
        opened.write(SEAL + total.to_bytes(4, "little") + end)


def is_sealed(data: memoryview) -> bool:
    """Whether a Parquet file has a checksum; raises ValueError where it differs."""
    footer = len(data) - 8 - int.from_bytes(data[-8:-4], "little")
    if data[max(footer - 8, 0) : max(footer - 4, 0)] != SEAL:
        return False
    found = zlib.crc32(data[footer:], zlib.crc32(data[: footer - 8]))
    if found.to_bytes(4, "little") != data[footer - 4 : footer]:
        raise ValueError("the checksum differs")
    return True


def load_table(path: str | Path) -> pa.Table:
    """Read a Parquet file; raises FeatpruneError naming the file if it is missing or altered, or of another place."""
    import pyarrow as pa

    try:
        return open_table(path).read()
    except (pa.ArrowException, OSError, ValueError) as error:
        raise FeatpruneError(unreadable(path, error)) from error


def open_table(path: str | Path) -> pq.ParquetFile:
    """A whole Parquet file, to be read in parts; raises as `load_table`."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        data = pa.memory_map(str(path)).read_buffer()  # what isn't read takes no memory
        sealed, file = is_sealed(memoryview(data).cast("B")), pq.ParquetFile(pa.BufferReader(data))
        metadata = {key.decode(): value.decode() for key, value in (file.schema_arrow.metadata or {}).items()}
        if told(path, metadata) and not sealed:
            raise ValueError("its checksum is missing")
        return file
    except (pa.ArrowException, OSError, KeyError, TypeError, ValueError) as error:
        raise FeatpruneError(unreadable(path, error)) from error
