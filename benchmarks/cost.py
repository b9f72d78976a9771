"""What the full study costs: `python -m benchmarks.cost [PRESET ...] [--against FOLDER] [--output FILE]`.

Without --against: a table of core-hours, jobs, disk and wall time of presets on machines of several sizes, as Markdown;
docs/cost.md is what it writes for `study` and `paper`. The seconds of jobs are those of `benchmarks.estimate`, measured
here; the wall time is that of its simulation of the plan.

With --against: the estimate beside what Snakemake noted of the jobs of a run of one preset in that folder, a row a kind
of rule: jobs found in both, their seconds by the clock and of CPU, as noted, the estimate, and that over both. The
clock counts waiting for cores; the CPU seconds are those of the last time that Snakemake looked, every half second at
first and every 30 s after 15 s, so that the end of longer jobs is missing.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import pandas as pd

from benchmarks import plan as plans
from benchmarks.estimate import SNAKEMAKE_JOB, Estimate, estimate, stage
from benchmarks.fresh import cpu_seconds, usage_of
from featprune.jobs.provenance import device

PRESETS = plans.SNAKEFILE.parent / "presets"
STARTS = 2  # of Snakemake a Slurm job: the executor's step, which starts another that runs the rule


@dataclass(frozen=True)
class Place:
    """Where a study runs; slurm: each job is one of Slurm's."""

    name: str
    cores: int
    slurm: bool


PLACES = (
    Place("laptop, 8 cores", 8, False),
    Place("one machine, 64 cores", 64, False),
    Place("Slurm, 64 cores", 64, True),
    Place("Slurm, 1,000 cores", 1000, True),
)


def start_seconds(configfiles: Sequence[Path]) -> float:
    """CPU seconds of a Snakemake that is asked for one small file."""
    command = [sys.executable, "-m", "snakemake", "--dry-run", "--quiet", "all", "--snakefile", str(plans.SNAKEFILE)]
    command += ["--configfile", *map(str, configfiles)] if configfiles else []
    null = subprocess.DEVNULL
    with subprocess.Popen([*command, "--", "write_config"], stdout=null, stderr=null) as run:
        usage = usage_of(run)
    if run.returncode:
        raise RuntimeError("snakemake --dry-run failed")
    return cpu_seconds(usage)


def by_slurm(made: Estimate, start: float) -> Estimate:
    """The same with jobs that start Snakemake on their core, and whose sending is no core's of theirs."""
    return replace(made, seconds=[seconds - SNAKEMAKE_JOB + STARTS * start for seconds in made.seconds])


def rows(name: str, made: Estimate, start: float) -> Iterator[dict[str, str]]:
    """A row a place."""
    for place in PLACES:
        here = by_slurm(made, start) if place.slurm else made
        seconds, kept, peak = here.on(place.cores, SNAKEMAKE_JOB if place.slurm else 0.0)
        yield {
            "preset": name,
            "where": place.name,
            "jobs": f"{len(made.jobs):,}",
            "core-hours": f"{here.core_hours():,.1f}",
            "wall time (h)": f"{seconds / 3600:.2f}",
            "longest chain (h)": f"{here.longest_chain() / 3600:.2f}",
            "cores busy (%)": f"{100 * sum(here.seconds) / seconds / place.cores:.0f}",
            "disk at most (GB)": f"{peak / 1e9:.1f}",
            "at the end (GB)": f"{kept / 1e9:.1f}",
        }


def page(table: pd.DataFrame, start: float, presets: Sequence[str]) -> str:
    """The table with what it rests on, as Markdown."""
    on, load = device(), os.getloadavg()[2]
    return f"""# What the full study costs

Written by `python -m benchmarks.cost {" ".join(presets)} --output docs/cost.md`: no number here is typed.

{table.to_markdown(index=False, disable_numparse=True)}

The jobs are Snakemake's own plan. The seconds of each are measured, as CPU time, on {on["cores"]} cores of a machine
that calls its processor {on["processor"]}, with a load of {load:.0f} over the last quarter of an hour: the more others
share its caches, the more seconds of CPU the same work takes. `python -m benchmarks.estimate` says what is measured and
what assumed, `python -m benchmarks.cost PRESET --against FOLDER` sets it beside a run.

The wall time is that of a simulation of the plan, not core-hours over cores: a free core takes the first job in the
plan's order that waits for nothing (greedy, as the profiles tell Snakemake to be). The longest chain of jobs that wait
for each other is what is left on endless cores: a round of pruning comes after the one before, so that beyond some
cores more of them wait and nothing gets faster. On a CPU a job trains the seeds of a block one after another: a smaller
`seeds.block` makes shorter chains of more jobs.

By Slurm each job starts Snakemake {STARTS} times on its core, {start:.1f} s of CPU each, and the Snakemake that plans
sends the jobs one after another, {SNAKEMAKE_JOB} s each. Not in it: waiting in Slurm's queue, slower disks,
`latency-wait`. As many jobs at a time as cores need `--jobs` to say so.
"""


def against(made: Estimate, folder: Path) -> pd.DataFrame:
    """The estimate beside what was noted in a run's folder, a row a kind of rule."""
    found = []
    for job, seconds in zip(made.jobs, made.seconds, strict=True):
        file = folder / Path(job.benchmark).relative_to(made.study.root)
        if file.is_file():
            noted = pd.read_csv(file, sep="\t")
            found.append((stage(job.rule), 1, noted["s"].sum(), noted["cpu_time"].sum(), seconds - SNAKEMAKE_JOB))
    table = pd.DataFrame(found, columns=["rule", "jobs", "clock", "cpu", "estimate"]).groupby("rule").sum()
    table.loc["all"] = table.sum()
    table["over_clock"], table["over_cpu"] = table["estimate"] / table["clock"], table["estimate"] / table["cpu"]
    return table.sort_values("clock", ascending=False)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.cost", description="What does the full study cost?")
    parser.add_argument("presets", nargs="*", default=["study", "paper"], help="names in presets/, or config.yaml")
    parser.add_argument("--against", type=Path, help="the results of a run of the one preset")
    parser.add_argument("--output", type=Path, help="a file instead of the terminal")
    given = parser.parse_args()
    configs = {name: [] if name == "config.yaml" else [PRESETS / f"{name}.yaml"] for name in given.presets}
    made = {name: estimate(files, begun=time.process_time()) for name, files in configs.items()}
    if given.against:
        for one in made.values():
            print(against(one, given.against).round(2).to_string())
        return
    start = start_seconds(next(iter(configs.values())))
    table = pd.DataFrame([row for name, one in made.items() for row in rows(name, one, start)])
    text = page(table, start, given.presets)
    if given.output:
        given.output.write_text(text, encoding="utf-8")
    else:
        print(text)


if __name__ == "__main__":
    main()
