"""What a run consists of: its jobs, from Snakemake's own plan, and what each trains and writes, from the study."""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import prod
from pathlib import Path

from featprune.criteria import CRITERIA
from featprune.data import prepare_dataset
from featprune.datasets.images import IMAGE_VALIDATION
from featprune.datasets.sources import IDX_SETS
from featprune.experiment import Experiment
from featprune.network import MLP
from featprune.pruning.masks import Schedule
from featprune.runs.paths import (
    CONNECTIVITY,
    DENSE,
    FEATURES,
    MASK,
    PAIRS,
    PREACTIVATIONS,
    SNAPSHOTS,
    TARGETS,
    WEIGHTS,
    RunPath,
)
from featprune.study import Study

SNAKEFILE = Path(__file__).parents[1] / "Snakefile"

# Assumed sizes: a small Parquet file, a table, a figure's file, and what Parquet leaves of a preactivation's 4 bytes.
SMALL, TABLE, FIGURE, PACKED = 3e3, 3e4, 1e5, 0.85
ROW_GROUP = 2e3  # what a row group of preactivations, one a seed and layer, takes besides


@dataclass(frozen=True)
class Job:
    """A job of a plan; `after` are the places in the plan of the jobs it waits for, `benchmark` is the file in which
    Snakemake notes its seconds."""

    rule: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    after: tuple[int, ...] = ()
    benchmark: str = ""


@dataclass(frozen=True)
class Sizes:
    """The shape of a dataset."""

    inputs: int
    outputs: int
    train: int
    validation: int
    test: int


@dataclass(frozen=True)
class Case:
    """What the cost of a run depends on besides its mask: equal for experiments that cost the same."""

    network: MLP
    sizes: Sizes
    loss: str
    optimizer: str
    batch_size: int
    snapshots: int
    probe: int
    kernel_samples: int
    score_samples: int


Counts = tuple[int, ...]  # surviving weights, one number a layer


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


def dataset_sizes(study: Study, dataset: str) -> Sizes:
    """The shape of a dataset, without downloading it."""
    entry = study.config["datasets"][dataset]
    if entry["source"] in IDX_SETS:
        return Sizes(28 * 28, 10, 60_000 - IMAGE_VALIDATION, IMAGE_VALIDATION, 10_000)
    data = prepare_dataset(entry["source"], entry["options"], study.config.get("data_dir"))
    return Sizes(data.inputs, data.outputs, len(data.train_x), len(data.validation_x), len(data.test_x))


def cases(study: Study) -> dict[str, Case]:
    """The case of each experiment."""
    sizes = {dataset: dataset_sizes(study, dataset) for dataset in {e.dataset for e in study.experiments.values()}}
    found = {}
    for name, e in study.experiments.items():
        shape, t, m = sizes[e.dataset], e.training, e.model
        network = MLP((shape.inputs, *m.hidden, shape.outputs), m.activation, m.init, m.parametrization)
        asked = e.settings(e.dense_cells[0], 0)["snapshot_at"] or [0, 1]
        measured = len(asked), e.features.probe, e.features.kernel_samples, e.pruning.score_samples
        found[name] = Case(network, shape, t.loss, t.optimizer, t.batch_size, *measured)
    return found


def layer_sizes(network: MLP) -> list[int]:
    """Weights of each layer."""
    return [prod(shape) for shape in network.shapes]


def counts_of(experiment: Experiment, network: MLP, run: RunPath) -> Counts:
    """Surviving weights of a run, a layer.

    Criteria that rank all layers together are taken to leave what the schedule leaves of each layer, and a schedule
    that has only a total, to leave the same share of each.
    """
    sizes = layer_sizes(network)
    if run.cell.criterion == DENSE.criterion:
        return tuple(sizes)
    counts = Schedule(**experiment.schedule()).counts(sizes, int(run.round))
    return tuple(counts) if len(counts) == len(sizes) else tuple(round(n * counts[0] / sum(sizes)) for n in sizes)


def samples_seen(settings: Mapping, sizes: Sizes) -> int:
    """Samples whose output a run computes besides its steps: evaluations, and reference outputs where f is centered.

    The early stop is taken to lie before the last step: the test split is then evaluated twice.
    """
    some = settings["evaluation_samples"] or sizes.validation
    on_the_way = sum(step != settings["steps"] for step in settings["evaluate_at"])
    seen = on_the_way * min(some, sizes.validation) + sizes.validation + min(some, sizes.train) + 2 * sizes.test
    return seen + settings["center"] * (sizes.train + sizes.validation + sizes.test)


def training_steps(experiment: Experiment, run: RunPath) -> tuple[int, int]:
    """Steps of one seed of a run under its mask, and those of the dense network that late rewinding repeats."""
    settings = experiment.settings(run.cell, int(run.round))
    return settings["steps"], experiment.late_step(run.cell.rewind) or 0


def runs_in(files: Iterable[str], name: str) -> list[RunPath]:
    """The runs that have a file of this name among these."""
    return [RunPath.parse(file) for file in files if "/runs/" in file and Path(file).name == name]


def repeats(job: Job, file: str) -> int:
    """How often a job does, for a file of a run, what is measured once: comparisons with dense runs, and straight lines
    between the networks that it reads."""
    if Path(file).name == FEATURES:
        return sum(RunPath.parse(file).cell.kind != target for target in TARGETS.values())
    if Path(file).name == CONNECTIVITY:
        kinds = [run.cell.kind for run in runs_in(job.inputs, WEIGHTS)]
        return sum(kinds.count(one) for one, other in PAIRS.values() if other in kinds)
    return 1


def file_bytes(study: Study, known: Mapping[str, Case], path: str) -> float:
    """The size of a file of a run on disk."""
    name = Path(path).name
    if "/runs/" not in path:
        if "/data/" in path:
            users = [known[e.name].sizes for e in study.experiments.values() if study.dataset_file(e.name) == path]
            return sum(4 * (s.train + s.validation + s.test) * s.inputs for s in users[:1])
        return FIGURE if "/figures/" in path else TABLE if "/tables/" in path else SMALL
    run = RunPath.parse(path)
    e, case, seeds = study.experiments[run.cell.experiment], known[run.cell.experiment], len(run.seeds)
    kept = sum(counts_of(e, case.network, run)) + sum(case.network.widths[1:])
    if name == MASK:
        return seeds * sum(layer_sizes(case.network))
    if name == WEIGHTS:
        return 4 * seeds * kept
    steps = len(e.settings(run.cell, int(run.round))["snapshot_at"])
    if name == SNAPSHOTS:
        return 4 * seeds * steps * kept
    if name == PREACTIVATIONS:
        raw = 4 * seeds * steps * case.probe * sum(case.network.widths[1:])
        return PACKED * raw + ROW_GROUP * seeds * len(case.network.shapes)
    return SMALL


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


def gradients(criterion: str) -> bool:
    """Whether a criterion's scores differentiate, and so need torch."""
    return CRITERIA[criterion].source in ("chain", "dense", "start") and getattr(
        CRITERIA[criterion], "gradients", False
    )
