"""Whatever happens to a file: what is read is what was written, or one line names the file."""

import os
import shutil
from collections.abc import Callable
from contextlib import redirect_stdout
from dataclasses import dataclass
from io import StringIO
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from featprune.compression.codec import load_fpz, save_fpz
from featprune.compression.quantization import quantize
from featprune.data import DATASETS
from featprune.datasets.dataset import load_dataset
from featprune.datasets.files import prepare_files
from featprune.errors import FeatpruneError
from featprune.features.preactivations import dump_preactivations, read_preactivations
from featprune.network import MLP
from featprune.pruning.masks import Mask
from featprune.runs.files import load_mask, load_run, load_snapshots, pack, pack_snapshots, save_mask
from featprune.runs.paths import Cell, RunPath
from featprune.storage import load_arrays, load_table, save_arrays, save_table
from featprune.tables.reading import read_runs
from tests.unit.engine.test_training import made_data

SEEDS, NETWORK = [3, 4], MLP((4, 3, 2))
RUN = RunPath(Cell("made", "0.5", "1", "magnitude", "init"), 1, "3-4")
CLASSES = np.tile(["a", "b"], 6)


def network_of(seed: int):
    """A mask and the weights under it."""
    rng = np.random.default_rng(seed)
    layers = [np.stack([rng.permutation(m * n).reshape(m, n) < m * n // 2 for _ in SEEDS]) for m, n in NETWORK.shapes]
    return Mask(layers, np.ones(2, bool)), NETWORK.initial(SEEDS, seed).masked(layers)


def written(root: Path, run: RunPath, seed: int) -> None:
    """All kinds of files, below a folder of results."""
    mask, parameters = network_of(seed)
    folder, data = Path(run.folder(str(root))), made_data()
    save_mask(folder / "mask.safetensors", folder / "density.parquet", mask, SEEDS)
    block = {"seeds": np.array(SEEDS, np.int32)}
    save_arrays(folder / "weights.safetensors", pack(parameters, mask.layers) | block)
    save_arrays(folder / "snapshots.safetensors", pack_snapshots({0: parameters, 5: parameters}, mask.layers) | block)
    save_table(folder / "history.parquet", pd.DataFrame({"seed": SEEDS, "step": 5, "loss": [0.5, seed]}))
    network = MLP((data.inputs, 3, data.outputs))
    states = {0: network.initial(SEEDS, seed), 5: network.initial(SEEDS)}
    dump_preactivations(folder / "preactivations.parquet", network, states, SEEDS, data, 5)
    one = parameters.replicas([0])
    save_fpz(folder / "seed=3.fpz", quantize(one, [m[:1] for m in mask.layers], [2, 2]))
    data.save(root / f"data/{run.cell.experiment}.safetensors")
    rng = np.random.default_rng(seed)
    own = {"x": rng.random((12, 3)), "label": CLASSES}
    np.savez(root / "own.npz", **own)
    table = pd.DataFrame(own["x"], columns=list("uvw")).assign(label=CLASSES)
    table.to_parquet(root / "own.parquet")
    table.to_csv(root / "own.csv", index=False)
    images = rng.integers(0, 255, (12, 2, 2), np.uint8)
    for name, array in {"x-idx3-ubyte": images, "y-idx1-ubyte": np.arange(12, dtype=np.uint8) % 2}.items():
        (root / name).write_bytes(
            bytes([0, 0, 8, array.ndim]) + np.array(array.shape, ">u4").tobytes() + array.tobytes()
        )


def own(file: Path, **options):
    """A dataset of one's own files."""
    with redirect_stdout(StringIO()):
        data = prepare_files(**{**DATASETS["files"].options, "file": str(file), **options})
    return [data.train_x, data.train_y, data.test_x]


def saved(folder: Path):
    return folder / "mask.safetensors", folder / "weights.safetensors"


@dataclass(frozen=True)
class Kind:
    """A kind of file: its place, how it is read from the results' folder; checked: whether every byte counts."""

    file: str
    read: Callable[[Path], object]
    checked: bool = True


HERE = RUN.folder(".")[2:]
KINDS = {
    "mask": Kind(f"{HERE}/mask.safetensors", lambda r: load_mask(r / HERE / "mask.safetensors", SEEDS)),
    "weights": Kind(f"{HERE}/weights.safetensors", lambda r: load_run(*saved(r / HERE), SEEDS)),
    "snapshots": Kind(
        f"{HERE}/snapshots.safetensors",
        lambda r: load_snapshots(r / HERE / "snapshots.safetensors", r / HERE / "mask.safetensors"),
    ),
    "history": Kind(f"{HERE}/history.parquet", lambda r: read_runs([str(r / HERE / "history.parquet")])),
    "preactivations": Kind(
        f"{HERE}/preactivations.parquet", lambda r: list(read_preactivations(r / HERE / "preactivations.parquet"))
    ),
    "fpz": Kind(f"{HERE}/seed=3.fpz", lambda r: load_fpz(r / HERE / "seed=3.fpz")),
    "dataset": Kind("data/made.safetensors", lambda r: load_dataset(r / "data/made.safetensors")),
    "npz": Kind("own.npz", lambda r: own(r / "own.npz"), checked=False),
    "parquet": Kind("own.parquet", lambda r: own(r / "own.parquet"), checked=False),
    "csv": Kind("own.csv", lambda r: own(r / "own.csv"), checked=False),
    "idx images": Kind(
        "x-idx3-ubyte", lambda r: own(r / "x-idx3-ubyte", label_file=str(r / "y-idx1-ubyte")), checked=False
    ),
    "idx labels": Kind(
        "y-idx1-ubyte", lambda r: own(r / "x-idx3-ubyte", label_file=str(r / "y-idx1-ubyte")), checked=False
    ),
}


@pytest.fixture(scope="module")
def root(tmp_path_factory) -> Path:
    """Results of a run, and those of another beside them."""
    root = tmp_path_factory.mktemp("files")
    written(root, RUN, 1)
    written(root / "other", RunPath(RUN.cell._replace(experiment="other"), 1, "3-4"), 2)
    return root


def same(found, expected) -> bool:
    """Whether two things that were read are the same, to the type of every number."""
    if isinstance(expected, pd.DataFrame):
        return found.equals(expected)
    if isinstance(expected, np.ndarray):
        return found.dtype == expected.dtype and np.array_equal(found, expected, equal_nan=expected.dtype.kind == "f")
    if isinstance(expected, dict):
        return list(found) == list(expected) and all(same(found[key], expected[key]) for key in expected)
    if isinstance(expected, (list, tuple)):
        return len(found) == len(expected) and all(map(same, found, expected))
    return same(vars(found), vars(expected)) if hasattr(expected, "__dict__") else found == expected


def is_named(file: Path, error: str) -> bool:
    """Whether an error is a line that names a file, or, of labels, the images whose labels they are."""
    return "\n" not in error and (file.name in error or (file.name[:2] == "y-" and "x-idx3-ubyte" in error))


@st.composite
def damages(draw) -> tuple[str, int, int]:
    """What happens to a file: how, where (a share of its bytes, in millionths), and with what."""
    how = draw(st.sampled_from(["flip", "cut", "insert", "zero", "drop"]))
    return how, draw(st.integers(0, 999_999)), draw(st.integers(1, 255))


def damaged(data: bytes, how: str, share: int, value: int) -> bytes:
    at = len(data) * share // 1_000_000
    if how == "flip":
        return data[:at] + bytes([data[at] ^ value]) + data[at + 1 :]
    after = {"cut": b"", "insert": bytes([value]) + data[at:], "drop": data[at + 1 :]}
    return data[:at] + after.get(how, bytes(len(data) - at))


@pytest.mark.parametrize("name", KINDS)
@given(damage=damages())
@example(damage=("cut", 0, 1))
@example(damage=("flip", 999_999, 1))
def test_a_damaged_file_is_named_or_read_as_it_was(root, name, damage):
    kind = KINDS[name]
    file = root / kind.file
    whole, expected = file.read_bytes(), kind.read(root)
    try:
        file.write_bytes(damaged(whole, *damage))
        try:
            found = kind.read(root)
        except FeatpruneError as error:
            assert is_named(file, str(error))
        else:
            assert same(found, expected) or not kind.checked
    finally:
        file.write_bytes(whole)
    assert same(kind.read(root), expected)


@pytest.mark.parametrize("name", KINDS)
@pytest.mark.parametrize("other", KINDS)
def test_another_file_in_its_place_is_named(root, name, other):
    kind = KINDS[name]
    file = root / kind.file
    # Of the same kind it is that of another run, and, of one's own files, as good as any. A table that says nothing of
    # itself is taken for an older version's, whose columns tell (`featprune.tables.reading.expected`).
    source = root / KINDS[other].file if other != name else root / "other" / kind.file.replace("made", "other")
    if (other == name and (not kind.checked or name == "fpz")) or (name, other) == ("history", "parquet"):
        return
    whole = file.read_bytes()
    try:
        shutil.copyfile(source, file)
        with pytest.raises(FeatpruneError) as caught:
            kind.read(root)
        assert is_named(file, str(caught.value))
    finally:
        file.write_bytes(whole)


def rewritten(file: Path, **changes) -> None:
    """Change arrays with another program, which leaves out what the file says of itself."""
    from safetensors.numpy import load_file, save_file

    arrays = load_file(file)
    save_file({name: changes.get(name, lambda a: a)(array) for name, array in arrays.items()}, file)


@pytest.mark.parametrize(
    "name, changes, text",
    [
        ("mask", {"mask1": lambda a: a.view(np.uint8) * np.uint8(2)}, "more than 0 and 1"),
        ("mask", {"mask1": lambda a: (a.view(np.uint8) * np.uint8(2)).view(bool)}, "more than 0 and 1"),
        ("mask", {"mask1": lambda a: a.astype(np.float32)}, "more than 0 and 1"),
        ("mask", {"mask2": lambda a: a[:, :, :2].copy()}, "of no network"),
        ("mask", {"sound": lambda a: a[:1].copy()}, "not a mask of 2 networks"),
        ("mask", {"seeds": lambda a: a + np.int32(1)}, r"holds seeds \[4, 5\], not \[3, 4\]"),
        ("weights", {"seeds": lambda a: a + np.int32(1)}, r"holds seeds \[4, 5\], not \[3, 4\]"),
        ("weights", {"weights": lambda a: a[:, 1:].copy()}, "8 weights and 5 biases of a network, where its mask"),
        ("weights", {"weights": lambda a: a * np.float32(np.nan)}, "not finite"),
        ("weights", {"biases": lambda a: a / np.float32(0)}, "not finite"),
        ("dataset", {"train_x": lambda a: a * np.float32(np.inf)}, "not finite"),
        ("dataset", {"train_y": lambda a: a[1:].copy()}, "train inputs of shape"),
    ],
)
@pytest.mark.filterwarnings("ignore:(divide by zero|invalid value)")
def test_what_another_program_wrote_is_checked(root, name, changes, text):
    file = root / KINDS[name].file
    whole = file.read_bytes()
    try:
        rewritten(file, **changes)
        with pytest.raises(FeatpruneError, match=f"{file.name}: .*{text}"):
            KINDS[name].read(root)
    finally:
        file.write_bytes(whole)


@pytest.mark.parametrize("name", ["mask", "weights", "snapshots", "dataset"])
def test_what_an_older_version_wrote_is_read(root, name):
    file, expected = root / KINDS[name].file, KINDS[name].read(root)
    whole = file.read_bytes()
    try:
        rewritten(file)
        assert same(KINDS[name].read(root), expected)
    finally:
        file.write_bytes(whole)


def test_what_a_newer_version_wrote_is_named(root, monkeypatch):
    for name in ("mask", "history"):
        monkeypatch.setattr("featprune.storage.FORMAT", 0)
        with pytest.raises(FeatpruneError, match="written by a newer featprune"):
            KINDS[name].read(root)


def test_results_may_be_moved_as_a_whole(root, tmp_path):
    moved = Path(shutil.copytree(root, tmp_path / "runs" / "é data" / "moved"))
    for kind in KINDS.values():
        assert same(kind.read(moved), kind.read(root))


def test_an_object_in_an_npz_is_never_unpickled(tmp_path):
    class Evil:
        def __reduce__(self):
            return os.mkdir, (str(tmp_path / "evil"),)

    np.savez(tmp_path / "evil.npz", x=np.array([[Evil()]], dtype=object), label=np.array(["a"]), allow_pickle=True)
    with pytest.raises(FeatpruneError, match=r"evil\.npz can't be read as npz \(Object arrays cannot be loaded"):
        own(tmp_path / "evil.npz")
    assert not (tmp_path / "evil").exists()


def test_equal_content_gives_equal_bytes(tmp_path):
    arrays, frame = {"b": np.arange(3), "a": np.zeros(2), "c": np.ones(1)}, pd.DataFrame({"x": [1, 2]})
    for folder in ("one", "two"):
        save_arrays(tmp_path / folder / "data/x.safetensors", arrays)
        save_table(tmp_path / folder / "tables/x.parquet", frame)
    for name in ("data/x.safetensors", "tables/x.parquet"):
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes()
    assert load_arrays(tmp_path / "one/data/x.safetensors").keys() == arrays.keys()
    assert load_table(tmp_path / "one/tables/x.parquet").to_pandas().equals(frame)
