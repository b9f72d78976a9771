"""How much there is to do: what a study's runs train, measure and write, from their shapes alone."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
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
    LINEARIZED,
    MASK,
    PAIRS,
    PREACTIVATIONS,
    SNAPSHOTS,
    TARGETS,
    WEIGHTS,
    RunPath,
)
from featprune.study import Study

# Assumed sizes: a small Parquet file, a table, a figure's file, and what Parquet leaves of a preactivation's 4 bytes.
SMALL, TABLE, FIGURE, PACKED = 3e3, 3e4, 1e5, 0.85
ROW_GROUP = 2e3  # what a row group of preactivations, one a seed and layer, takes besides
LINEARIZED_STEP = 1.6  # steps of a network that a step of its linearization costs


@dataclass(frozen=True)
class Sizes:
    """The shape of a dataset."""

    inputs: int
    outputs: int
    train: int
    validation: int
    test: int


IMAGES = Sizes(28 * 28, 10, 60_000 - IMAGE_VALIDATION, IMAGE_VALIDATION, 10_000)  # MNIST's, and its relatives'


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


def dataset_sizes(study: Study, dataset: str) -> Sizes:
    """The shape of a dataset, without downloading it."""
    entry = study.config["datasets"][dataset]
    if entry["source"] in IDX_SETS:
        return IMAGES
    data = prepare_dataset(entry["source"], entry["options"], study.config.get("data_dir"))
    return Sizes(data.inputs, data.outputs, len(data.train_x), len(data.validation_x), len(data.test_x))


def cases(study: Study, shape: Callable[[Study, str], Sizes] = dataset_sizes) -> dict[str, Case]:
    """The case of each experiment; shape: the function that knows a dataset's."""
    sizes = {dataset: shape(study, dataset) for dataset in {e.dataset for e in study.experiments.values()}}
    found = {}
    for name, e in study.experiments.items():
        own, t, m = sizes[e.dataset], e.training, e.model
        network = MLP((own.inputs, *m.hidden, own.outputs), m.activation, m.init, m.parametrization)
        asked = e.settings(e.dense_cells[0], 0)["snapshot_at"] or [0, 1]
        measured = len(asked), e.features.probe, e.features.kernel_samples, e.pruning.score_samples
        found[name] = Case(network, own, t.loss, t.optimizer, t.batch_size, *measured)
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


def step_cost(run: RunPath) -> float:
    """How many steps of a network a step of a run costs."""
    return LINEARIZED_STEP if run.cell.alpha == LINEARIZED else 1


def runs_in(files: Iterable[str], name: str) -> list[RunPath]:
    """The runs that have a file of this name among these."""
    return [RunPath.parse(file) for file in files if "/runs/" in file and Path(file).name == name]


def repeats(inputs: Iterable[str], file: str) -> int:
    """How often a job with these inputs does, for a file of a run, what is measured once.

    Comparisons with dense runs, and straight lines between the networks that it reads.
    """
    if Path(file).name == FEATURES:
        return sum(RunPath.parse(file).cell.kind != target for target in TARGETS.values())
    if Path(file).name == CONNECTIVITY:
        kinds = [run.cell.kind for run in runs_in(inputs, WEIGHTS)]
        return sum(kinds.count(one) for one, other in PAIRS.values() if other in kinds)
    return 1


def file_bytes(study: Study, known: Mapping[str, Case], path: str) -> float:
    """The size of a file of a run on disk."""
    name = Path(path).name
    if "/runs/" not in path:
        if "/data/" in path:
            users = [
                known[e.name].sizes for e in study.experiments.values() if path.endswith(study.dataset_file(e.name))
            ]
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


def gradients(criterion: str) -> bool:
    """Whether a criterion's scores differentiate, and so need torch."""
    return CRITERIA[criterion].source in ("chain", "dense", "start") and getattr(
        CRITERIA[criterion], "gradients", False
    )
