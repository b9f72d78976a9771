"""The talk's claims in a line each: the verdict, the effect with its interval; and what contradicts the talk."""

from __future__ import annotations

from typing import Any

import pandas as pd

from featprune.claims.verdicts import CLAIM_1, CLAIM_2, CLAIM_3, FAILS, HEADLINE, HOLDS, HYPOTHESIS
from featprune.figures.style import order_methods
from featprune.findings.publication import Publication
from featprune.findings.words import (
    ALIKE,
    ERROR_RATIO,
    FACTOR,
    POINTS,
    SHARE,
    SIZE,
    Unit,
    listed,
    overall,
    places,
    strategy,
    tally,
)
from featprune.runs.paths import TICKET, Kind
from featprune.tables.frames import of_kind

PROPERTIES = {
    CLAIM_1: "Claim 1, a test error at least as good as the dense network's",
    CLAIM_2: "Claim 2, the dense network's features at the end",
    CLAIM_3: "Claim 3, the dense network's features along time",
}
UNIFORM, MESSY = "Hypothesis, alpha acts uniformly on tickets", "Hypothesis, alpha acts messily on the others"
PAPER = "the lottery-ticket paper's network"
FAILING = ("random", "none")  # rewinds that the talk expects to lack the three properties


def units(published: Publication, experiment: str) -> dict[str, Unit]:
    """How each claim's statistics of an experiment are written, `effect` being sizes of effects on the error."""
    tuned = published.table("tuned")
    classified = tuned.loc[tuned["experiment"] == experiment, "test_accuracy"].notna().any()
    gain, size = (POINTS, SIZE) if classified else (ERROR_RATIO, FACTOR)
    return {CLAIM_1: gain, CLAIM_2: ALIKE, CLAIM_3: ALIKE, HYPOTHESIS: SHARE, HEADLINE: gain, "effect": size}


def is_ticket(rows: pd.DataFrame) -> pd.Series:
    """Which rows are of lottery tickets."""
    return (rows["criterion"] == TICKET.criterion) & (rows["rewind"] == TICKET.rewind)


def lines(published: Publication) -> list[str]:
    """A line a claim of what the tickets do, over all experiments of a study."""
    deciding = published.table("claims").query("decides")
    parts = [(title, deciding[is_ticket(deciding) & (deciding["claim"] == c)]) for c, title in PROPERTIES.items()]
    hypothesis = deciding[deciding["claim"] == HYPOTHESIS]
    parts += [(UNIFORM, hypothesis[is_ticket(hypothesis)]), (MESSY, hypothesis[~is_ticket(hypothesis)])]
    gains = deciding[deciding["claim"] == HEADLINE]
    ours = {kind: "the right alpha" if kind == TICKET else strategy(*kind) for kind in order_methods(gains)}
    parts += [(f"Headline, {who} beats {PAPER}", of_kind(gains, kind)) for kind, who in ours.items()]
    return [line(published, title, rows) for title, rows in parts if len(rows)]


def line(published: Publication, title: str, rows: pd.DataFrame) -> str:
    """The verdict over all rows, and of each experiment how the verdicts fell and how large the effect is."""
    told = []
    for experiment, mine in published.named(rows):
        unit = units(published, experiment)
        of_alpha = title in (UNIFORM, MESSY)
        words = sizes(published, experiment, mine) if of_alpha else spread(mine, unit[mine["claim"].iloc[0]])
        told.append(f"{experiment}: {words}.")
    return f"**{title}: {overall(rows['verdict'])}.** {' '.join(told)}"


def spread(rows: pd.DataFrame, unit: Unit) -> str:
    """How the verdicts of several places fell, and the smallest and the largest estimate with intervals."""
    known = rows.dropna(subset=["estimate"]).sort_values("estimate", kind="stable")
    ends = [f"{estimate(row, unit)} ({places(known.loc[[row.Index]])})" for row in known.itertuples()]
    effect = f"from {ends[0]} to {ends[-1]}" if len(ends) > 1 else "".join(ends)
    return f"{tally(rows['verdict'])}{f'; in {unit.name} {effect}' * bool(effect)}"


def estimate(row: Any, unit: Unit) -> str:
    """The estimate of a row with its interval."""
    return unit.interval(row.estimate, row.ci_low, row.ci_high)


def sizes(published: Publication, experiment: str, rows: pd.DataFrame) -> str:
    """Each strategy's verdict and share, and beside it how large the effects are that it is a share of."""
    claims = published.table("claims")
    beside = claims[(claims["claim"] == HYPOTHESIS) & (claims["experiment"] == experiment) & ~claims["decides"]]
    unit = units(published, experiment)["effect"]
    mine = [(kind, of_kind(rows, kind), of_kind(beside, kind)) for kind in order_methods(rows)]
    return "; ".join(size(row, kind, own, unit) for kind, found, own in mine for row in found.itertuples())


def size(row: Any, kind: Kind, beside: pd.DataFrame, unit: Unit) -> str:
    """A strategy's verdict and share, and its sizes in the unit of effects; of others than tickets, how far beyond."""
    mine = kind == TICKET
    effects = [
        f"{name} {estimate(found, unit)} {unit.name}"
        for statistic, name in (EFFECTS if mine else BEYOND).items()
        for found in beside[beside["statistic"] == statistic].itertuples()
    ]
    sizes = f" ({listed(effects)})" * bool(effects)
    if mine:
        return f"{row.verdict}, {estimate(row, SHARE)} of what alpha does depends on density{sizes}"
    return f"{strategy(*kind)} {row.verdict}, {estimate(row, SHARE)} more than on tickets{sizes}"


EFFECTS = {"alpha_effect": "effect of alpha", "interaction_effect": "of its interaction with density"}
BEYOND = {"messier_points": "interaction beyond the tickets'"}


def contradictions(published: Publication) -> list[str]:
    """What was decided against the talk, a line each."""
    deciding = published.table("claims").query("decides")
    ticket, control = is_ticket(deciding), deciding["rewind"].isin(FAILING)
    found = []
    for claim, title in PROPERTIES.items():
        mine, what = deciding["claim"] == claim, title.partition(", ")[2]
        found.append((f"Tickets lack {what}", counted(published, deciding[mine & ticket], FAILS, True)))
        others = deciding[mine & control]
        held = [(strategy(*k), counted(published, of_kind(others, k), HOLDS)) for k in order_methods(others)]
        found.append((f"Not only tickets have {what}", "; ".join(f"{who} ({where})" for who, where in held if where)))
    failed = deciding[(deciding["claim"] == HYPOTHESIS) & (deciding["verdict"] == FAILS)]
    found.append(("Alpha isn't uniform on tickets", shares(published, failed[is_ticket(failed)])))
    for kind in order_methods(failed[failed["rewind"].isin(FAILING)]):
        who = f"Alpha isn't messier on {strategy(*kind)} than on tickets"
        found.append((who, shares(published, of_kind(failed, kind))))
    gains = deciding[deciding["claim"] == HEADLINE]
    no_gain = f"A gain worth the name over {PAPER} is excluded"
    found.append((no_gain, counted(published, gains, FAILS, True)))
    return [f"{what}: {where}." for what, where in found if where]


def counted(published: Publication, rows: pd.DataFrame, verdict: str, say_where: bool = False) -> str:
    """In how many places each experiment has this verdict; empty without any."""
    told = []
    for experiment, mine in published.named(rows):
        found = mine[mine["verdict"] == verdict]
        where = f" ({places(found)})" if say_where else ""
        told += [f"{experiment} in {len(found)} of {len(mine)} places{where}"] * bool(len(found))
    return "; ".join(told) if say_where else ", ".join(told)


def shares(published: Publication, rows: pd.DataFrame) -> str:
    """The estimate of each experiment; empty without any."""
    found = published.named(rows)
    return "; ".join(f"{experiment} {estimate(row, SHARE)}" for experiment, mine in found for row in mine.itertuples())
