"""Where a run's core-seconds went: `python -m benchmarks.account [results]`, after a run.

The seconds of all jobs are Snakemake's own, from results/benchmarks; those inside training steps are what each training
job wrote to its log. A second of a job is a core-second, since a job has one thread.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pandas as pd

STEPS = re.compile(r"steps in ([0-9.]+) s")


def account(results: Path) -> pd.DataFrame:
    """A row a rule: jobs, core-seconds, and those inside training steps."""
    rows = []
    for file in (results / "benchmarks").rglob("*.tsv"):
        relative = file.relative_to(results / "benchmarks")
        log = (results / "logs" / relative).with_name(relative.name.removesuffix(".tsv") + ".log")
        text = log.read_text(encoding="utf-8") if log.is_file() else ""
        seconds = float(pd.read_csv(file, sep="\t")["s"].sum())
        rule = relative.parts[0].removesuffix(".tsv")
        rows.append({"rule": rule, "seconds": seconds, "steps": sum(map(float, STEPS.findall(text)))})
    jobs = pd.DataFrame(rows)
    table = jobs.groupby("rule").agg(jobs=("seconds", "size"), seconds=("seconds", "sum"), in_steps=("steps", "sum"))
    return table.sort_values("seconds", ascending=False)


def main() -> None:
    table = account(Path(sys.argv[1] if len(sys.argv) > 1 else "results"))
    print(table.round(1).to_string())
    total, steps = table["seconds"].sum(), table["in_steps"].sum()
    print(f"\n{total:.0f} core-seconds, {steps:.0f} of them ({steps / total:.0%}) inside training steps")


if __name__ == "__main__":
    main()
