"""The configuration: validated in full before the first job, and resolved to plain data.

`workflow/schemas/config.schema.yaml` says what may be written, and holds every default. It is applied to each
experiment as written; then experiments merge with those they inherit from; then the merged ones are checked for
what concerns several keys.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from functools import reduce
from pathlib import Path
from typing import Any

import yaml

from featprune.criteria import crossed
from featprune.errors import FeatpruneError, visible
from featprune.rewind import conflicts
from featprune.runs.paths import LINEARIZED
from featprune.wording import Keys, Problem, as_number, explain, make_validator


class ConfigError(FeatpruneError):
    """Everything that is wrong with a configuration; `lines` has one line a problem."""

    def __init__(self, lines: Iterable[str]):
        self.lines = list(lines)
        super().__init__(self.lines)

    def __str__(self) -> str:
        return "\n".join(map(visible, self.lines))


def load_schema(path: str | Path) -> dict[str, Any]:
    """The schema of the configuration, from its YAML file."""
    return yaml.safe_load(Path(path).read_text(encoding="utf-8"))


def log_grid(steps: int, spec: int | Sequence[int]) -> list[int]:
    """The steps of a run at which something happens, ascending, from 0 to `steps`.

    `spec` is a list of steps, or a number n >= 2 of points: 0 and n - 1 points log-spaced from 1 to `steps`,
    fewer where they round to the same step.

    >>> log_grid(1000, 5)
    [0, 1, 10, 100, 1000]
    """
    if isinstance(spec, int):
        spec = [round(steps ** (1 - k / max(spec - 2, 1))) for k in range(spec - 1)]
    return sorted({0, steps, *spec})


def resolve(
    raw: Mapping[str, Any], schema: Mapping[str, Any], choices: Mapping[str, Collection[str]]
) -> dict[str, Any]:
    """The configuration in full: inheritance merged, defaults filled, every check passed.

    Args:
        raw: the configuration as written; it is not modified.
        schema: what `load_schema` returns.
        choices: the names that each registry knows: "activation", "criterion", "dataset", "init", "loss",
            "optimizer", "parametrization", "rewind", "figure"; and, optionally, "classification_dataset": the datasets
            that cross_entropy is for.

    Returns:
        Plain data. `experiments` holds those in `run`, in its order; `datasets` has an entry for each dataset
        that one of them names; `alphas`, `lrs` and `features.lrs` are lists of strings as written (the last is null
        with frozen rates).

    Raises:
        ConfigError: with all the problems found.
    """
    config = dict(raw)
    experiments, datasets = _mapping(config.get("experiments")), _mapping(config.get("datasets"))
    sources = {name: name for name in choices["dataset"]}
    sources |= {name: str(_mapping(entry).get("source")) for name, entry in datasets.items()}
    validator = make_validator(schema, {**choices, "experiment": experiments, "dataset name": sources})

    # An experiment may inherit what the schema requires of it, so that has to wait until it is merged.
    errors = (
        error
        for error in validator.iter_errors(config)
        if not (error.validator == "required" and tuple(error.absolute_path)[:1] == ("experiments",))
    )
    problems = [problem for error in errors for problem in explain(error)]
    broken = {keys[1] for keys, _ in problems if keys[:1] == ("experiments",) and len(keys) > 1}
    merged, cycles = _inherit({name: entry for name, entry in experiments.items() if name not in broken})
    problems += cycles

    run = config.get("run")
    run = [name for name in run if isinstance(name, str)] if isinstance(run, list) else list(experiments)
    entry_schema = schema["properties"]["experiments"]["additionalProperties"]
    complete = {name: _filled(merged[name], entry_schema) for name in run if name in merged}
    for name, experiment in complete.items():
        errors = validator.evolve(schema=entry_schema).iter_errors(experiment)
        found = [problem for error in errors for problem in explain(error)]
        if not found:
            found = [*_conflicts(experiment, run), *_loss_conflict(experiment, sources, choices)]
        problems += [(("experiments", name, *keys), text) for keys, text in found]
    if not problems:
        problems += _lent(complete)
        problems += _unreported(_filled(_mapping(config.get("seeds")), schema["properties"]["seeds"]), ("seeds",))
    if problems:
        raise ConfigError(dict.fromkeys(f"config: {_dotted(keys)}: {text}" for keys, text in problems))

    named = {experiment["dataset"]: {"source": experiment["dataset"]} for experiment in complete.values()}
    config["run"] = run
    config["datasets"] = named | datasets
    config["experiments"] = {name: _written(experiment) for name, experiment in complete.items()}
    return _filled(config, schema)


def _filled(value: Any, schema: Mapping[str, Any]) -> Any:
    """A deep copy of plain data in which mappings have the schema's defaults for the keys they lack."""
    if isinstance(value, dict):
        known = schema.get("properties", {})
        others = schema.get("additionalProperties") or {}
        defaults = {key: entry["default"] for key, entry in known.items() if "default" in entry}
        return {key: _filled(entry, known.get(key, others)) for key, entry in (defaults | value).items()}
    if isinstance(value, list):
        return [_filled(entry, schema.get("items", {})) for entry in value]
    return value


def _inherit(experiments: Mapping[str, dict]) -> tuple[dict[str, dict], list[Problem]]:
    """Experiments merged over all they inherit from, without the key `inherit`; and the cycles.

    One whose ancestors aren't all in `experiments` is left out.
    """
    merged: dict[str, dict] = {}
    cycles: list[Problem] = []
    for name in experiments:
        ancestry = [name]
        while ancestry[-1] in experiments and ancestry[-1] not in ancestry[:-1]:
            parent = experiments[ancestry[-1]].get("inherit")
            if parent is None:
                experiment = reduce(_merge, (experiments[ancestor] for ancestor in reversed(ancestry)))
                merged[name] = {key: value for key, value in experiment.items() if key != "inherit"}
                # A baseline usually inherits from the very experiment that names it.
                if merged[name].get("baseline") == name:
                    merged[name]["baseline"] = None
                break
            ancestry.append(parent)
        # All members of a cycle come back to themselves: the first in the alphabet reports it.
        if len(ancestry) > 1 and ancestry[-1] == name == min(ancestry):
            cycles.append((("experiments", name, "inherit"), f"a cycle, {' -> '.join(ancestry)}"))
    return merged, cycles


def _merge(base: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    """`over` on top of `base`: mappings merge, anything else is replaced."""
    merged = dict(base)
    for key, value in over.items():
        both = isinstance(value, dict) and isinstance(base.get(key), dict)
        merged[key] = _merge(base[key], value) if both else value
    return merged


def _conflicts(experiment: Mapping[str, Any], run: list[str]) -> Iterator[Problem]:
    """What is wrong with a complete experiment although each of its keys is right."""
    training, pruning, features = experiment["training"], experiment["pruning"], experiment["features"]
    steps, late_step = training["steps"], pruning["late_step"]

    beyond = "{} is out of range (must be <= {}, which is {})"
    for key in ("evaluation_steps", "snapshot_steps"):
        for index, step in enumerate(training[key] if isinstance(training[key], list) else []):
            if step > steps:
                yield ("training", key, index), beyond.format(step, "training.steps", steps)
    compression = experiment["compression"] or {}
    chosen = {
        ("features", "rounds"): features["rounds"],
        ("compression", "rounds"): compression.get("rounds", []),
        ("decide_at",): experiment["decide_at"] or [],
    }
    for keys, rounds in chosen.items():
        for index, round_ in enumerate(rounds):
            if round_ > pruning["rounds"]:
                yield (*keys, index), beyond.format(round_, "pruning.rounds", pruning["rounds"])

    if "late" in pruning["rewinds"]:
        grid = log_grid(steps, training["snapshot_steps"])
        if late_step is None:
            yield ("pruning", "late_step"), "missing; the rewind 'late' needs it"
        elif late_step not in grid:
            closest = min(grid, key=lambda step: abs(step - late_step))
            text = f"{late_step} is not a snapshot step; the closest is {closest} (known: {_listing(grid)})"
            yield ("pruning", "late_step"), text
    if experiment["linearize"]:
        needed = {
            "center: true": experiment["center"],
            "training.weight_decay: 0": not training["weight_decay"],
            "tickets_from: null": experiment["tickets_from"] is None,
        }
        yield from ((("linearize",), f"needs {what}") for what, there in needed.items() if not there)
    for rewind in [*pruning["rewinds"], *(pair["rewind"] for pair in pruning["also"])]:
        for key, text in conflicts(rewind, experiment["center"], training["optimizer"]):
            yield (("training", key) if key in training else (key,)), text

    lrs = {as_number(lr): str(lr) for lr in experiment["lrs"]}
    # Entries of alphas that aren't run stay where an experiment inherits them.
    for alpha, some in experiment["lrs_by_alpha"].items():
        for index, lr in enumerate(some):
            if as_number(lr) not in lrs:
                yield ("lrs_by_alpha", str(alpha), index), f"{lr} is not one of lrs (known: {_listing(lrs.values())})"
    frozen = experiment["rates"] is not None
    if frozen and features["lrs"] is not None:
        yield ("features", "lrs"), "must be null with frozen `rates`, where the tickets' are compared"
    for index, lr in enumerate(features["lrs"] or []):
        if as_number(lr) not in lrs and not frozen:
            yield ("features", "lrs", index), f"{lr} is not one of lrs (known: {_listing(lrs.values())})"

    if experiment["seeds"]:
        yield from _unreported(experiment["seeds"], ("seeds",))

    baseline = experiment["baseline"]
    others = [(("baseline",), baseline), *((("rivals", i), rival) for i, rival in enumerate(experiment["rivals"]))]
    for place, other in others:
        if other not in (None, *run):
            yield place, f"{other!r} is not run; add it to `run`"
    compared = tuple(experiment["headline"].values())
    pairs = [*crossed(pruning["criteria"], pruning["rewinds"]), *(tuple(pair.values()) for pair in pruning["also"])]
    if baseline is not None and pruning["rounds"] and compared not in pairs:
        yield ("headline",), f"no such runs here: {' x '.join(compared)} (known: {_listing(map(' x '.join, pairs))})"


def _unreported(seeds: Mapping[str, int], keys: Keys) -> Iterator[Problem]:
    """Whether tuning leaves no seed to tell of."""
    if seeds["tuning"] >= seeds["count"]:
        yield (*keys, "tuning"), f"{seeds['tuning']} is out of range (must be < count, which is {seeds['count']})"


def _lent(experiments: Mapping[str, Mapping[str, Any]]) -> Iterator[Problem]:
    """Whether tickets that an experiment takes from another are there."""
    for name, experiment in experiments.items():
        source = experiment["tickets_from"]
        if source is None:
            continue
        keys, lender = ("experiments", name, "tickets_from"), experiments.get(source["experiment"])
        if lender is None:
            yield (*keys, "experiment"), f"{source['experiment']!r} is not run; add it to `run`"
            continue
        if str(source["alpha"]) not in map(str, lender["alphas"]):
            text = f"{source['alpha']} is not one of its alphas (known: {_listing(lender['alphas'])})"
            yield (*keys, "alpha"), text
        if experiment["pruning"]["rounds"] > lender["pruning"]["rounds"]:
            yield ("experiments", name, "pruning", "rounds"), f"more than {source['experiment']!r} has tickets for"
        frozen = experiment["rates"] is not None
        if frozen != (lender["rates"] is not None):
            yield ("experiments", name, "rates"), f"frozen here or in {source['experiment']!r} only, not in both"
        missing = set(map(str, experiment["lrs"])) - set(map(str, lender["lrs"]))
        if missing and not frozen:
            yield ("experiments", name, "lrs"), f"{source['experiment']!r} has no tickets at {_listing(missing)}"
        for key in ("dataset", "model", "seeds"):
            if experiment[key] != lender[key]:
                yield (
                    ("experiments", name, key),
                    f"differs from that of {source['experiment']!r}, whose tickets it takes",
                )


def _loss_conflict(
    experiment: Mapping[str, Any], sources: Mapping[str, str], choices: Mapping[str, Collection[str]]
) -> Iterator[Problem]:
    """Whether the loss needs classes that the dataset lacks."""
    regression = set(choices["dataset"]) - set(choices.get("classification_dataset", choices["dataset"]))
    if experiment["training"]["loss"] == "cross_entropy" and sources[experiment["dataset"]] in regression:
        text = f"cross_entropy needs classes, which the dataset {experiment['dataset']!r} lacks"
        yield ("training", "loss"), text


def _written(experiment: Mapping[str, Any]) -> dict[str, Any]:
    """The experiment with alphas and multipliers as they are written, which is how they appear in paths."""
    lrs = {as_number(lr): str(lr) for lr in experiment["lrs"]}
    measured = experiment["features"]["lrs"]
    if experiment["rates"] is None:
        measured = list(lrs.values()) if measured is None else [lrs[as_number(lr)] for lr in measured]
    tickets = experiment["tickets_from"]
    alphas = {str(alpha): as_number(alpha) for alpha in experiment["alphas"]}
    by_alpha = {as_number(key) or str(key): some for key, some in experiment["lrs_by_alpha"].items()}
    # What is studied is compared with the dense network.
    rounds = experiment["features"]["rounds"] and sorted({0, *experiment["features"]["rounds"]})
    return {
        **experiment,
        "alphas": list(alphas),
        "lrs": list(lrs.values()),
        "lrs_by_alpha": {
            alpha: [lrs[as_number(lr)] for lr in by_alpha[key]]
            for alpha, key in (*alphas.items(), (LINEARIZED, LINEARIZED))
            if key in by_alpha
        },
        "features": {**experiment["features"], "lrs": measured, "rounds": rounds},
        "tickets_from": tickets and {**tickets, "alpha": str(tickets["alpha"])},
    }


def _mapping(value: Any) -> dict:
    """The value if it is a mapping, else an empty one: a wrong type is reported elsewhere."""
    return value if isinstance(value, dict) else {}


def _listing(values: Iterable[Any]) -> str:
    return ", ".join(map(str, values))


def _dotted(keys: Keys) -> str:
    """Where in the configuration, as in `experiments.mnist.alphas[1]`."""
    return "".join(f"[{key}]" if isinstance(key, int) else f".{key}" for key in keys).lstrip(".")
