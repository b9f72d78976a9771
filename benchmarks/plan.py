"""What a run consists of: its jobs, from Snakemake's own plan, when they end, and what is on disk by then."""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.fresh import ROOT
from featprune.runs.paths import SNAPSHOTS
from featprune.study import Study

SNAKEFILE = ROOT / "Snakefile"


@dataclass(frozen=True)
class Job:
    """A job of a plan.

    after: the places in the plan of the jobs it waits for. benchmark: the file of what it took.
    """

    rule: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    after: tuple[int, ...] = ()
    benchmark: str = ""


def plan(configfiles: Sequence[Path] = (), missing: bool = False) -> tuple[Study, list[Job]]:
    """The study that these overlays of config.yaml make, and its jobs in an order in which they can run.

    missing: only the jobs whose results aren't there; otherwise all. Runs nothing. Ends the process with one line an
    error where the config is wrong.
    """
    from snakemake.api import SnakemakeApi
    from snakemake.settings.enums import Quietness
    from snakemake.settings.types import ConfigSettings, DAGSettings, OutputSettings, ResourceSettings

    with SnakemakeApi(OutputSettings(quiet={Quietness.ALL})) as api:
        made = api.workflow(
            resource_settings=ResourceSettings(cores=1),
            config_settings=ConfigSettings(configfiles=[path.absolute() for path in configfiles]),
            snakefile=SNAKEFILE,
            workdir=Path.cwd(),
        )
        made.dag(DAGSettings(forceall=not missing, force_incomplete=True)).execute_workflow(executor="dryrun")
        # The API gives away neither, so they are taken from behind it.
        workflow = made._workflow
        dag = workflow.dag
        wanted = [job for level in dag.toposorted() for job in level if dag.needrun(job) and job.rule.name != "all"]
    place = {job: i for i, job in enumerate(wanted)}
    jobs = [
        Job(
            job.rule.name,
            tuple(map(str, job.input)),
            tuple(map(str, job.output)),
            tuple(sorted(place[before] for before in dag.dependencies[job] if before in place)),
            str(job.benchmark or ""),
        )
        for job in wanted
    ]
    return workflow.globals["STUDY"], jobs


def is_temporary(study: Study, path: str) -> bool:
    """Whether a file is deleted once nothing needs it."""
    return Path(path).name == SNAPSHOTS and not study.config["keep_snapshots"]


def scheduled(jobs: Sequence[Job], seconds: Sequence[float], cores: int, sending: float = 0.0) -> list[float]:
    """When each job ends, if a free core takes the first job in order that waits for nothing: greedy, as the profiles
    tell Snakemake to be, and not the longest chain first.

    sending: the seconds that Snakemake, one process, needs to start a job, one job after another.
    """
    waiting = [len(job.after) for job in jobs]
    ready = [i for i, count in enumerate(waiting) if not count]
    followers: dict[int, list[int]] = {}
    for i, job in enumerate(jobs):
        for before in job.after:
            followers.setdefault(before, []).append(i)
    heapq.heapify(ready)
    ends, now, sent = [0.0] * len(jobs), 0.0, 0.0
    running: list[tuple[float, int]] = []
    while ready or running:
        while ready and len(running) < cores:
            i = heapq.heappop(ready)
            sent = max(sent, now) + sending
            ends[i] = sent + seconds[i]
            heapq.heappush(running, (ends[i], i))
        now, done = heapq.heappop(running)
        for i in followers.get(done, ()):
            waiting[i] -= 1
            if not waiting[i]:
                heapq.heappush(ready, i)
    return ends


def longest_chain(jobs: Sequence[Job], seconds: Sequence[float]) -> float:
    """Seconds of the slowest chain of jobs that wait for each other: the run's time on endless cores."""
    return max(scheduled(jobs, seconds, max(1, len(jobs))), default=0.0)


def disk_bytes(
    jobs: Sequence[Job], ends: Sequence[float], bytes_of: Mapping[str, float], temporary: Iterable[str]
) -> tuple[float, float]:
    """What a run leaves, and the most that it has on the way: a temporary file lives till its last reader ends."""
    going = set(temporary)
    changes = []
    for i, job in enumerate(jobs):
        changes += [(ends[i], bytes_of[file]) for file in job.outputs]
    last_read: dict[str, float] = {}
    for i, job in enumerate(jobs):
        for file in (*job.outputs, *job.inputs):
            last_read[file] = max(last_read.get(file, 0.0), ends[i])
    changes += [(last_read[file], -bytes_of[file]) for job in jobs for file in job.outputs if file in going]
    now = peak = 0.0
    # Of what happens at once, what is written comes first.
    for _, change in sorted(changes, key=lambda c: (c[0], -c[1])):
        now += change
        peak = max(peak, now)
    return now, peak
