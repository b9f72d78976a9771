"""What jobs ask a cluster for beside what they took: `python -m benchmarks.declared [--configfile FILE ...]`.

After a run, in its folder, from Snakemake's benchmark of each job: a row a kind of rule, with the factor between what
is declared (`featprune.resources`) and what was used; last, the jobs with the least to spare. Runs nothing.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import pandas as pd

from benchmarks import plan as plans
from benchmarks.estimate import stage
from featprune.resources import demand, shape_of
from featprune.workload import cases


def used(benchmark: Path) -> tuple[float, float]:
    """Seconds, and the most memory in MB: NaN for a job that was over before it was looked at."""
    row = pd.read_csv(benchmark, sep="\t", na_values="-").iloc[-1]
    return float(row["s"]), float(row["max_rss"])


def compare(configfiles: list[Path], root: str | None) -> pd.DataFrame:
    """A row a job that has ended: its rule, what it declares and what it used. root: where it ran, if not there."""
    study, jobs = plans.plan(configfiles)
    known, rows = cases(study, shape_of), []
    for job in jobs:
        file = Path(root or study.root, Path(job.benchmark).relative_to(study.root)) if job.benchmark else None
        if file and file.exists():
            asked = demand(study, known, job.inputs, job.outputs)
            rows.append((stage(job.rule), job.outputs[0], 60 * asked.minutes(1), asked.memory(1), *used(file)))
    columns = ["rule", "makes", "declared_s", "declared_mb", "used_s", "used_mb"]
    made = pd.DataFrame(rows, columns=columns)
    return made.assign(time=made["declared_s"] / made["used_s"], memory=made["declared_mb"] / made["used_mb"])


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.declared", description="Do jobs ask for enough?")
    parser.add_argument("--configfile", nargs="+", type=Path, default=[], help="as for snakemake: over config.yaml")
    parser.add_argument("--results", help="the folder of the run, if not the config's")
    given = parser.parse_args()
    jobs = compare(given.configfile, given.results)
    if jobs.empty:
        raise SystemExit("no job of this config has run here")
    table = jobs.groupby("rule").agg(
        jobs=("rule", "size"),
        longest_s=("used_s", "max"),
        declared_s=("declared_s", "max"),
        time_median=("time", "median"),
        time_least=("time", "min"),
        largest_mb=("used_mb", "max"),
        memory_median=("memory", "median"),
        memory_least=("memory", "min"),
    )
    print(table.sort_values("longest_s", ascending=False).round(1).to_string(), "\n")
    long = jobs[jobs["used_s"] > 60]
    median = long["time"].median()
    print(f"{len(jobs)} jobs; of {len(long)} longer than a minute the median factor of time is {median:.1f}")
    for what in ("time", "memory"):
        least = jobs.loc[jobs[what].idxmin()]
        print(f"least to spare in {what}: {least[what]:.2f} times what {least['makes']} took")


if __name__ == "__main__":
    main()
