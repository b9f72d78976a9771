"""How far a sweep is, from what lies in its folder: nothing is run, written or locked."""

from __future__ import annotations

import re
from base64 import urlsafe_b64decode
from collections.abc import Iterable, Iterator
from pathlib import Path

import pandas as pd

from featprune.engine.progress import duration
from featprune.jobs.benchmarks import job_seconds
from featprune.runs.paths import HISTORY, WEIGHTS, Cell, RunPath
from featprune.study import Study

STATES = ("done", "running", "missing", "failed")
TRAINING = ("train_dense", "train_references", "extract_mask", "retrain", "train_chain")  # where their logs lie
STRATEGY = ["experiment", "criterion", "rewind"]
ERROR = re.compile(r"^(error: |Traceback \()", re.M)


def cells(study: Study, snakemake: Path = Path(".snakemake")) -> pd.DataFrame:
    """A row a cell of the sweep, at each of its rounds and blocks of seeds: its state, its training steps, its log.

    Done: trained, and not marked by Snakemake as incomplete. Running: marked, while a Snakemake holds the lock.
    Failed: marked without a lock, or with an error in its log. snakemake: where it keeps its marks and locks.
    """
    marked, locked = set(incomplete(snakemake)), any(snakemake.glob("locks/*.lock"))
    logs = dict(_logs(Path(study.root)))
    rows = []
    for run in _trained(study):
        files = [run.file(study.root, name) for name in (WEIGHTS, HISTORY)]
        log = logs.get(run.folder(""))
        if marked.intersection(files):
            state = "running" if locked else "failed"
        elif all(Path(file).is_file() for file in files):
            state = "done"
        else:
            state = "failed" if log and ERROR.search(log.read_text(encoding="utf-8")) else "missing"
        steps = len(run.seeds) * study.experiments[run.cell.experiment].settings(run.cell, int(run.round))["steps"]
        rows.append((run.cell.experiment, *run.cell.kind, state, steps, log))
    return pd.DataFrame(rows, columns=[*STRATEGY, "state", "steps", "log"])


def _trained(study: Study) -> Iterator[RunPath]:
    """Every run that is trained."""
    for name in study.experiments:
        yield from study.runs(name)
        if study.has_comparisons(name):
            yield from study.reference_runs(name)


def incomplete(snakemake: Path) -> Iterator[str]:
    """The files that Snakemake marks as incomplete: a mark's path is the file's name in base 64, cut with an @."""
    folder = snakemake / "incomplete"
    for mark in folder.rglob("*"):
        if mark.is_file():
            name = "".join(part.removeprefix("@") for part in mark.relative_to(folder).parts)
            try:
                yield urlsafe_b64decode(name).decode()
            except ValueError:  # another file of Snakemake's
                continue


def _logs(root: Path) -> Iterator[tuple[str, Path]]:
    """A run's folder below the root -> the log of the job that trains it."""
    for rule in TRAINING:
        folder = root / "logs" / rule
        for log in sorted(folder.rglob("*.log")):
            *axes, rounds, seeds = log.relative_to(folder).parts
            cell = Cell(*(part.partition("=")[2] for part in axes))
            first, _, last = rounds.removeprefix("round=").partition("-")
            block = seeds.removeprefix("seeds=").removesuffix(".log")
            for round in range(int(first), int(last or first) + 1):
                yield RunPath(cell, round, block).folder(""), log


def spent(root: Path) -> pd.DataFrame:
    """Core-seconds of the jobs that have ended, by strategy (none: tables, figures, data), in all and in training."""
    rows = []
    for job, seconds in job_seconds(root):
        rule, *place = job.parts
        axes = dict(part.split("=", 1) for part in place if "=" in part)
        rows.append((*(axes.get(axis, "") for axis in STRATEGY), seconds, seconds * (rule in TRAINING)))
    return pd.DataFrame(rows, columns=[*STRATEGY, "spent", "training"]).groupby(STRATEGY).sum()


def table(found: pd.DataFrame, seconds: pd.DataFrame) -> pd.DataFrame:
    """A row a strategy: cells in each state, core-seconds spent, and left for training, at the measured rates.

    A strategy of which nothing is trained goes at its experiment's core-seconds a step, or else the study's; NaN where
    nothing is. Cells that run count as if they had just begun.
    """
    index = pd.MultiIndex.from_frame(found[STRATEGY].drop_duplicates())
    counts = pd.crosstab([found[axis] for axis in STRATEGY], found["state"])
    made = counts.reindex(index=index, columns=STATES, fill_value=0)
    steps = pd.crosstab(
        [found[axis] for axis in STRATEGY], found["state"].eq("done"), values=found["steps"], aggfunc="sum"
    ).reindex(index=index, columns=[True, False])
    done, to_come = steps[True].fillna(0), steps[False].fillna(0)
    paid = seconds.reindex(made.index, fill_value=0.0)
    measured = pd.DataFrame({"seconds": paid["training"], "steps": done})[(paid["training"] > 0) & (done > 0)]
    everything, known = measured.sum(), measured.groupby(level=0).sum()
    rate = (measured["seconds"] / measured["steps"]).reindex(made.index)
    rate = rate.fillna((known["seconds"] / known["steps"]).reindex(made.index, level=0))
    if everything["steps"]:
        rate = rate.fillna(everything["seconds"] / everything["steps"])
    return made.assign(spent=paid["spent"], left=(to_come * rate).where(to_come > 0, 0.0))


def report(study: Study, cores: int, snakemake: Path = Path(".snakemake")) -> str:
    """The sweep as a table in words, what was spent and what is left, and the logs of what failed."""
    found, seconds = cells(study, snakemake), spent(Path(study.root))
    made = table(found, seconds)
    shown = made.assign(**{column: made[column].map(_shown) for column in ("spent", "left")}).reset_index()
    total = made[list(STATES)].sum()
    drawn = f"{sum(Path(file).is_file() for file in study.figure_files)} of {len(study.figure_files)} figures' files"
    left = made["left"].sum(skipna=False)
    time = f"{_shown(left)} of core time for training at the measured rates, {_shown(left / cores)} on {cores} cores"
    return "\n".join(
        [
            shown.to_string(index=False),
            "",
            f"{study.root}: {', '.join(f'{total[state]} {state}' for state in STATES)}; {drawn}",
            f"spent: {_shown(seconds['spent'].sum())} of core time, tables and figures with them",
            f"left: {time}",
            *_failures(found),
        ]
    )


def _shown(seconds: float) -> str:
    return "unknown" if pd.isna(seconds) else duration(seconds)


def _failures(found: pd.DataFrame) -> Iterable[str]:
    """A line a log of what failed."""
    return [f"failed: {log}" for log in found.loc[found["state"] == "failed", "log"].dropna().unique()]
