"""Where a run's core-seconds went: `python -m benchmarks.account [results]`, after a run.

The seconds of all jobs are Snakemake's own, from results/benchmarks, those of its process what it noted there at the
end of each run that succeeded. What a training job printed to its log says how many were inside training steps, how
many went into evaluations (with the reference outputs of the samples they see), and how many beside both into the
training data's reference outputs; the rest is the start of its process, reading, masks and writing. A second of a job
is a core-second, since a job has one thread.
"""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path

import pandas as pd

from featprune.jobs.benchmarks import job_seconds

TRAINED = re.compile(r"steps in ([0-9.]+) s, evaluations in ([0-9.]+) s, all in ([0-9.]+) s")
USAGE = "snakemake.json"


def account(results: Path) -> pd.DataFrame:
    """A row a rule, and one for Snakemake itself, whose jobs are its runs: their number and their core-seconds, in all,
    and, of training, inside steps, in evaluations, in reference outputs of the training data, and in all else."""
    rows = []
    for job, seconds in job_seconds(results):
        log = results / "logs" / f"{job}.log"
        text = log.read_text(encoding="utf-8") if log.is_file() else ""
        rows.append(_row(job.parts[0], seconds, TRAINED.findall(text)))
    rows += [_row("(snakemake)", usage["snakemake"], []) for usage in usages(results)]
    table = pd.DataFrame(rows).groupby("rule").sum()
    return table.sort_values("seconds", ascending=False)


def _row(rule: str, seconds: float, trained: list[tuple[str, ...]]) -> dict:
    """A job's row, from what its training runs printed: seconds in steps, in evaluations, and in all."""
    steps, evaluating, whole = (sum(float(times[i]) for times in trained) for i in range(3))
    return {
        "rule": rule,
        "jobs": 1,
        "seconds": seconds,
        "in_steps": steps,
        "evaluating": evaluating,
        "reference": whole - steps - evaluating,
        "training_rest": seconds - whole if trained else 0.0,
    }


def usages(results: Path) -> list[dict[str, float]]:
    """CPU seconds of Snakemake's process and of all its jobs, of each run that succeeded in this folder."""
    path = results / "benchmarks" / USAGE
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()] if path.is_file() else []


def main() -> None:
    results = Path(sys.argv[1] if len(sys.argv) > 1 else "results")
    table = account(results)
    print(table.round(1).to_string())
    total, steps = table["seconds"].sum(), table["in_steps"].sum()
    evaluating = table["evaluating"].sum() / table[["in_steps", "evaluating", "reference"]].sum().sum()
    print(f"\n{total:.0f} core-seconds, {steps:.0f} of them ({steps / total:.1%}) inside training steps")
    print(f"Evaluations took {evaluating:.1%} of the training runs.")
    for usage in usages(results):
        whole, own = sum(usage.values()), usage["snakemake"]
        print(f"CPU time of a run: {whole:.0f} s, {own:.0f} of them ({own / whole:.0%}) Snakemake's own")


if __name__ == "__main__":
    main()
