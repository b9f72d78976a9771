import numpy as np
import pandas as pd
import pytest

from featprune.errors import FeatpruneError, lookup
from featprune.randomness import derive, numpy_generator, torch_generator
from featprune.storage import atomic, load_arrays, load_table, save_arrays, save_table


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
