"""What rules declare, and that it is no reason to run a job again."""

import re

import pytest

RESOURCES = re.compile(r"^rule (\w+):\n(?:    .*\n)*?    resources: (.*)$", re.M)


@pytest.fixture(scope="module")
def declared(pristine):
    """Rule -> resources of one of its jobs, where a GPU is asked for."""
    said = pristine.snakemake("-n", overlay={"device": "cuda"}).stdout
    found = {rule: dict(pair.split("=") for pair in listed.split(", ")) for rule, listed in RESOURCES.findall(said)}
    assert len(found) > 20, said
    return {rule: listed for rule, listed in found.items() if rule != "all"}


def test_every_rule_declares_memory_and_time_and_what_trains_a_gpu(declared):
    for rule, listed in declared.items():
        assert int(listed["mem_mb"]) >= 800 and int(listed["runtime"]) >= 1, rule
        assert listed.get("gpu", "0") == ("1" if rule.startswith(("train_", "retrain")) else "0"), rule


def test_other_resources_run_nothing_again(scratch):
    scratch.replace("featprune/resources.py", "RATE = 1e10", "RATE = 1e6")
    assert scratch.plan() == []
