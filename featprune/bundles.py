"""Which jobs of a study a cluster runs as one: those that would be over before they are looked for.

A tree is all jobs on the runs of an alpha, lr and block of seeds, from the dense run to what is measured of its chains.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from featprune.resources import BEGIN, seed_seconds
from featprune.runs.paths import (
    COMPRESSION,
    CONNECTIVITY,
    DENSE,
    DENSE_RUNS,
    FEATURES,
    MASK,
    PAIRS,
    PREACTIVATIONS,
    RICHNESS,
    TARGETS,
    WEIGHTS,
    RunPath,
)
from featprune.study import Study
from featprune.workload import Case

TOGETHER = 3600.0  # seconds, as they are declared, that all jobs that run as one may take together
MEASURED = (PREACTIVATIONS, RICHNESS, FEATURES)


def tree_is_short(study: Study, known: Mapping[str, Case], name: str) -> bool:
    """Whether the trees of an experiment are, with those of experiments that train its tickets and so wait for it."""
    loan = study.experiments[name].tickets_from
    lender = loan.experiment if loan else name
    trees = {other: len(study.experiments[other].dense_cells) for other in study.borrowers(lender)}
    every = (MASK, WEIGHTS, CONNECTIVITY, COMPRESSION, *MEASURED)
    return sum(n * tree_seconds(study, known, one, every) for one, n in ({lender: 1} | trees).items()) <= TOGETHER


def measures_are_short(study: Study, known: Mapping[str, Case], name: str) -> bool:
    """Whether the jobs of a tree that dump and compare features are."""
    return tree_seconds(study, known, name, MEASURED) <= TOGETHER


def tree_seconds(study: Study, known: Mapping[str, Case], name: str, files: Iterable[str]) -> float:
    """Seconds of the making of these files in an experiment's slowest tree, with a process for each job."""
    e, case = study.experiments[name], known[name]
    times = {FEATURES: len(TARGETS), CONNECTIVITY: len(PAIRS) * max(1, len(e.features.rounds))}
    seconds: dict[RunPath, float] = {}
    jobs: dict[RunPath, set] = {}
    for file in files:
        for run in _runs_with(study, name, file):
            tree = RunPath(run.cell.of(DENSE), 0, run.block)
            took = len(run.seeds) * times.get(file, 1) * seed_seconds(file, e, case, run)
            seconds[tree] = seconds.get(tree, 0.0) + took
            number = -(-int(run.round) // e.pruning.rounds_per_job) if file in (MASK, WEIGHTS) else 0
            jobs.setdefault(tree, set()).add((file, run.cell, number))
    return max((spent + BEGIN * len(jobs[tree]) for tree, spent in seconds.items()), default=0.0)


def _runs_with(study: Study, name: str, file: str) -> Iterable[RunPath]:
    """The runs of which a file of this name is made by a job for it."""
    trained = study.runs(name)
    compared = study.compared_runs(name) if study.has_comparisons(name) else ()
    return {
        MASK: (run for run in trained if run.cell.kind not in DENSE_RUNS.values()),
        WEIGHTS: (*study.runs(name), *(study.reference_runs(name) if compared else ())),
        PREACTIVATIONS: study.compared_runs(name) if compared else study.studied_runs(name),
        RICHNESS: study.measured_runs(name),
        FEATURES: compared,
        CONNECTIVITY: study.connected_runs(name),
        COMPRESSION: study.compressed_runs(name),
    }[file]
