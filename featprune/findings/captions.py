"""What was found in each figure, in sentences for its caption: estimates with intervals, from its own tables."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

import numpy as np
import pandas as pd

from featprune.figures.bands import choose_metric
from featprune.figures.early_stop import KINDS
from featprune.figures.layerwise_density import SURVIVORS
from featprune.figures.pixel_mask import select as select_masks
from featprune.figures.preactivations import select as select_networks
from featprune.figures.preactivations import shared_steps
from featprune.figures.references import last_step
from featprune.figures.references import select as select_similarities
from featprune.figures.style import order_methods, percent
from featprune.figures.teacher_overlap import by_unit, specialization
from featprune.figures.toy_preactivations import matched_correlation
from featprune.findings.fields import limits, overlaps_of_flow
from featprune.findings.headline import beside, gain, hardest, known
from featprune.findings.lines import contradictions, lines
from featprune.findings.modes import lost_modes, sigmoids
from featprune.findings.publication import PARTS, Publication
from featprune.findings.sections import barriers, linearization
from featprune.findings.widths import grokking, ticket_width, width_consistency
from featprune.findings.words import (
    ERROR_RATIO,
    PERCENT,
    POINTS,
    SHARE,
    STEPS,
    Unit,
    bullets,
    listed,
    means,
    places,
    strategy,
)
from featprune.runs.paths import DENSE, TICKET, Kind
from featprune.tables.frames import name_alpha, nearest_one, of_kind
from featprune.tables.intervals import paired_difference
from featprune.tables.records import OURS
from featprune.theory.laws import tell as tell_laws

DENSITY = 0.1  # beside the sparsest round, the one nearest to this is told
Tell = Callable[[Publication], Iterable[str]]


def found(figure: str, tables: Mapping[str, pd.DataFrame]) -> str:
    """What a figure found, as a list in reStructuredText; of one that FOUND lacks, that nothing is read off it."""
    experiments = list(dict.fromkeys(name for table in tables.values() for name in table.get("experiment", ())))
    own = {name: PARTS.get(name, pd.DataFrame.copy)(table) for name, table in tables.items()}
    told = list(FOUND[figure](Publication(figure, own, (), {"run": experiments}, {}))) if figure in FOUND else []
    return f"What was found:\n\n{bullets(told or ['nothing that could be put into numbers.'])}\n"


def claims(published: Publication) -> Iterator[str]:
    """Each claim's verdict with its effects, and what contradicts the talk."""
    yield from lines(published)
    yield from (f"Against the talk: {told}" for told in contradictions(published))


def side(low: float, high: float) -> str:
    """Which side of zero an interval lies on."""
    return "above zero" if low > 0 else "below zero" if high < 0 else "not told apart from zero"


def span(rows: pd.DataFrame) -> str:
    """The smallest and the largest paired difference with their places, and how many intervals leave out zero."""
    rows = rows.dropna(subset="difference").sort_values("difference", kind="stable")
    ends = [f"{gain(row)} ({places(rows.loc[[index]])})" for index, row in rows.iterrows()]
    sides = [side(*ends) for ends in rows[["ci_low", "ci_high"]].to_numpy(float)]
    counts = f"above zero at {sides.count('above zero')} of {len(rows)} places, below at {sides.count('below zero')}"
    return (
        f"{counts}; in points {' to '.join(dict.fromkeys([ends[0], ends[-1]]))}" if ends else "no difference is known"
    )


def gains(published: Publication) -> Iterator[str]:
    """Ours minus the baseline over densities."""
    rows = published.table("headline_difference").query("comparison == 'gain'").reset_index(drop=True)
    yield f"Ours minus the baseline, paired by seed: {span(rows.assign(alpha=np.nan))}."


def ablation(published: Publication) -> Iterator[str]:
    """Each kind minus the lottery ticket over densities."""
    table = published.table("ablation").reset_index(drop=True)
    for kind in order_methods(table):
        yield f"{strategy(*kind)} minus the lottery ticket, paired by seed: {span(of_kind(table, kind))}."


def choose_rounds(pruned: pd.DataFrame) -> dict[int, float]:
    """The round nearest a density of a tenth and the sparsest, with their densities."""
    rounds = pruned[pruned["round"] > 0].groupby("round")["density"].mean()
    nearest = np.abs(np.log(rounds / DENSITY)).idxmin()
    return {int(number): float(rounds[number]) for number in sorted({nearest, rounds.index.max()})}


def performance(published: Publication) -> Iterator[str]:
    """Each strategy minus the dense network at the alpha nearest 1, paired by seed."""
    runs = nearest_one(published.table("tuned"), "alpha")
    classified = runs["test_accuracy"].notna().any()
    what, unit = ("test accuracy minus the dense network's", POINTS) if classified else ("test error", ERROR_RATIO)
    runs = runs.assign(value=runs["test_accuracy"] if classified else -np.log(runs["test_loss"]))
    dense = of_kind(runs, DENSE).set_index("seed")["value"]
    for number, density in choose_rounds(runs[runs["criterion"] != DENSE.criterion]).items():
        here = runs[runs["round"] == number]
        told = []
        for kind in order_methods(here):
            gains = (of_kind(here, kind).set_index("seed")["value"] - dense).dropna()
            if len(gains):
                row = paired_difference(gains)
                low, high = row["ci_low"], row["ci_high"]
                verdict = {"above": "better", "below": "worse"}.get(side(low, high).split()[0], "not told apart")
                told.append(f"{strategy(*kind)} {unit.interval(row['difference'], low, high)} ({verdict})")
        where = f"At alpha {runs['alpha'].iloc[0]:g} and {percent(density)} % of weights"
        yield f"{where}, {what} in {unit.name}, paired by seed: {listed(told)}."


def sweep(published: Publication) -> Iterator[str]:
    """The tickets' performance over alpha."""
    runs = published.table("tuned")
    metric = choose_metric(runs)
    pruned = runs[runs["criterion"] != DENSE.criterion]
    for number, density in choose_rounds(pruned).items():
        for kind in order_methods(pruned):
            rows = of_kind(runs, kind)
            cells: dict[Any, pd.DataFrame] = dict(list(rows[rows["round"] == number].groupby("alpha")))
            values = {name_alpha(a, "alpha "): metric.of(rows) for a, rows in cells.items()}
            told = {name: found for name, found in values.items() if found.notna().any()}
            ends = sorted(told, key=lambda name: told[name].mean())
            ends = list(dict.fromkeys([*ends[:1], *ends[-1:]]))
            what = f"{strategy(*kind)} at {percent(density)} % of weights, {metric.label}"
            yield f"{what}: from {' to '.join(f'{SHARE.mean(told[a])} ({a})' for a in ends)}."


def curves(published: Publication) -> Iterator[str]:
    """The validation loss at the last step, of the dense network and of the tickets."""
    table = nearest_one(published.table("learning_curves").query("split == 'validation'"), "alpha")
    table = last_step(table.merge(published.table("tuned")[["alpha", "lr", "criterion", "rewind", "round", "seed"]]))
    tickets = of_kind(table, TICKET)
    parts = {"dense": of_kind(table, DENSE)["loss"]} | {
        f"ticket at {percent(density)} %": tickets.loc[tickets["round"] == number, "loss"]
        for number, density in (choose_rounds(tickets) if len(tickets) else {}).items()
    }
    yield f"Validation loss at the last step, at alpha {table['alpha'].iloc[0]:g}: {means(parts, Unit(1, 3))}."


def early_stop(published: Publication) -> Iterator[str]:
    """The step of the early stop, and the accuracy there."""
    runs = nearest_one(published.table("tuned"), "alpha")
    pruned = of_kind(runs, *KINDS)
    for number, density in choose_rounds(pruned).items():
        here = {"dense": of_kind(runs, DENSE)} | {
            strategy(*kind): of_kind(pruned[pruned["round"] == number], kind) for kind in order_methods(pruned)
        }
        steps = means({name: rows["early_stop_step"].astype(float) for name, rows in here.items()}, STEPS)
        there = means({name: rows["early_stop_test_accuracy"] for name, rows in here.items()}, PERCENT)
        where = f"At {percent(density)} % of weights"
        yield f"{where} the early stop is at step {steps}; test accuracy there, in %, {there}."


def expected_best(published: Publication) -> Iterator[str]:
    """What each kind owes to tuning: the best of one and of all rates."""
    table = nearest_one(published.table("best_of"), "alpha")
    for kind in (DENSE, *order_methods(table)):
        rows = of_kind(table, kind).sort_values("k")
        ends = rows.iloc[[0, -1]].to_dict("records") if len(rows) else []
        told = [f"{PERCENT.number(row['expected'])} % of the best of {row['k']:g}" for row in ends]
        if told:
            name = "dense" if kind == DENSE else strategy(*kind)
            yield f"{name}, alpha {rows['alpha'].iloc[0]:g}: expected validation accuracy {' to '.join(told)}."


def records(published: Publication) -> Iterator[str]:
    """How many published points ours are below, kind by kind."""
    table = published.table("records")
    ours = table[table["side"] == OURS].dropna(subset="error")
    for against, unit in (("density", "%"), ("bytes", "bytes")):
        for kind in order_methods(ours):
            mine = nearest_one(of_kind(ours, kind), "alpha").query("against == @against")
            points = [beside(point, mine, unit) for _, point in known(published, against).iterrows()]
            lower = [point["lower"] for point in points if point]
            if lower:
                ends = {"lower than": "ours", "higher than": "theirs", "level with": "level"}
                told = ", ".join(f"{name} {lower.count(who)}" for name, who in ends.items())
                what = "weights" if against == "density" else "bytes"
                yield f"{strategy(*kind)}, test error at no more {what}, of {len(lower)} published networks: {told}."


def transfer(published: Publication) -> Iterator[str]:
    """What a mask of another alpha costs, over all pairs of alphas."""
    table = published.table("transfer")
    classified = table["test_accuracy"].notna().any()
    table = table.assign(value=table["test_accuracy"] if classified else -np.log(table["test_loss"]))
    own = table[table["mask_alpha"] == table["alpha"]][["alpha", "round", "seed", "value"]]
    both = table[table["mask_alpha"] != table["alpha"]].merge(own, on=["alpha", "round", "seed"], suffixes=("", "_own"))
    unit = POINTS if classified else Unit(-1, 2, "multiples of the error with the own mask", exponential=True)
    for number, density in choose_rounds(table).items():
        here = both[both["round"] == number]
        gains = (here["value"] - here["value_own"]).groupby(here["seed"]).mean().dropna()
        if len(gains):
            row = paired_difference(gains)
            ends = row["ci_low"], row["ci_high"]
            told = f"{unit.interval(row['difference'], *ends)} {unit.name} ({side(*ends)})"
            yield f"A mask of another alpha at {percent(density)} % of weights, mean over pairs of alphas: {told}."


def compression(published: Publication) -> Iterator[str]:
    """The rate after all stages, and what coding costs in accuracy."""
    table = nearest_one(nearest_one(published.table("compression"), "alpha"), "lr")
    for number, density in choose_rounds(table).items():
        here = table[table["round"] == number]
        for kind in order_methods(here):
            rows = of_kind(here, kind)
            rate = Unit(1, 1).mean(rows["original_bytes"] / rows["huffman_bytes"])
            lost = POINTS.mean(rows["quantized_accuracy"] - rows["dense_accuracy"])
            what = f"{strategy(*kind)} at {percent(density)} % of weights"
            yield f"{what}: {rate} times smaller than the dense network, {lost} points of accuracy from it."


def similarity(published: Publication) -> Iterator[str]:
    """How alike features are at the last step, beside the ceiling and the null."""
    strategies, references = map(last_step, select_similarities(published.table("features")))
    strategies, alpha = nearest_one(strategies, "alpha"), nearest_one(strategies, "alpha")["alpha"].iloc[0]
    scale = {str(name).replace("\n", " "): rows["correlation"] for name, rows in references.groupby("panel")}
    for number, density in choose_rounds(strategies).items():
        here = nearest_one(strategies[strategies["round"] == number], "lr")
        parts = {str(name).replace("\n", " "): rows["correlation"] for name, rows in here.groupby("panel", sort=False)}
        where = f"At the last step, alpha {alpha:g} and {percent(density)} % of weights"
        yield f"{where}, the correlation is {means(parts, SHARE)}; beside it {means(scale, SHARE) or 'no reference'}."


def richness(published: Publication) -> Iterator[str]:
    """The dense network's linearization error by alpha, and what that makes of it."""
    rows = of_kind(published.table("richness"), DENSE)
    told = [f"{name_alpha(alpha, 'alpha ')} {error} ({kind})" for alpha, error, kind in linearization(rows)]
    if told:
        yield f"The dense network's linearization error, geometric mean over seeds: {listed(told)}."


def overlap(published: Publication) -> Iterator[str]:
    """How specialized the units are at the last step, and before training."""
    runs = nearest_one(nearest_one(published.table("overlap"), "alpha"), "lr")
    found = specialization(by_unit(runs))
    dense, tickets = (found[found["rewind"] == rewind] for rewind in (DENSE.rewind, TICKET.rewind))
    parts = {"random directions": dense[dense["step"] == 0], "dense": last_step(dense)}
    density = runs.groupby("round")["density"].mean()
    for number, rows in last_step(tickets).groupby("round"):
        parts[f"ticket at {percent(density[number])} %"] = rows
    told = means({name: rows["specialization"] for name, rows in parts.items()}, SHARE)
    yield f"Specialization at the last step, alpha {runs['alpha'].iloc[0]:g}: {told}."


def preactivations(published: Publication) -> Iterator[str]:
    """How well each network's units follow the same units of the dense one at the last step."""
    networks = select_networks(published.table("preactivations"))
    step = shared_steps(networks)[-1]
    matrices = {name: matrix(rows, step) for name, rows in networks.items()}
    for name, rows in networks.items():
        if name != "dense":
            r = matched_correlation(matrices[name], matrices["dense"])
            kind = Kind(rows["criterion"].iloc[0], name)
            where = f"{strategy(*kind)} at {percent(rows['density'].iloc[0])} % of weights"
            yield f"{where}, one seed: correlation {SHARE.number(r)} with the dense network's units at step {step:,}."


def matrix(network: pd.DataFrame, step: int) -> pd.DataFrame:
    """The preactivations at a step: a row a sample, a column a unit."""
    rows = network[network["step"] == step]
    return rows.pivot_table(index="sample", columns="unit", values="preactivation")


def pixels(published: Publication) -> Iterator[str]:
    """Which share of the survivors the tenth of the inputs has that keeps most."""
    masks = select_masks(published.table("pixel_mask"))
    for number, density in choose_rounds(masks).items():
        here = masks[masks["round"] == number]
        parts = {strategy(*kind): busiest(of_kind(here, kind)) for kind in order_methods(here)}
        told = means(parts, PERCENT)
        yield f"At {percent(density)} % of weights, of the survivors the busiest tenth of the inputs has, in %, {told}."


def busiest(masks: pd.DataFrame) -> pd.Series:
    """The share of the survivors at the tenth of the inputs that keeps most, a value a seed."""

    def share(survivors: pd.Series) -> float:
        return survivors.nlargest(max(1, len(survivors) // 10)).sum() / max(survivors.sum(), 1)

    return masks.groupby("seed")["survivors"].agg(share)


def layers(published: Publication) -> Iterator[str]:
    """What each layer keeps at the sparsest round."""
    table = nearest_one(nearest_one(published.table("layer_density"), "alpha"), "lr")
    number, density = list(choose_rounds(table).items())[-1]
    for kind in order_methods(table):
        rows = of_kind(table[table["round"] == number], kind)
        parts = {f"layer {layer:g}": SURVIVORS.of(mine) / 100 for layer, mine in rows.groupby("layer")}
        if len(rows):
            yield f"{strategy(*kind)} at {percent(density)} % of weights keeps, in %, {means(parts, PERCENT)}."


def exponents(published: Publication) -> Iterator[str]:
    """The exponents of an additional experiment, beside the theory's."""
    for name, table in published.tables.items():
        if name.endswith("_laws"):
            yield from tell_laws(table)


# Figure -> what is told of it. A plain literal: the fingerprint of a figure's code takes its own entry only.
FOUND: dict[str, Tell] = {
    "accuracy_vs_density": performance,
    "alpha_sweep": sweep,
    "headline": gains,
    "levels": performance,
    "ablation": ablation,
    "rivals": hardest,
    "best_of": expected_best,
    "records": records,
    "ticket_transfer": transfer,
    "compression": compression,
    "learning_curves": curves,
    "early_stop": early_stop,
    "preactivations": preactivations,
    "feature_similarity": similarity,
    "feature_similarity_vs_density": similarity,
    "connectivity": barriers,
    "richness": richness,
    "claims": claims,
    "teacher_overlap": overlap,
    "toy_preactivations": preactivations,
    "preactivation_dynamics": preactivations,
    "pixel_mask": pixels,
    "layerwise_density": layers,
    "lazy_limit": exponents,
    "kernel_regression": exponents,
    "infinite_width": exponents,
    "wide_networks": exponents,
    "deep_linear": sigmoids,
    "pruned_modes": lost_modes,
    "mean_field": limits,
    "order_parameters": overlaps_of_flow,
    "width_consistency": width_consistency,
    "ticket_width": ticket_width,
    "grokking": grokking,
}
