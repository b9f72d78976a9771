"""Whatever is killed, and whenever: the same command again leaves every file as an undisturbed run does.

Two kills of a study of one chain; `pytest tests/workflow/test_kills.py -n 0 -s --kills 50` kills more often, with all
kinds of jobs that take long, and tells what it killed.
"""

import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

STUDY = """
seeds: {count: 2, block: 2}
checkpoint_minutes: 0.005
run: [chained, by_round]
experiments:
  chained:
    dataset: digits
    model: {hidden: [40, 20]}
    training: {lr: 3.0e-3, batch_size: 50, steps: 5000, evaluation_steps: 4, snapshot_steps: 4}
    alphas: [1]
    pruning: {rewinds: [none], rounds: 3, rates: {hidden: 0.4, output: 0.2}, rounds_per_job: 3}
    features: {probe: 20, rounds: [0, 3]}
    compression: {rounds: [3], steps: 300}
  by_round:
    inherit: chained
    pruning: {rewinds: [init], rounds: 2, rounds_per_job: 1}
    features: {rounds: [0, 2]}
    compression: null
"""
TABLES = ("chained/summary", "chained/features", "chained/compression", "by_round/summary", "by_round/features")
TARGETS = [f"results/tables/{table}.parquet" for table in TABLES]
FEW = 2  # kills, of a study with the first target only


def start(root: Path, *targets: str) -> psutil.Popen:
    """Snakemake in a process of its own."""
    command = [sys.executable, "-m", "snakemake", *targets, "--cores", "2", "--nolock", "--configfile", "study.yaml"]
    environment = os.environ | {"PYTHONPATH": str(root)}
    out = (root / "out.txt").open("a")
    return psutil.Popen(command, cwd=root, env=environment, stdout=out, stderr=subprocess.STDOUT)


def jobs(run: psutil.Process) -> list[psutil.Process]:
    """The processes that do the work of jobs."""
    return [p for p in descendants(run) if any("/scripts/" in part for part in command_of(p))]


def descendants(run: psutil.Process) -> list[psutil.Process]:
    try:
        return run.children(recursive=True)
    except psutil.NoSuchProcess:
        return []


def command_of(process: psutil.Process) -> list[str]:
    try:
        return process.cmdline()
    except psutil.Error:
        return []


def everything(run: psutil.Process) -> list[psutil.Process]:
    return [run, *descendants(run)]


# What is killed, and by which signal: a machine that goes down, Snakemake alone while its jobs go on, a job that takes
# too much memory or time, and a user who has enough.
KILLS = {
    "all": (everything, signal.SIGKILL),
    "snakemake": (lambda run: [run], signal.SIGKILL),
    "job": (lambda run: jobs(run)[:1], signal.SIGKILL),
    "job politely": (lambda run: jobs(run)[:1], signal.SIGTERM),
    "snakemake politely": (lambda run: [run], signal.SIGTERM),
}


def kill(run: psutil.Process, how: str) -> bool:
    """Send the signal; whether there was anything to send it to."""
    choose, number = KILLS[how]
    victims = choose(run)
    for victim in victims:
        try:
            victim.send_signal(number)
        except psutil.NoSuchProcess:
            victims.remove(victim)
    return bool(victims)


def contents(results: Path) -> dict[str, bytes]:
    """What files hold, but those that tell of the run itself."""
    told = ("logs", "benchmarks")
    files = (file for file in results.rglob("*") if file.is_file())
    return {str(f.relative_to(results)): f.read_bytes() for f in files if f.relative_to(results).parts[0] not in told}


def kill_until_done(root: Path, targets: list[str], chance: random.Random, within: float) -> Iterator[str]:
    """Run the study until it is done, each time killing something within so many seconds; yields what was killed."""
    while True:
        run = start(root, *targets)
        time.sleep(chance.uniform(0, within))
        how = chance.choice(list(KILLS))
        if run.poll() is None and kill(run, how):
            yield how
        if run.wait() == 0:
            return


@pytest.fixture
def root(pristine, tmp_path) -> Path:
    made = pristine.copy(tmp_path / "study").root
    (made / "study.yaml").write_text(STUDY)
    return made


def test_killed_at_any_moment_it_ends_with_the_same_files(root, request, tmp_path):
    kills = request.config.getoption("--kills")
    targets = TARGETS if kills > FEW else TARGETS[:1]
    begun = time.perf_counter()
    assert start(root, *targets).wait() == 0, (root / "out.txt").read_text()
    undisturbed = contents(root / "results")
    assert len(undisturbed) > 15
    took, chance, killed, studies, resumed = time.perf_counter() - begun, random.Random(0), Counter(), 0, 0
    while killed.total() < kills:
        shutil.rmtree(root / "results")
        killed.update(kill_until_done(root, targets, chance, took))
        for orphan in (p for p in psutil.process_iter() if str(root) in " ".join(command_of(p))):
            orphan.wait()
        studies += 1
        logs = [log.read_text() for log in (root / "results" / "logs").rglob("*.log")]
        resumed += sum("of a checkpoint" in log for log in logs)
        found = contents(root / "results")
        assert sorted(found) == sorted(undisturbed)
        assert [name for name, content in found.items() if content != undisturbed[name]] == []
    print(f"killed {dict(killed)} in {studies} studies of {took:.0f} s undisturbed; {resumed} jobs went on")
