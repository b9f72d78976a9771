"""Whether results are the same, by what is in them: `python -m benchmarks.compare results/smoke elsewhere/smoke`.

Each folder's files are compared with the first's by a SHA-256 of their content: of Parquet files the columns, types
and values in their order, of others the bytes. Those that differ are listed, with the largest difference of each column
of numbers, and the command fails if there are any. One folder alone: a line a file, as sha256sum writes it, and one of
them all; what another machine printed so can be compared by diff, where both have one version of pyarrow.

Tables by default. `--parts tables runs figures` takes in runs, which lie apart in other blocks of seeds, and figures.
"""

from __future__ import annotations

import argparse
import hashlib
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from featprune.storage import load_table

PARTS = ("tables", "runs", "figures")


def digest(path: Path) -> str:
    """The SHA-256 of a file's content; a table is written anew for it, without what the file's writer chose."""
    if path.suffix != ".parquet":
        return hashlib.sha256(path.read_bytes()).hexdigest()
    anew = pa.BufferOutputStream()
    table = load_table(path).replace_schema_metadata().combine_chunks()
    pq.write_table(table, anew, compression="none", use_dictionary=False, write_statistics=False)
    return hashlib.sha256(anew.getvalue()).hexdigest()


def digests(root: Path, parts: tuple[str, ...] = PARTS[:1]) -> dict[str, str]:
    """A file's path below the folder of results -> its digest, in the order of the paths."""
    files = sorted(path for part in parts for path in (root / part).rglob("*") if path.is_file())
    return {path.relative_to(root).as_posix(): digest(path) for path in files}


def of_all(sums: dict[str, str]) -> str:
    """One digest of all files and their paths."""
    return hashlib.sha256("".join(f"{sum}  {path}\n" for path, sum in sums.items()).encode()).hexdigest()


def differing(first: dict[str, str], other: dict[str, str]) -> list[str]:
    """The paths whose digests differ, or that one side lacks."""
    return sorted(path for path in first.keys() | other.keys() if first.get(path) != other.get(path))


def describe(first: Path, other: Path) -> str:
    """In what two files differ."""
    for path, where in ((first, "the first"), (other, "the other")):
        if not path.is_file():
            return f"not in {where}"
    if first.suffix != ".parquet":
        return "other bytes"
    a, b = load_table(first), load_table(other)
    if a.schema.remove_metadata() != b.schema.remove_metadata() or len(a) != len(b):
        return f"other columns, types or rows ({len(a)} and {len(b)})"
    told = {name: _difference(a[name], b[name]) for name in a.column_names}
    return ", ".join(f"{name} {difference}" for name, difference in told.items() if difference) or "other bits of NaN"


def _difference(a: pa.ChunkedArray, b: pa.ChunkedArray) -> str | None:
    """How much two columns differ; None where they don't."""
    if not (pa.types.is_floating(a.type) or pa.types.is_integer(a.type)):
        return None if a.equals(b) else "differs"
    x, y = (column.to_numpy().astype(float) for column in (a, b))
    apart = ~((x == y) | (np.isnan(x) & np.isnan(y)))
    largest = np.nanmax(np.abs(x - y)[apart], initial=0)
    return f"by up to {largest:.2g} in {apart.sum()} of {len(x)} rows" if apart.any() else None


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("results", nargs="+", type=Path, help="folders of results; the first is what others should be")
    parser.add_argument("--parts", nargs="+", choices=PARTS, default=PARTS[:1], help="of the folders (tables)")
    given = parser.parse_args()
    sums = {root: digests(root, tuple(given.parts)) for root in given.results}
    first, *others = given.results
    if not sums[first]:
        parser.error(f"{first}: no files in {', '.join(given.parts)}")
    if not others:
        for path, sum in sums[first].items():
            print(f"{sum}  {path}")
    print(f"{of_all(sums[first])}  {first}: {len(sums[first])} files")
    failed = False
    for root in others:
        paths = differing(sums[first], sums[root])
        failed |= bool(paths)
        print(f"{of_all(sums[root])}  {root}: {f'{len(paths)} differ' if paths else 'the same'}")
        for path in paths:
            print(f"    {path}: {describe(first / path, root / path)}")
    return failed


if __name__ == "__main__":
    raise SystemExit(main())
