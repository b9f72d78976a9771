"""A run on a real Slurm: few submissions, the tables of a local run, and an end also where something breaks.

`pytest -m slurm` asks for these; they skip where there is no Slurm. What breaks a cluster is done to one on this
machine only.
"""

import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pandas as pd
import psutil
import pytest
import yaml

from tests.workflow.conftest import STUDY, Workspace

PATIENCE = 600  # seconds, until a run that goes on is taken to hang
SUMMARY = "results/tables/tiny/summary.parquet"
ONE_EXPERIMENT = {"run": ["tiny"]}


def ask(*command: str) -> str:
    return subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True).stdout


def setting(name: str) -> str:
    found = re.search(rf"^{name}\s*= (\S+)$", ask("scontrol", "show", "config"), re.M)
    return found[1] if found else ""


@pytest.fixture(scope="session")
def partition() -> str:
    """The usual partition of the Slurm that is here; of the session, so that a skip comes before any run."""
    if shutil.which("sbatch") is None:
        pytest.skip("no sbatch here: this needs a Slurm")
    usual = re.search(r"^(\S+)\*$", ask("sinfo", "-h", "-o", "%P"), re.M)
    if usual is None:
        pytest.skip("sbatch is here, but no Slurm answers it with a usual partition")
    return usual[1]


@pytest.fixture
def node(partition) -> str:
    """The one node of a Slurm that is nobody else's."""
    nodes = re.findall(r"NodeName=(\S+)", ask("scontrol", "show", "node"))
    if len(nodes) != 1 or "NodeAddr=127.0.0.1" not in ask("scontrol", "show", "node"):
        pytest.skip("this Slurm isn't one on the loopback of this machine, to be broken at will")
    return nodes[0]


@contextmanager
def started(work: Workspace, partition: str, *targets: str) -> Iterator[subprocess.Popen]:
    """A run of one experiment on Slurm, or of the targets only; ended with its jobs if the body fails."""
    (work.root / "study.yaml").write_text(STUDY)
    (work.root / "overlay.yaml").write_text(yaml.safe_dump(ONE_EXPERIMENT))
    command = [sys.executable, "-m", "snakemake", *targets, "--profile", "profiles/slurm", "--latency-wait", "5"]
    command += ["--default-resources", f"slurm_partition={partition}", "--configfile", "study.yaml", "overlay.yaml"]
    environment = os.environ | {"PYTHONPATH": str(work.root)}
    with (work.root / "run.log").open("w") as log:
        process = subprocess.Popen(command, cwd=work.root, env=environment, stdout=log, stderr=subprocess.STDOUT)
        try:
            yield process
        finally:
            if process.poll() is None:
                process.send_signal(signal.SIGINT)
                subprocess.run(["scancel", *submitted(work)])
                try:
                    process.wait(60)
                except subprocess.TimeoutExpired:
                    process.kill()


def submitted(work: Workspace) -> list[str]:
    return re.findall(r"submitted with SLURM jobid (\d+)", (work.root / "run.log").read_text())


def running(work: Workspace) -> list[str]:
    """The jobs of a run that run now."""
    now = ask("squeue", "-h", "-t", "R", "-o", "%A").split()
    return [job for job in submitted(work) if job in now]


def step_of(job: str) -> bool:
    """Whether the process is there that a job runs under on this machine."""
    return any(f"slurmstepd: [{job}." in " ".join(p.info["cmdline"] or ()) for p in psutil.process_iter(["cmdline"]))


def wait_for(found: Callable[[], object], process: subprocess.Popen):
    """What is found, once it is, while the run goes on."""
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until:
        if result := found():
            return result
        assert process.poll() is None, "the run is over"
        time.sleep(0.2)
    raise TimeoutError


def assert_tables_are_those_of(local: Workspace, work: Workspace) -> None:
    tables = [path.relative_to(work.results) for path in (work.results / "tables").rglob("*.parquet")]
    assert tables
    for table in tables:
        pd.testing.assert_frame_equal(pd.read_parquet(work.results / table), pd.read_parquet(local.results / table))


def ended(process: subprocess.Popen, work: Workspace) -> None:
    assert process.wait(PATIENCE) == 0, (work.root / "run.log").read_text()


@pytest.mark.slurm
def test_short_jobs_are_submitted_together_and_tables_are_those_of_a_local_run(partition, pristine, finished, tmp_path):
    work = pristine.copy(tmp_path / "study")
    with started(work, partition) as process:
        ended(process, work)
    jobs = [file for file in (work.results / "benchmarks").rglob("*.tsv")]
    assert len(submitted(work)) <= 10 < 25 < len(jobs)
    assert_tables_are_those_of(finished, work)


@pytest.mark.slurm
def test_a_run_ends_right_after_a_cancelled_job_a_lost_node_and_a_new_controller(
    node, partition, pristine, finished, tmp_path
):
    work = pristine.copy(tmp_path / "study")

    def another(*old: str) -> str | None:
        return next((job for job in running(work) if job not in old), None)

    with started(work, partition, SUMMARY) as process:
        cancelled = wait_for(another, process)
        ask("scancel", cancelled)
        lost = wait_for(lambda: another(cancelled), process)
        ask("scontrol", "update", f"nodename={node}", "state=down", "reason=test")
        wait_for(lambda: lost not in running(work), process)
        ask("scontrol", "update", f"nodename={node}", "state=resume")
        # Slurm lets a job wait for two minutes that it has queued again. Before the node has ended it, it can't start.
        wait_for(lambda: not step_of(lost), process)
        for job in submitted(work):
            ask("scontrol", "update", f"jobid={job}", "starttime=now")
        wait_for(lambda: running(work), process)
        restart_controller()
        ended(process, work)
    assert_tables_are_those_of(finished, work)


def restart_controller() -> None:
    """End slurmctld, leave the run without it for longer than clients wait, and start it again."""
    config, pid = setting("SLURM_CONF"), int(Path(setting("SlurmctldPidFile")).read_text())
    os.kill(pid, signal.SIGTERM)
    time.sleep(30)
    subprocess.run(["slurmctld", "-f", config], check=True, stdout=subprocess.DEVNULL)
