"""What a config can't mean although each of its keys is right: a folder that can't be, and sizes that no machine has.

Estimates are from below, by arithmetic on the config: nothing is enumerated before they are found to be possible.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise
from math import ceil
from pathlib import PurePath
from typing import Any
from unicodedata import category

from featprune.config import ConfigError
from featprune.criteria import crossed
from featprune.data import DATASETS
from featprune.datasets.sources import IDX_SETS

# The most that can be meant.
LAST_SEED = 2**31 - 1  # seeds are int32 in tables
LAYERS = 1000
RUNS = 1_000_000  # of an experiment, whose planning alone would take days
EVALUATIONS = 1_000_000  # of a run
STEPS = 100_000_000  # of a run
MEMORY = 256e9  # bytes of a job
CORE_TIME = 1000 * 365.25 * 86400.0  # core-seconds of an experiment

# From below, what these take.
STEP = 2e-6  # seconds of a training step
FLOPS = 2e11  # floating-point operations of a core a second, from above
ORDER = 16  # bytes of a sample's place in the data order, while that is made
TRAINED = 20  # bytes of a weight that trains: itself, its gradient, two moments, its mask

SHAPES = {"digits": (64, 10), **dict.fromkeys(IDX_SETS, (28 * 28, 10))}  # inputs, outputs
Factors = Mapping[str, float]  # key of the config -> by how much it multiplies what is asked for


@dataclass(frozen=True)
class Demand:
    """What is asked for, and the most that can be meant; told: how an amount is written."""

    amount: float
    most: float
    told: Callable[[float], str]
    factors: Factors

    @property
    def excess(self) -> float:
        """How many times the most that can be meant it is."""
        return self.amount / self.most

    @property
    def key(self) -> str:
        """The key that contributes most."""
        return max(self.factors, key=lambda name: self.factors[name])

    @property
    def line(self) -> str:
        """What is wrong."""
        asked = f"{self.factors[self.key]:,.0f} asks for at least {self.told(self.amount)}"
        return f"config: {self.key}: {asked}, where {self.told(self.most)} is the most that can be meant; take less"


def bounded(config: dict[str, Any]) -> dict[str, Any]:
    """The resolved config itself; raises ConfigError, a line a key, for what it can't mean."""
    problems = [f"config: results: {text}" for text in unfit(config["results"])]
    worst: dict[str, Demand] = {}
    for name in config["run"]:
        for demand in (*demands(config, name), *memory(config, name), *dataset_memory(config, name)):
            known = worst.get(demand.key)
            if demand.excess > (known.excess if known else 1):
                worst[demand.key] = demand
    problems += [demand.line for demand in worst.values()]
    if problems:
        raise ConfigError(problems)
    return config


def unfit(folder: str) -> Iterator[str]:
    """Why results can't lie in a folder of this name."""
    if any(category(letter)[0] == "C" for letter in folder):
        yield f"{folder!r} has characters that can't be seen; leave them out"
    elif set(folder) & set("{}"):
        yield f"{folder!r} has braces, in which Snakemake looks for wildcards; take a name without them"
    elif folder.startswith("~"):
        yield f"{folder!r}: ~ isn't expanded here; write the folder out"
    elif any(len(part.encode()) > 255 for part in PurePath(folder).parts):
        yield "the name of a folder is longer than 255 bytes; take a shorter one"


def demands(config: Mapping[str, Any], name: str) -> Iterator[Demand]:
    """The seeds, runs, steps and time that an experiment asks for."""
    e, seeds, of_seeds, here = parts(config, name)
    training, pruning = e["training"], e["pruning"]
    count, steps, rounds = seeds["count"], training["steps"], pruning["rounds"]
    counted, stepped = {f"{of_seeds}.count": count}, {f"{here}.training.steps": steps}
    last = {f"{of_seeds}.first": seeds["first"]} | counted
    yield Demand(seeds["first"] + count - 1, LAST_SEED, "seed {:,.0f}".format, last)
    hidden = e["model"]["hidden"]
    yield Demand(len(hidden), LAYERS, "{:,.0f} layers".format, {f"{here}.model.hidden": len(hidden)})

    # With frozen rates there is one of each alpha at least.
    points = sum(1 if e["rates"] else len(e["lrs_by_alpha"].get(alpha, e["lrs"])) for alpha in e["alphas"])
    kinds = len(crossed(pruning["criteria"], pruning["rewinds"])) + len(pruning["also"]) + pruning["matched_dense"]
    axes = {f"{here}.alphas": len(e["alphas"]), f"{here}.lrs": len(e["lrs"]), f"{here}.pruning.rounds": rounds}
    runs = points * (1 + kinds * rounds)
    blocks = ceil(count / min(seeds["block"], count))
    yield Demand(blocks * runs, RUNS, "{:,.0f} runs".format, axes | counted)

    shape = widths(config, e)
    dense = points * 6 * training["batch_size"] * weights(shape) / FLOPS
    yield Demand(
        count * steps * (runs * STEP + dense), CORE_TIME, core_time, axes | counted | stepped | wide(config, name)
    )
    yield Demand(steps, STEPS, lambda many: f"{many:,.0f} steps ({core_time(many * STEP)} a network)", stepped)
    compressed = (e["compression"] or {"steps": 0})["steps"]
    yield Demand(compressed, STEPS, "{:,.0f} steps".format, {f"{here}.compression.steps": compressed})
    every = training["evaluation_every"]
    often = {f"{here}.training.steps": steps / every} if every else {}
    often |= {f"{here}.training.evaluation_steps": points_of(training["evaluation_steps"])}
    yield Demand(sum(often.values()), EVALUATIONS, "{:,.0f} evaluations a run".format, often)


def memory(config: Mapping[str, Any], name: str) -> Iterator[Demand]:
    """What a job of an experiment holds in memory for a block of seeds."""
    e, seeds, of_seeds, here = parts(config, name)
    training, features, shape = e["training"], e["features"], widths(config, e)
    block = min(seeds["block"], seeds["count"])
    layers, stacked = wide(config, name), {f"{of_seeds}.block": block}
    snapshots = min(points_of(training["snapshot_steps"]), training["steps"]) if features["rounds"] else 0
    drawn = {f"{here}.training.{key}": training[key] for key in ("steps", "batch_size")}
    stored = layers | {f"{here}.training.snapshot_steps": snapshots}
    probed = stored | {f"{here}.features.probe": features["probe"]}
    each = {
        weights(shape) * TRAINED: layers,
        training["steps"] * training["batch_size"] * ORDER: drawn,
        snapshots * weights(shape) * 4: stored,
        snapshots * features["probe"] * sum(shape[1:]) * 4: probed,
    }
    for amount, factors in each.items():
        yield Demand(block * amount, MEMORY, gigabytes, factors | stacked)


def dataset_memory(config: Mapping[str, Any], name: str) -> Iterator[Demand]:
    """What the making of an experiment's dataset holds in memory, where the config says how large it is."""
    dataset = config["experiments"][name]["dataset"]
    entry = config["datasets"][dataset]
    if entry["source"] != "teacher":
        return
    options = {**DATASETS["teacher"].options, **entry["options"]}
    sizes = {option: value for option, value in options.items() if type(value) is int and option != "seed"}
    samples = sum(sizes[split] for split in ("train", "validation", "test"))
    amount = samples * (4 * sizes["inputs"] + 8 * sizes["teachers"] * sizes["units"])
    amount += 8 * sizes["teachers"] * sizes["units"] * sizes["inputs"]
    factors = {f"datasets.{dataset}.options.{option}": value for option, value in sizes.items()}
    yield Demand(amount, MEMORY, gigabytes, factors)


def parts(config: Mapping[str, Any], name: str) -> tuple[dict[str, Any], dict[str, int], str, str]:
    """An experiment, its seeds, and the keys under which either stands."""
    e, here = config["experiments"][name], f"experiments.{name}"
    return (e, e["seeds"], f"{here}.seeds", here) if e["seeds"] else (e, config["seeds"], "seeds", here)


def widths(config: Mapping[str, Any], experiment: Mapping[str, Any]) -> list[int]:
    """The widths of a network from inputs to outputs; 1 where the config doesn't say, as of one's own files."""
    entry = config["datasets"][experiment["dataset"]]
    options = {**DATASETS[entry["source"]].options, **entry["options"]}
    inputs, outputs = SHAPES.get(entry["source"], (options.get("inputs", 1), 1))
    return [inputs if type(inputs) is int else 1, *experiment["model"]["hidden"], outputs]


def weights(widths: list[int]) -> int:
    """The weights of a network."""
    return sum(fan_in * fan_out for fan_in, fan_out in pairwise(widths))


def wide(config: Mapping[str, Any], name: str) -> dict[str, float]:
    """The key of each width that the config says -> the width."""
    e = config["experiments"][name]
    found = {f"experiments.{name}.model.hidden[{i}]": width for i, width in enumerate(e["model"]["hidden"])}
    if config["datasets"][e["dataset"]]["source"] == "teacher":
        found[f"datasets.{e['dataset']}.options.inputs"] = widths(config, e)[0]
    return found


def points_of(grid: int | list[int]) -> int:
    """The points of a grid of steps, as a config gives it."""
    return grid if isinstance(grid, int) else len(grid)


def gigabytes(amount: float) -> str:
    return f"{amount / 1e9:,.0f} GB of memory"


def core_time(seconds: float) -> str:
    years = seconds / (365.25 * 86400)
    return f"{years:,.0f} core-years" if years >= 1 else f"{seconds / 3600:,.1f} core-hours"
