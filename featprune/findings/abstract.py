"""The findings in a sentence a study: what the page and the README open with."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import pandas as pd

from featprune.claims.verdicts import CLAIM_1, CLAIM_2, CLAIM_3, HOLDS
from featprune.figures.style import percent
from featprune.findings.headline import gain, sides
from featprune.findings.lines import is_ticket
from featprune.findings.publication import Publication
from featprune.findings.words import by_density, listed
from featprune.runs.paths import Kind

PROPERTY = {CLAIM_1: "test error", CLAIM_2: "features", CLAIM_3: "feature dynamics"}


def abstract(studies: Sequence[Publication]) -> Iterator[str]:
    """A sentence a study: of ours against its rivals where it has any, and else of the talk's three claims."""
    for study in studies:
        told = against_rivals(study) if len(study.table("rivals")) else of_tickets(study)
        if told:
            yield f"{told} (study `{study.name}`)."


def against_rivals(study: Publication) -> str:
    """Where ours is ahead of the hardest rival, level and behind, in the study's first experiment that has rivals."""
    experiment, rows = study.named(study.table("rivals"))[0]
    config = study.config["experiments"][experiment]
    kind = Kind(**config["headline"])
    layers = "-".join(map(str, config["model"]["hidden"]))
    mine = rows[rows["hardest"] & (rows["alpha"] == rows["alpha"].iloc[0])]
    told = [f"{name} {places(found)}" for name, found in sides(mine).items() if len(found)]
    return (
        f"On {config['dataset']}, the {layers} network that `{kind.criterion}` prunes is, against the hardest of "
        f"{rows['rival'].nunique()} rivals tuned alike, {listed(told)}"
    )


def places(rows: pd.DataFrame) -> str:
    """At which densities, and by how much."""
    found = by_density(rows)
    gains = listed([gain(here.iloc[0]) for _, here in found])
    return f"at {listed([percent(density) for density, _ in found])} % of its weights (by {gains} points)"


def of_tickets(study: Publication) -> str:
    """In how many places the tickets have each of the dense network's properties; empty without claims."""
    claims = study.table("claims")
    if claims.empty:
        return ""
    tickets = claims[claims["decides"] & is_ticket(claims)]
    told = []
    for experiment, mine in study.named(tickets[tickets["claim"].isin(PROPERTY)]):
        verdicts = {name: mine.loc[mine["claim"] == claim, "verdict"] for claim, name in PROPERTY.items()}
        held = [f"{name} in {(v == HOLDS).sum()} of {len(v)}" for name, v in verdicts.items() if len(v)]
        told.append(f"{listed(held)} places on {experiment}")
    return f"Lottery tickets match the dense network's {'; '.join(told)}" if told else ""
