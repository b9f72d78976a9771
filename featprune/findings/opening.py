"""What a study says of the claims, and the first page of a run's report, in reStructuredText, which opens so."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from featprune.findings import headline
from featprune.findings.lines import contradictions, lines
from featprune.findings.publication import Publication, gather
from featprune.findings.sections import barriers, provenance
from featprune.findings.words import bullets, listed

READ_ON = (
    "The figures are in the menu, in the order of the argument: the headline, the claims, features, levels of pruning, "
    "compression, the toy model, and what theory says of alpha. The caption of each (the i beside it) says what it "
    "shows and what was found. *Workflow* is the graph of the rules, *Statistics* the time that each took; *8 Run* "
    "holds the config, and with what it was run."
)


def write_opening(made_of: Mapping[str, Sequence[str]], root: str | Path) -> str:
    """The page, from the files that `sources` names; root: the study's results, which name it."""
    return tell(gather(made_of, Path(root)))


def tell(study: Publication) -> str:
    """The page of a study."""
    said = list(opening(study)) or ["No experiment of this run has a claim to decide."]
    parts = ["What was found\n==============", *said, "How to read on\n==============", READ_ON]
    parts += ["What it took\n============", bullets(provenance(study))]
    return "\n\n".join(filter(None, parts)) + "\n"


def opening(study: Publication) -> Iterator[str]:
    """Each claim of the talk in a line, and what contradicts it; nothing of a study without claims."""
    if study.table("claims").empty:
        return
    yield f"What the study `{study.name}` says of the talk's claims ({'; '.join(depths(study))}):"
    yield bullets([*lines(study), *headline.hardest(study), *barriers(study)])
    found = contradictions(study)
    yield "**What contradicts the talk:**" if found else "Nothing that was decided contradicts the talk."
    yield bullets(found)


def depths(study: Publication) -> list[str]:
    """How deep each experiment goes; those that go equally deep are told together."""
    alike: dict[str, list[str]] = {}
    for name, runs in study.named(study.table("tuned")):
        depth = f"with {len(runs['seed'].unique())} seeds of {runs['steps'].max():,} steps a round"
        alike.setdefault(depth, []).append(name)
    return [f"{listed(names)} {depth}" for depth, names in alike.items()]
