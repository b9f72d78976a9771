"""Which files the explorer is made of. Light: the workflow plans by it."""

from __future__ import annotations

import hashlib
from itertools import chain
from pathlib import Path

from featprune.errors import FeatpruneError
from featprune.figures import FIGURES
from featprune.runs.paths import PREACTIVATIONS
from featprune.study import Study

TABLES = ("summary", "tuned", "claims")
PAGE, STYLE, SCRIPT = "page.html", "explorer.css", "explorer.js"

Sources = dict[str, dict[str, str | list[str]]]


def sources(study: Study) -> Sources:
    """Experiment -> its tables, by name, and where features are compared `data` and the `preactivations` of the first
    block: the experiments that have claims.

    Raises FeatpruneError where there is none.
    """
    found: Sources = {}
    for name, e in study.experiments.items():
        if study.lacks(name, FIGURES["claims"]):
            continue
        found[name] = {table: study.table_file(name, f"{table}.parquet") for table in TABLES}
        runs = [run for run in study.studied_runs(name) if run.block == e.seeds.reported_blocks[0]]
        if any(run.round for run in runs):
            files = [run.file(study.root, PREACTIVATIONS) for run in runs]
            found[name] |= {"data": study.dataset_file(name), "preactivations": files}
    if not found:
        raise FeatpruneError("config: run: the explorer shows pruned networks; name an experiment that has some")
    return found


def files_of(found: Sources) -> list[str]:
    """All files that `sources` names."""
    named = chain.from_iterable(files.values() for files in found.values())
    return [file for some in named for file in ([some] if isinstance(some, str) else some)]


def read_part(name: str) -> str:
    """One of the page's own parts: PAGE, STYLE or SCRIPT."""
    return Path(__file__).with_name(name).read_text(encoding="utf-8")


def parts() -> str:
    """A short hash of the page's own parts, which no fingerprint of Python code sees."""
    return hashlib.sha256("".join(map(read_part, (PAGE, STYLE, SCRIPT))).encode()).hexdigest()[:16]
