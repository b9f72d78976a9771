"""Snakemake's own account of its jobs, as it lies in a study's folder."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path


def job_seconds(root: str | Path) -> Iterator[tuple[Path, float]]:
    """Each job that has ended, by its path below `logs` and `benchmarks` without an ending, and its seconds."""
    folder = Path(root) / "benchmarks"
    for file in sorted(folder.rglob("*.tsv")):
        with file.open(encoding="utf-8", newline="") as lines:
            seconds = sum(float(row["s"]) for row in csv.DictReader(lines, delimiter="\t"))
        yield file.relative_to(folder).with_name(file.name.removesuffix(".tsv")), seconds
