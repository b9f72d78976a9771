import errno
import os
import resource
import shutil
from pathlib import Path
from tempfile import mkdtemp

import numpy as np
import pandas as pd
import pytest

from featprune.errors import FeatpruneError, lookup
from featprune.randomness import derive, numpy_generator, torch_generator
from featprune.storage import atomic, load_arrays, load_table, place, save_arrays, save_table


def test_arrays_round_trip_and_can_be_read_by_name(tmp_path):
    arrays = {"b": np.arange(6, dtype=np.float32).reshape(2, 3).T, "a": np.array([True, False])}
    save_arrays(tmp_path / "x.safetensors", arrays)
    again = load_arrays(tmp_path / "x.safetensors")
    assert all(np.array_equal(again[name], arrays[name]) for name in arrays)
    assert list(load_arrays(tmp_path / "x.safetensors", ["a"])) == ["a"]


def test_nothing_is_left_where_writing_failed(tmp_path):
    path = tmp_path / "x.txt"
    path.write_text("old")
    with pytest.raises(RuntimeError), atomic(path) as partial:
        partial.write_text("half")
        raise RuntimeError
    assert path.read_text() == "old" and list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("damage", [lambda p: p.write_bytes(p.read_bytes()[:-3]), lambda p: p.unlink()])
def test_a_broken_file_is_named_with_the_way_out(tmp_path, damage):
    arrays, table = tmp_path / "x.safetensors", tmp_path / "x.parquet"
    save_arrays(arrays, {"a": np.zeros(100)})
    save_table(table, pd.DataFrame({"a": range(100)}))
    for path, load in ((arrays, load_arrays), (table, load_table)):
        damage(path)
        with pytest.raises(FeatpruneError, match=f"{path.name}: missing, truncated .*delete it and run again") as error:
            load(path)
        assert "\n" not in str(error.value)


def test_a_name_that_a_file_lacks_is_an_error(tmp_path):
    save_arrays(tmp_path / "x.safetensors", {"a": np.zeros(1)})
    with pytest.raises(FeatpruneError, match=r"x\.safetensors"):
        load_arrays(tmp_path / "x.safetensors", ["b"])


def test_seeds_and_purposes_are_told_apart():
    assert len({derive(0, "a"), derive(1, "a"), derive(0, "b"), derive(0, "a", 1)}) == 4
    assert derive(0, "a") == derive(0, "a")
    a, b = (torch_generator(3, "order").initial_seed() for _ in range(2))
    assert a == b == derive(3, "order")
    assert numpy_generator(0, "a").random() != numpy_generator(0, "b").random()


def test_an_unknown_name_gets_the_nearest_and_all():
    with pytest.raises(FeatpruneError, match=r"unknown rewind 'intit'; did you mean 'init'\? \(known: init, late\)"):
        lookup({"init": 1, "late": 2}, "intit", "rewind")
    with pytest.raises(FeatpruneError, match="unknown rewind 'zzz'; known: init, late"):
        lookup({"init": 1, "late": 2}, "zzz", "rewind")


def as_another(do) -> str:
    """What a child process prints that does something as a user without rights, or as this one if it has none."""
    read, write = os.pipe()
    if not (child := os.fork()):
        try:
            if os.getuid() == 0:
                os.setgid(65534)
                os.setuid(65534)
            do()
            told = "nothing"
        except BaseException as error:
            told = f"{type(error).__name__}: {error}"
        os.write(write, told.encode())
        os._exit(0)
    os.close(write)
    with open(read, "rb") as pipe:  # noqa: PTH123
        told = pipe.read().decode()
    os.waitpid(child, 0)
    return told


WRITERS = {
    "x.safetensors": lambda path: save_arrays(path, {"a": np.zeros(10_000)}),
    "x.parquet": lambda path: save_table(path, pd.DataFrame({"a": np.random.default_rng(0).random(10_000)})),
}


@pytest.mark.parametrize("name", WRITERS)
def test_a_folder_without_permission_is_one_line(tmp_path_factory, name):
    folder = Path(mkdtemp())  # which others may look into
    try:
        folder.chmod(0o555)
        told = as_another(lambda: WRITERS[name](folder / name))
        way = "allow it, or name another folder in the config's `results`, and run the same command again"
        assert told == f"FeatpruneError: {folder}/{name}: can't be written (Permission denied); {way}"
        told = as_another(lambda: WRITERS[name](folder / "new" / name))
        assert "can't be written (Permission denied)" in told
        folder.chmod(0o777)
        assert as_another(lambda: WRITERS[name](folder / name)) == "nothing"
    finally:
        shutil.rmtree(folder)


@pytest.mark.parametrize("name", WRITERS)
def test_a_full_disk_is_one_line_and_leaves_what_was_there(tmp_path, monkeypatch, name):
    path = tmp_path / name
    WRITERS[name](path)
    before = path.read_bytes()
    whole = Path.open

    def full(self, mode="r", *arguments, **options):
        if mode not in ("wb", "r+b"):
            return whole(self, mode, *arguments, **options)
        whole(self, "ab").close()
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(Path, "open", full)
    with pytest.raises(FeatpruneError) as caught:
        WRITERS[name](path)
    way = "make room there, and run the same command again"
    assert str(caught.value) == f"{path}: can't be written (No space left on device); {way}"
    assert path.read_bytes() == before and list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("name", WRITERS)
def test_a_limit_on_the_size_of_files_is_one_line(tmp_path, name):
    def limited():
        resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))
        WRITERS[name](tmp_path / name)

    tmp_path.chmod(0o777)
    for folder in tmp_path.parents[:-2]:
        folder.chmod(0o755)
    assert f"{name}: can't be written (File too large); see to that" in as_another(limited)
    assert not list(tmp_path.iterdir())


def test_an_error_of_another_file_is_left_as_it_is(tmp_path):
    with pytest.raises(FileNotFoundError), atomic(tmp_path / "x"):
        (tmp_path / "no").read_text()


@pytest.mark.parametrize(
    "path, below",
    [
        ("results/tables/toy/tuned.parquet", "tables/toy/tuned.parquet"),
        ("/x/runs/y/results/runs/experiment=a/mask.safetensors", "runs/experiment=a/mask.safetensors"),
        ("results/tables/data/summary.parquet", "data/summary.parquet"),
        ("tuned.parquet", ""),
        ("x/tables", ""),
    ],
)
def test_the_place_of_a_file_is_below_the_results(path, below):
    assert place(path) == below
