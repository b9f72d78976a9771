"""The sections of the page that are about one study: verdicts, rates, connectivity, laziness, settings."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd

from featprune.claims.text import TITLES
from featprune.claims.verdicts import HEADLINE, HYPOTHESIS, with_linearized
from featprune.figures.richness import LIMITS
from featprune.figures.style import order_methods, percent
from featprune.findings.lines import EFFECTS, estimate, units
from featprune.findings.publication import Publication
from featprune.findings.words import (
    PERCENT,
    POINTS,
    SHARE,
    Unit,
    bullets,
    by_density,
    listed,
    markdown,
    places,
    strategy,
    tally,
)
from featprune.runs.paths import DENSE
from featprune.tables.frames import name_alpha, of_kind
from featprune.tables.intervals import student_t

PAIRS = {  # of the table `connectivity`
    "ticket_dense": "a ticket and its dense network (masked)",
    "ticket_ticket": "two tickets, other data order",
    "dense_dense": "two dense networks, other data order",
}


def verdicts(published: Publication) -> Iterator[str]:
    """Each claim's deciding statistics, cell by cell, and the others in short."""
    parts = published.named(published.table("claims"))
    for claim, title in TITLES.items():
        told = [part for name, rows in parts for part in verdict_tables(published, claim, name, rows)]
        if told:
            yield from (f"### {title}", *told)


def verdict_tables(published: Publication, claim: str, experiment: str, rows: pd.DataFrame) -> Iterator[str]:
    """The tables of a claim on one experiment, from all its claims; none without any row that decides."""
    of, rows = units(published, experiment), rows[rows["claim"] == claim]
    deciding, others = rows[rows["decides"]], rows[~rows["decides"]]
    if deciding.empty:
        return
    statistics = listed([f"`{name}`" for name in sorted(deciding["statistic"].unique())])
    yield f"{experiment}: {statistics}{f' in {of[claim].name}' * bool(of[claim].name)}"
    if claim == HYPOTHESIS:
        yield markdown([hypothesis_row(row, rows, of["effect"]) for row in deciding.itertuples()])
    elif claim == HEADLINE:
        yield markdown([headline_row(row, others, of[claim]) for row in deciding.itertuples()])
    else:
        yield cells(with_linearized(rows), of[claim])
        if np.isinf(rows["alpha"]).any():
            yield "Linearized networks are judged by themselves, and decide nothing."
        if len(others):
            yield "Beside, deciding nothing:"
            yield beside(others)


def cells(rows: pd.DataFrame, unit: Unit) -> str:
    """A row a strategy and density, a column an alpha: the verdict, and the estimate with its interval."""
    lines = []
    columns = [name_alpha(alpha, "alpha ") for alpha in sorted(rows["alpha"].unique())]
    for kind in order_methods(rows):
        for density, mine in by_density(of_kind(rows, kind)):
            line = {"strategy": strategy(*kind), "weights (%)": percent(density)} | dict.fromkeys(columns, "")
            for alpha, here in mine.groupby("alpha"):
                line[name_alpha(alpha, "alpha ")] = "; ".join(
                    cell(row, unit, several=len(here) > 1) for row in here.itertuples()
                )
            lines.append(line)
    return markdown(lines)


def cell(row: Any, unit: Unit, several: bool) -> str:
    """A verdict with its estimate; with the multiplier of the learning rate where there are several."""
    rate = f" (rate × {row.lr:g})" if several else ""
    return f"{row.verdict} {unit.interval(row.estimate, row.ci_low, row.ci_high)}{rate}"


def beside(rows: pd.DataFrame) -> str:
    """How the verdicts of the statistics that decide nothing fell: a row a statistic, a column a strategy."""
    lines = []
    for statistic, mine in rows.groupby("statistic"):
        fell = {strategy(*kind): of_kind(mine, kind)["verdict"] for kind in order_methods(rows)}
        lines.append({"statistic": f"`{statistic}`"} | {who: tally(told) for who, told in fell.items() if len(told)})
    return markdown(lines)


def hypothesis_row(row: Any, rows: pd.DataFrame, effect: Unit) -> dict[str, str]:
    """A strategy's deciding share with its verdict, and the sizes behind it."""
    line = {"strategy": strategy(row.criterion, row.rewind), "statistic": f"`{row.statistic}`", "verdict": row.verdict}
    line["share"] = estimate(row, SHARE)
    own = rows[(rows["criterion"] == row.criterion) & (rows["rewind"] == row.rewind)]
    for statistic, name in EFFECTS.items():
        for found in own[own["statistic"] == statistic].itertuples():
            line[f"{name} ({effect.name})"] = effect.interval(found.estimate, found.ci_low, found.ci_high)
    return line


def headline_row(row: Any, others: pd.DataFrame, unit: Unit) -> dict[str, str]:
    """The gain at a density with its verdict, and the comparisons beside it."""
    line = {"weights (%)": percent(row.density), "verdict": row.verdict}
    line["gain"] = unit.interval(row.estimate, row.ci_low, row.ci_high)
    line["adjusted p"] = f"{row.p_adjusted:.2g}" if np.isfinite(row.p_adjusted) else ""
    for statistic, mine in others.groupby("statistic"):
        for found in mine[mine["round"] == row.round].itertuples():
            line[f"`{statistic}`"] = unit.interval(found.estimate, found.ci_low, found.ci_high)
    return line


def ablation(published: Publication) -> Iterator[str]:
    """How much more accurate than tickets each kind of pruned network is: a row a kind, a column a density."""
    for experiment, rows in published.named(published.table("ablation")):
        several = len(rows["alpha"].unique()) > 1
        lines = []
        for kind in order_methods(rows):
            line = {"strategy": strategy(*kind)}
            for alpha, mine in of_kind(rows, kind).groupby("alpha"):
                for density, here in by_density(mine):
                    place = f"{percent(density)} %" + f", {name_alpha(alpha, 'alpha ')}" * several
                    line[place] = POINTS.interval(*here[["difference", "ci_low", "ci_high"]].iloc[0].astype(float))
            lines.append(line)
        yield f"{experiment}: test accuracy minus the lottery ticket's, in points, paired by seed, with 95 % intervals"
        yield markdown(lines)


def rates(published: Publication) -> Iterator[str]:
    """The multipliers chosen for each strategy and alpha, and how often at the edge of what was tried."""
    for experiment, runs in published.named(published.table("tuned")):
        if len(runs["lr"].unique()) < 2:
            continue
        lines = []
        for kind in (DENSE, *order_methods(runs)):
            chosen = {name_alpha(a, "alpha "): multipliers(rows) for a, rows in of_kind(runs, kind).groupby("alpha")}
            lines.append({"strategy": "dense" if kind == DENSE else strategy(*kind)} | chosen)
        choices = runs.drop_duplicates(["alpha", "criterion", "rewind", "round"])
        yield f"{experiment}: multiplier of the learning rate, chosen on validation{edges(choices)}"
        yield markdown(lines)


def multipliers(rows: pd.DataFrame) -> str:
    """The multipliers chosen at an alpha, over its densities."""
    return ", ".join(f"{lr:g}" for lr in sorted(rows["lr"].unique()))


def edges(choices: pd.DataFrame) -> str:
    """How many of the choices lie at the edge, where that is known."""
    if "edge" not in choices:
        return ""
    count, share = int(choices["edge"].sum()), PERCENT.number(choices["edge"].mean())
    return f"; at the edge of what was tried in {count} of {len(choices)} choices ({share} %)"


def connectivity(published: Publication) -> Iterator[str]:
    """How high the barrier is between each pair of networks: a row a pair and density, a column an alpha."""
    for experiment, rows in published.named(published.table("connectivity")):
        what, measure, unit = barrier(rows)
        lines = []
        for pair, name in PAIRS.items():
            for density, mine in by_density(rows[rows["pair"] == pair]):
                line = {"between": name, "weights (%)": percent(density)}
                lines.append(line | {f"alpha {a:g}": unit.mean(part[measure]) for a, part in mine.groupby("alpha")})
        yield f"{experiment}: barrier of the {what} on the test split, mean over seeds with 95 % interval"
        yield markdown(lines)


def barrier(rows: pd.DataFrame) -> tuple[str, str, Unit]:
    """What the barriers of an experiment are of: in words, its column, and how it is written."""
    classified = rows["error_barrier"].notna().any()
    return ("error in points", "error_barrier", PERCENT) if classified else ("loss", "loss_barrier", SHARE)


def barriers(published: Publication) -> Iterator[str]:
    """The lowest and the highest barrier of each pair, a line for all experiments."""
    told = []
    for experiment, rows in published.named(published.table("connectivity")):
        what, measure, unit = barrier(rows)
        ends = []
        for pair, name in PAIRS.items():
            cells = [cell for _, cell in rows[rows["pair"] == pair].groupby(["alpha", "density"])]
            cells = sorted((c for c in cells if c[measure].notna().any()), key=lambda cell: cell[measure].mean())
            written = [f"{unit.mean(cell[measure])} ({places(cell)})" for cell in cells]
            if written:
                ends.append(f"{name} {' to '.join(dict.fromkeys([written[0], written[-1]]))}")
        told += [f"{experiment}, {what}: {'; '.join(ends)}."] * bool(ends)
    if told:
        yield f"**Linear mode connectivity, the barrier between two solutions.** {' '.join(told)}"


def laziness(published: Publication) -> Iterator[str]:
    """The dense network's linearization error by alpha, and what that makes of it."""
    for experiment, rows in published.named(published.table("richness")):
        found = linearization(of_kind(rows, DENSE))
        lines = [{"alpha": name_alpha(alpha), "linearization error": error, "is": kind} for alpha, error, kind in found]
        if lines:
            yield f"{experiment}: geometric mean over seeds with 95 % interval"
            yield markdown(lines)


def linearization(dense: pd.DataFrame) -> Iterator[tuple[Any, str, str]]:
    """Each alpha's geometric mean of the linearization error with its interval, and whether that is lazy or rich."""
    for alpha, mine in dense[dense["linearization_error"] > 0].groupby("alpha"):
        logs = np.log(mine["linearization_error"])
        middle = float(np.exp(logs.mean()))
        kind = "lazy" if middle < LIMITS["lazy"] else "rich" if middle > LIMITS["rich"] else "between"
        yield alpha, SHARE.interval(middle, *np.exp(student_t(logs))), kind


def settings(published: Publication) -> Iterator[str]:
    """What each experiment of a study was trained with, by its tables and its config; versions; what it took."""
    lines = []
    for experiment, runs in published.named(published.table("tuned")):
        entry = published.config["experiments"][experiment]
        training, pruned = entry["training"], runs[runs["criterion"] != DENSE.criterion]
        lines.append(
            {
                "experiment": experiment,
                "dataset": entry["dataset"],
                "seeds": f"{runs['seed'].nunique()} ({runs['seed'].min()} to {runs['seed'].max()})",
                "steps a round": f"{training['steps']:,}",
                "optimizer": f"{training['optimizer']} {training['lr']:g}, batch {training['batch_size']}",
                "alphas": ", ".join(map(str, [*entry["alphas"], *["linearized"] * entry.get("linearize", False)])),
                "rates ×": multipliers(runs),
                "weights (%)": ", ".join(map(percent, sorted(pruned.groupby("round")["density"].mean(), reverse=True))),
                "f": "centered" if entry["center"] else "not centered",
            }
        )
    if lines:
        yield markdown(lines)
    yield bullets(provenance(published))


def provenance(published: Publication) -> Iterator[str]:
    """With what it was made, and what that took."""
    told = published.provenance
    took, commit = told["took"], told["commit"]
    changed = " with uncommitted changes" if told["uncommitted_changes"] else ""
    yield f"{took['jobs']:,} jobs, {took['core_hours']:g} core-hours in all."
    yield f"Commit {commit[:12]}{changed}." if commit else "Not made in a checkout."
    versions = [f"{name} {version}" for name, version in told["packages"].items() if version]
    yield f"Python {told['python']}; {', '.join(versions)}."
