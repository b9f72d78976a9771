"""Larger studies to plan."""

from benchmarks.planning import with_blocks


def test_every_experiment_has_so_many_times_its_seeds():
    base = {"seeds": {"count": 4, "block": 4}, "experiments": {"a": {"seeds": {"count": 8, "block": 8}}, "b": {}}}
    more = {"seeds": {"count": 20, "block": 20}, "experiments": {"a": {"seeds": {"count": 60, "block": 10}}}}
    assert with_blocks([base, more], 3) == {"seeds": {"count": 60}, "experiments": {"a": {"seeds": {"count": 180}}}}
