"""The first page of a run's report, in reStructuredText: what its claims say, how to read on, and what it took."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from featprune.findings.page import opening
from featprune.findings.publication import Publication, publish, read
from featprune.findings.sections import provenance
from featprune.findings.words import bullets

READ_ON = (
    "The figures are in the menu, in the order of the argument: the headline, the claims, features, levels of pruning, "
    "compression, the toy model, and what theory says of alpha. The caption of each (the i beside it) says what it "
    "shows and what was found. *Workflow* is the graph of the rules, *Statistics* the time that each took; *8 Run* "
    "holds the config, and with what it was run."
)


def write_opening(made_of: Mapping[str, Sequence[str]], root: str | Path) -> str:
    """The page, from the files that `sources` names; root: the study's results, which name it."""
    with TemporaryDirectory() as folder:
        own = Path(folder, Path(root).name)
        publish(made_of, own, root)
        return tell(read(own))


def tell(study: Publication) -> str:
    """The page of a study."""
    said = list(opening(study)) or ["No experiment of this run has a claim to decide."]
    parts = ["What was found\n==============", *said, "How to read on\n==============", READ_ON]
    parts += ["What it took\n============", bullets(provenance(study))]
    return "\n\n".join(filter(None, parts)) + "\n"
