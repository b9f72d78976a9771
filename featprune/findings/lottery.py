"""The lottery-ticket paper's experiment beside the paper: when training would stop early, and how good it is then."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import yaml

from featprune.data import DATASETS
from featprune.figures.style import percent
from featprune.findings.publication import Publication
from featprune.findings.words import (
    PERCENT,
    POINTS,
    STEPS,
    Unit,
    bullets,
    by_density,
    densities,
    listed,
    markdown,
    strategy,
)
from featprune.runs.paths import DENSE, TICKET, Kind
from featprune.tables.frames import nearest_one, of_kind
from featprune.tables.intervals import student_t

PAPER = Path(__file__).with_name("frankle_carbin_2019.yaml")
STRATEGIES = {"ticket": TICKET, "random": Kind("magnitude", "random"), "redrawn": Kind("ticket", "random")}
STOP = {"early_stop_step": "step", "early_stop_test_accuracy": "accuracy"}
TIMES = Unit(1, 2, "times")
NEAR = np.log(1.15)  # how far a density may be from the paper's


@cache
def paper() -> dict[str, Any]:
    """What the paper says; the file tells where."""
    return yaml.safe_load(PAPER.read_text(encoding="utf-8"))


def earlier(runs: pd.DataFrame) -> pd.Series:
    """By which part of the dense network's steps tickets are before it."""
    return 1 - runs["step_ticket"] / runs["step_dense"]


def gain(runs: pd.DataFrame) -> pd.Series:
    """Accuracy of tickets minus the dense network's."""
    return runs["accuracy_ticket"] - runs["accuracy_dense"]


# What the paper states as a number -> its name, how it is written, and what it is of a frame of `side_by_side`.
QUANTITIES = {
    "earlier": ("tickets stop earlier than dense, by", PERCENT, earlier),
    "gain": ("tickets minus dense, accuracy", POINTS, gain),
    "faster_than_redrawn": (
        "steps of re-drawn tickets over the tickets'",
        TIMES,
        lambda runs: runs["step_redrawn"] / runs["step_ticket"],
    ),
    "better_than_redrawn": (
        "tickets minus re-drawn tickets, accuracy",
        POINTS,
        lambda runs: runs["accuracy_ticket"] - runs["accuracy_redrawn"],
    ),
}


def side_by_side(runs: pd.DataFrame) -> pd.DataFrame:
    """A row a round and seed of tickets: density, steps trained, step_ and accuracy_ of each strategy's early stop.

    A stop at step 0, before any training, is none.
    """
    stops = runs.rename(columns=STOP)
    stops = stops.assign(step=stops["step"].where(stops["step"] > 0))
    dense = of_kind(stops, DENSE).set_index("seed")[list(STOP.values())].add_suffix("_dense")
    table = of_kind(stops, TICKET)[["round", "seed", "density", "steps"]].join(dense, on="seed")
    for name, kind in STRATEGIES.items():
        mine = of_kind(stops, kind).set_index(["round", "seed"])[list(STOP.values())].add_suffix(f"_{name}")
        table = table.join(mine, on=["round", "seed"])
    # A round has one density: seeds differ by nothing but rounding.
    return table.assign(density=table.groupby("round")["density"].transform("mean"))


def comparison(published: Publication) -> Iterator[str]:
    """What each experiment says, its numbers beside the paper's, the settings of both, and all densities."""
    for experiment, runs in compared(published):
        yield f"### {experiment}"
        yield bullets(sentences(runs))
        cite = paper()["cite"]
        yield f"The paper's own numbers ({cite}), and ours with 95 % intervals over seeds, which alone judge agreement:"
        yield markdown(stated(runs))
        yield "How the networks were trained, there and here:"
        yield markdown(settings(published, experiment))
        yield "The early stop at all densities, mean over seeds with 95 % interval:"
        yield markdown(stops(runs))


def lines(published: Publication) -> Iterator[str]:
    """What tickets do, a line an experiment."""
    for experiment, runs in compared(published):
        first, _, best, *_ = sentences(runs)
        yield f"**{experiment}.** {first} {best}"


def compared(published: Publication) -> Iterator[tuple[str, pd.DataFrame]]:
    """The experiments that have tickets with an early stop, and their frames of `side_by_side`."""
    for experiment, tuned in published.named(published.table("tuned")):
        runs = side_by_side(nearest_one(tuned, "alpha"))
        if earlier(runs).notna().any() and gain(runs).notna().any():
            yield experiment, runs


def sentences(runs: pd.DataFrame) -> Iterator[str]:
    """What the early stops say about tickets, and about re-draws of them."""
    first = where_least(runs, runs["step_ticket"])
    at = runs[runs["density"] == first]
    ahead = earlier(at).mean() > 0
    by = PERCENT.mean(earlier(at) if ahead else -earlier(at))
    yield (
        f"Tickets reach the smallest validation loss earliest at {densities([first])}: at step "
        f"{STEPS.mean(at['step_ticket'])}, {by} % {'before' if ahead else 'after'} the dense network "
        f"({STEPS.mean(at['step_dense'])})."
    )
    yield f"Earlier than the dense network {clear(runs, earlier)}."
    best = where_least(runs, -gain(runs))
    yield (
        f"Their accuracy at the early stop is highest at {densities([best])}, "
        f"{POINTS.mean(gain(runs[runs['density'] == best]))} points against dense. More accurate {clear(runs, gain)}."
    )
    if late := list(unfinished(runs)):
        yield f"The loss was smallest at the very last step, so that the stop is a bound: {', '.join(late)}."
    middle = nearest(runs, reference_density())
    for name, kind in list(STRATEGIES.items())[1:]:
        steps = middle[f"step_{name}"] / middle["step_ticket"]
        if steps.notna().any():
            less = middle[f"accuracy_{name}"] - middle["accuracy_ticket"]
            dense = middle[f"accuracy_{name}"] - middle["accuracy_dense"]
            yield (
                f"At {densities(middle['density'])}, {strategy(*kind)} takes {TIMES.mean(steps)} times the tickets' "
                f"steps and ends {POINTS.mean(less)} points from them, {POINTS.mean(dense)} from dense."
            )


def unfinished(runs: pd.DataFrame) -> Iterator[str]:
    """Of which strategies the loss still fell at the last step, so that their stop is but a bound, and how often."""
    for name, kind in {"dense": DENSE, **STRATEGIES}.items():
        mine = runs.drop_duplicates("seed") if name == "dense" else runs
        count, of = int((mine[f"step_{name}"] >= mine["steps"]).sum()), int(mine[f"step_{name}"].notna().sum())
        if count:
            yield f"{'dense' if kind == DENSE else strategy(*kind)} in {count} of {of} runs"


def where_least(runs: pd.DataFrame, values: pd.Series) -> float:
    """The density at which the mean of the values over seeds is smallest."""
    means = [(values[mine.index].mean(), density) for density, mine in by_density(runs)]
    return min(mean for mean in means if np.isfinite(mean[0]))[1]


def clear(runs: pd.DataFrame, quantity) -> str:
    """At which densities a quantity is above 0 with its whole interval, and at which below."""
    ends = runs.assign(value=quantity(runs)).groupby("density")["value"].agg([lower, upper])
    above, below = ends.index[ends["lower"] > 0], ends.index[ends["upper"] < 0]
    parts = [f"at {densities(above)}" if len(above) else "at no density"]
    parts += [f"the reverse at {densities(below)}"] if len(below) else ["the reverse at none"]
    return f"{'; '.join(parts)} (95 % intervals, each by itself)"


def lower(values: pd.Series) -> float:
    """Of the 95 % interval of the mean."""
    return student_t(values.dropna())[0]


def upper(values: pd.Series) -> float:
    """Of the 95 % interval of the mean."""
    return student_t(values.dropna())[1]


def reference_density() -> float:
    """The density at which the paper compares tickets with re-drawn ones."""
    (density,) = {s["density"] for s in paper()["statements"] if s.get("quantity") == "faster_than_redrawn"}
    return density


def nearest(runs: pd.DataFrame, density: float) -> pd.DataFrame:
    """The rows of the round whose density is nearest this one."""
    distance = np.abs(np.log(runs["density"] / density))
    return runs[runs["round"] == runs["round"].loc[distance.idxmin()]]


def stated(runs: pd.DataFrame) -> Iterator[dict[str, str]]:
    """What the paper states, ours where it is a number and there is such a density, and whether both agree."""
    for statement in paper()["statements"]:
        quote = {"the paper": f"“{statement['quote']}”", "place": statement["place"]}
        yield quote | dict(zip(("ours", "agrees"), ours(statement, runs), strict=True))


def ours(statement: Mapping[str, Any], runs: pd.DataFrame) -> tuple[str, str]:
    """Our number for a statement, and whether both agree; empty where the statement has no number."""
    if statement.get("quantity") == "drop_off":
        return f"tickets: {drop_off(runs, 'ticket')}; re-drawn tickets: {drop_off(runs, 'redrawn')}", ""
    if "quantity" not in statement:
        return "", ""
    name, unit, of = QUANTITIES[statement["quantity"]]
    mine = nearest(runs, statement["density"])
    values = of(mine).dropna()
    if values.empty:
        return "not run here", ""
    if abs(np.log(mine["density"].iloc[0] / statement["density"])) > NEAR:
        return "no such density here", ""
    return f"{name} {unit.mean(values)} {unit.name} at {densities(mine['density'])}", agrees(statement, unit, values)


def drop_off(runs: pd.DataFrame, name: str) -> str:
    """Where a strategy is less accurate than dense, with its whole interval."""
    values = runs.assign(value=runs[f"accuracy_{name}"] - runs["accuracy_dense"])
    ends = values.groupby("density")["value"].agg(upper)
    lost = ends.index[ends < 0]
    if ends.isna().all():
        return "not run here"
    return f"less accurate than dense at {densities(lost) if len(lost) else 'no density'}"


def agrees(statement: Mapping[str, Any], unit: Unit, values: pd.Series) -> str:
    """Whether our interval holds the paper's number, or lies beyond it where the paper says "more than"."""
    low, high = student_t(values)
    # The paper's points are of accuracies in percent; its fractions and ratios are ours.
    value = statement["value"] / (unit.scale if unit is POINTS else 1)
    if not np.isfinite(low):
        return "too few seeds"
    if statement.get("more") and low > value:
        return "yes, beyond it"
    return "yes, within our interval" if low <= value <= high else "no, smaller" if high < value else "no, larger"


def settings(published: Publication, experiment: str) -> list[dict[str, str]]:
    """How the paper's networks were trained and how ours, by the config; without what isn't known of ours."""
    runs = dict(published.named(published.table("tuned")))[experiment]
    entry = published.config["experiments"][experiment]
    training, rates = entry["training"], entry["pruning"]["rates"]
    data = published.config["datasets"][entry["dataset"]]
    rate = " or ".join(f"{training['lr'] * lr:g}" for lr in sorted(runs["lr"].unique()))
    decay = f", a tenth of it after {listed([f'{step:,}' for step in training['milestones']])} steps"
    every, samples = training.get("evaluation_every"), training["evaluation_samples"] or "all its"
    watched = f"every {every} steps" if every else f"at {training['evaluation_steps']} steps"
    layers = f"{100 * rates['hidden']:g} % of each hidden layer, {100 * rates['output']:g} % of the output"
    here: dict[str, str | None] = {
        "network": f"{'-'.join(map(str, entry['model']['hidden']))} on {entry['dataset']}",
        "optimizer": f"{training['optimizer']} {rate}{decay * bool(training['milestones'])}",
        "batch size": str(training["batch_size"]),
        "steps a round": f"{training['steps']:,}",
        "pruned a round": layers if entry["pruning"]["scope"] == "per_layer" else f"{100 * rates['global']:g} % of all",
        "validation": f"{samples} samples, {watched}",
        "input scaling": {**DATASETS[data["source"]].options, **data["options"]}.get("scaling"),
        "trials": str(len(runs["seed"].unique())),
    }
    rows = ((name, told, here[name]) for name, told in paper()["settings"].items())
    return [{"": name, "the paper": t["paper"], "place": t["place"], "here": mine} for name, t, mine in rows if mine]


def stops(runs: pd.DataFrame) -> Iterator[dict[str, str]]:
    """Step and accuracy at the early stop: a row a density, columns for each strategy that was run."""
    dense = runs.drop_duplicates("seed")
    names = {name: strategy(*kind) for name, kind in STRATEGIES.items() if runs[f"step_{name}"].notna().any()}
    first = next(iter(names.values()))
    yield {"weights (%)": "100 (dense)"} | stop(dense, "dense", first)
    for density, mine in by_density(runs):
        line = {"weights (%)": percent(density)}
        for name, label in names.items():
            line |= stop(mine, name, label)
        yield line


def stop(runs: pd.DataFrame, name: str, label: str) -> dict[str, str]:
    """The cells of a strategy at a density."""
    return {
        f"{label}: step": STEPS.mean(runs[f"step_{name}"]),
        f"{label}: accuracy (%)": PERCENT.mean(runs[f"accuracy_{name}"]),
    }
