"""What goes wrong ends with one clear line, and leaves nothing half-made."""

import os

import pytest

DENSE = "runs/experiment=tiny/alpha=0.3/lr=1/criterion=dense/rewind=dense/round=0/seeds=0-1"
TICKET = "runs/experiment=tiny/alpha=0.3/lr=1/criterion=magnitude/rewind=init"
OTHER = "results/runs/experiment=digits/alpha=1/lr=3/criterion=dense/rewind=dense/round=0/seeds=0-1/weights.safetensors"


@pytest.mark.parametrize(
    "overlay, line",
    [
        ({"seed": 3}, "config: seed: unknown key; did you mean 'seeds'?"),
        ({"experiments": {"tiny": {"alphas": ["rich"]}}}, "config: experiments.tiny.alphas[0]: expected a number"),
        ({"experiments": {"tiny": {"pruning": {"rewinds": ["inti"]}}}}, "unknown rewind 'inti'; did you mean 'init'?"),
        ({"run": ["mnits"]}, "config: run[0]: unknown experiment 'mnits'; did you mean 'mnist'?"),
        ({"experiments": {"tiny": {"pruning": {"rewinds": ["late"]}}}}, "tiny.pruning.late_step: missing"),
    ],
    ids=["key", "alpha", "rewind", "experiment", "late_step"],
)
def test_a_mistake_in_the_configuration_is_one_line(finished, overlay, line):
    before = finished.files()
    done = finished.snakemake("--cores", "1", overlay=overlay)
    assert done.returncode != 0
    # Snakemake says which profile and configuration it takes; then comes our line, and nothing else.
    *_, before_last, last = done.stdout.strip().splitlines()
    assert last.startswith("config: ") and line in last
    assert before_last.startswith("Config file"), done.stdout
    assert finished.files() == before


def truncate(file):
    """Cut a file in half without changing its time, as a full disk or a broken copy does."""
    times = file.stat()
    with file.open("r+b") as opened:
        opened.truncate(times.st_size // 2)
    os.utime(file, ns=(times.st_atime_ns, times.st_mtime_ns))


@pytest.mark.parametrize(
    "broken, overlay, target",
    [
        ("data/small_teacher.safetensors", {"alphas": [0.3, 1, 3]}, DENSE.replace("alpha=0.3", "alpha=3")),
        (f"{TICKET}/round=2/seeds=0-1/weights.safetensors", {"pruning": {"rounds": 3}}, f"{TICKET}/round=3/seeds=0-1"),
    ],
    ids=["dataset", "weights"],
)
def test_a_truncated_file_is_named_and_stops_no_other_job(scratch, broken, overlay, target):
    truncate(scratch.results / broken)
    before = scratch.files()
    done = scratch.snakemake(
        f"results/{target}/weights.safetensors",
        OTHER,
        "--cores",
        "2",
        overlay={"experiments": {"tiny": overlay, "digits": {"lrs": [1, 3]}}},
    )
    assert done.returncode != 0
    assert f"error: results/{broken}: missing, truncated or not what was written" in done.stdout
    assert "Traceback" not in done.stdout
    after = scratch.files()
    assert OTHER in after, "the other job didn't finish"
    assert after.items() >= before.items(), "a file that was there has changed"
    assert not list((scratch.results / target).glob("*")), "the failed job left files"
    assert not list(scratch.results.rglob("*.partial")) + list(scratch.results.rglob(".*partial"))
