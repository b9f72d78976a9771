"""How long will it take here? `python -m benchmarks.estimate [--configfile FILE ...] [--cores N ...] [--missing]`.

Nothing is run but a calibration of some seconds. What there is to do is Snakemake's own plan (`benchmarks.plan`).

Measured on this machine, as CPU time, while as many processes measure as there are cores (`benchmarks.calibration`):
a training step under random masks of every density that the plan has, and the output of a sample, for evaluations and
reference outputs; what else a run takes; a mask by each criterion; dumping, comparing and measuring features; a
straight line between two networks; compression; the start of each kind of job's process, up to its first piece of work;
the start of Snakemake.

Assumed: Snakemake's own time a job, and the preparation of a dataset without its download, as on the machine where
this was written; a figure to take what the first of its process does, and a table so much a file; criteria that rank
all layers together to leave what the schedule does of each; an early stop before a run's last step; jobs that don't
wait for the disk, and cores that do nothing else; the sizes of files but for weights, masks and datasets, which follow
from their shapes.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from benchmarks import plan as plans
from benchmarks.calibration import Costs, Machine, Wanted, in_processes
from benchmarks.plan import Job
from featprune import workload
from featprune.experiment import Experiment
from featprune.runs.paths import (
    COMPRESSION,
    CONNECTIVITY,
    DENSE,
    FEATURES,
    MASK,
    PREACTIVATIONS,
    RICHNESS,
    WEIGHTS,
    RunPath,
)
from featprune.study import Study
from featprune.workload import Case, runs_in

CORES = (2, 4, 8)
SNAKEMAKE_JOB = 0.12  # seconds of Snakemake's own a job: results/benchmarks/snakemake.json has those of a run
PREPARING = 2e-8  # seconds a byte of a dataset
# What a job's process starts like, by the first of these files that it makes.
KINDS = {
    WEIGHTS: "train",
    RICHNESS: "richness",
    PREACTIVATIONS: "dump",
    FEATURES: "compare",
    CONNECTIVITY: "connect",
    COMPRESSION: "compress",
}
IMPORT_MUCH = ("claims", "headline", "provenance")  # what is made by jobs that import scipy and more besides pandas


def stage(rule: str) -> str:
    """The rule's name without what sets apart rules of one kind, as in the table that is printed."""
    verb, *rest = [word for word in rule.split("_") if not word.isdigit()]
    return f"{verb}_*" if verb in ("plot", "aggregate") else "_".join([verb, *rest[:1]])


def kind_of(job: Job, experiments: Mapping[str, Experiment]) -> str:
    """Which of the processes whose start is measured a job is like."""
    names = {Path(file).name for file in job.outputs}
    if "/figures/" in job.outputs[0]:
        return "figure"
    if "/runs/" not in job.outputs[0]:
        return "claims" if {Path(name).stem for name in names} & {*IMPORT_MUCH} else "table"
    if MASK in names and WEIGHTS not in names:
        criteria = {experiments[run.cell.experiment].masks_by(run.cell.kind) for run in runs_in(job.outputs, MASK)}
        return "score" if any(map(workload.gradients, criteria)) else "prune"
    return next(kind for name, kind in KINDS.items() if name in names)


def wanted(study: Study, known: Mapping[str, Case], jobs: Sequence[Job]) -> list[Wanted]:
    """What is to be measured of each case that the jobs have."""
    made = [file for job in jobs for file in job.outputs]

    def of(name: str) -> list[tuple[Case, Experiment, RunPath]]:
        runs = [(run, study.experiments[run.cell.experiment]) for run in runs_in(made, name)]
        return [(known[e.name], e, run) for run, e in runs]

    trained, masked, studied, compressed = map(of, (WEIGHTS, MASK, PREACTIVATIONS, COMPRESSION))
    compared, connected, measured = map(of, (FEATURES, CONNECTIVITY, RICHNESS))
    dense = {case: tuple(workload.layer_sizes(case.network)) for case in known.values()}
    return [
        Wanted(
            case,
            frozenset(workload.counts_of(e, case.network, run) for c, e, run in trained if c == case) | {full},
            frozenset(e.masks_by(run.cell.kind) for c, e, run in masked if c == case) - {DENSE.criterion},
            frozenset(workload.counts_of(e, case.network, run) for c, e, run in measured if c == case),
            studied=any(c == case for c, *_ in (*studied, *compared)),
            connected=any(c == case for c, *_ in connected),
            compressed=any(c == case for c, *_ in compressed),
        )
        for case, full in dense.items()
        if any(c == case for c, *_ in (*trained, *masked, *studied, *compared, *connected, *compressed))
    ]


def job_seconds(
    job: Job, study: Study, known: Mapping[str, Case], costs: Mapping[Case, Costs], machine: Machine
) -> float:
    """Core-seconds of a job, Snakemake's own with them."""
    seconds = SNAKEMAKE_JOB + machine.start[kind_of(job, study.experiments)]
    for file in job.outputs:
        if "/data/" in file:
            seconds += PREPARING * workload.file_bytes(study, known, file)
        if "/runs/" in file:
            run = RunPath.parse(file)
            e, case = study.experiments[run.cell.experiment], known[run.cell.experiment]
            each = seed_seconds(Path(file).name, e, case, run, costs[case])
            seconds += len(run.seeds) * workload.repeats(job.inputs, file) * each
    if "/tables/" in job.outputs[0]:
        seconds += machine.read * sum("/runs/" in file for file in job.inputs)
    return seconds


def seed_seconds(name: str, e: Experiment, case: Case, run: RunPath, cost: Costs) -> float:
    """Core-seconds that the making of a file of a run takes, a seed; of one comparison or line where it has several."""
    if name == WEIGHTS:
        counts, dense = workload.counts_of(e, case.network, run), tuple(workload.layer_sizes(case.network))
        steps, again = workload.training_steps(e, run)
        seen = workload.samples_seen(e.settings(run.cell, int(run.round)), case.sizes)
        stepping = workload.step_cost(run) * steps * cost.step[counts] + again * cost.step[dense]
        return cost.run + stepping + seen * cost.sample[counts]
    if name == MASK:
        return cost.mask.get(e.masks_by(run.cell.kind), 0.0)
    if name == COMPRESSION:
        assert e.compression is not None
        return len(e.compression.bits) * (cost.compress + e.compression.steps * cost.compress_step)
    if name == RICHNESS:
        return cost.richness[workload.counts_of(e, case.network, run)] * case.snapshots
    return {
        PREACTIVATIONS: cost.dump,
        FEATURES: cost.compare,
        CONNECTIVITY: cost.connect,
    }.get(name, 0.0)


def by_stage(jobs: Sequence[Job], seconds: Sequence[float]) -> pd.DataFrame:
    """Jobs and core-minutes, a row a kind of rule."""
    frame = pd.DataFrame({"rule": [stage(job.rule) for job in jobs], "core_minutes": [s / 60 for s in seconds]})
    table = frame.groupby("rule", sort=False).agg(jobs=("rule", "size"), core_minutes=("core_minutes", "sum"))
    return table.sort_values("core_minutes", ascending=False)


def calibrate(study: Study, known: Mapping[str, Case], jobs: Sequence[Job]) -> tuple[dict[Case, Costs], Machine]:
    """Measure what these jobs need."""
    asked = wanted(study, known, jobs)
    kinds = sorted({kind_of(job, study.experiments) for job in jobs})
    # The cases first: in a fresh clone who comes first compiles the kernels.
    tasks = [*(("measure", (one,)) for one in asked), ("read", ())]
    made = in_processes([*tasks, *(("start", (kind, study.config["claims"])) for kind in kinds)])
    (read, _), starts = made[len(asked)], dict(zip(kinds, (seconds for _, seconds in made[len(tasks) :]), strict=True))
    return {one.case: costs for one, (costs, _) in zip(asked, made, strict=False)}, Machine(starts, read)


@dataclass(frozen=True)
class Estimate:
    """A plan with the core-seconds of each job; `starting` are Snakemake's until the first one."""

    study: Study
    known: Mapping[str, Case]
    jobs: Sequence[Job]
    seconds: Sequence[float]
    starting: float

    def steps(self) -> int:
        """Training steps of all seeds."""
        trained = (run for job in self.jobs for run in runs_in(job.outputs, WEIGHTS))
        experiments = self.study.experiments
        return sum(
            len(run.seeds) * workload.training_steps(experiments[run.cell.experiment], run)[0] for run in trained
        )

    def core_hours(self) -> float:
        return (self.starting + sum(self.seconds)) / 3600

    def longest_chain(self) -> float:
        """Seconds on endless cores."""
        return self.starting + plans.longest_chain(self.jobs, self.seconds)

    def on(self, cores: int, sending: float = 0.0) -> tuple[float, float, float]:
        """Seconds on so many cores, bytes at the end, and bytes at most; `sending` as for `plans.scheduled`."""
        files = {file for job in self.jobs for file in (*job.outputs, *job.inputs)}
        bytes_of = {file: workload.file_bytes(self.study, self.known, file) for file in files}
        temporary = [file for file in files if plans.is_temporary(self.study, file)]
        ends = plans.scheduled(self.jobs, self.seconds, cores, sending)
        return self.starting + max(ends), *plans.disk_bytes(self.jobs, ends, bytes_of, temporary)


def estimate(configfiles: Sequence[Path] = (), missing: bool = False, begun: float = 0.0) -> Estimate:
    """Plan a study and measure what its jobs need; ends the process where there is nothing to be done.

    begun: this process's CPU seconds at which its start begins to count.
    """
    study, jobs = plans.plan(configfiles, missing)
    if not jobs:
        raise SystemExit("nothing to be done")
    starting, known = time.process_time() - begun, workload.cases(study)
    costs, machine = calibrate(study, known, jobs)
    return Estimate(study, known, jobs, [job_seconds(job, study, known, costs, machine) for job in jobs], starting)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.estimate", description="How long will a run take here?")
    parser.add_argument("--configfile", nargs="+", type=Path, default=[], help="as for snakemake: over config.yaml")
    parser.add_argument("--cores", nargs="+", type=int, default=[], help="besides 2, 4 and 8")
    parser.add_argument("--missing", action="store_true", help="only what isn't there yet")
    given = parser.parse_args()
    made = estimate(given.configfile, given.missing)
    print(by_stage(made.jobs, made.seconds).round(2).to_string(), "\n")
    print(f"{len(made.jobs)} jobs, {made.steps():,} training steps, {made.core_hours():.2f} core-hours")
    for cores in sorted({*CORES, *given.cores}):
        seconds, kept, peak = made.on(cores)
        disk = f"{peak / 1e9:.2f} GB on disk at most, {kept / 1e9:.2f} GB at the end"
        print(f"{cores:4} cores: {seconds / 60:7.1f} min; {disk}")
    print(f"the longest chain of jobs: {made.longest_chain() / 60:.1f} min")


if __name__ == "__main__":
    main()
