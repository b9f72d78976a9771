"""The page docs/findings.md, from all that is published and nothing else."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path

from featprune.findings import headline, lottery, sections
from featprune.findings.abstract import abstract
from featprune.findings.opening import opening
from featprune.findings.publication import Publication, published
from featprune.findings.words import bullets

LOTTERY = "lth"  # the study that is set beside the lottery-ticket paper
NOTE = (
    "Written by `snakemake findings` from the tables in [findings/](findings/); no number is typed by hand. "
    "[method.md](method.md) has the rules of the verdicts. Intervals in brackets belong to the tests that the verdicts "
    "are read from, unless it says otherwise; verdicts are corrected for their number, intervals are not. A place is "
    "an alpha and a density."
)
# Heading -> what it says of a study. Of the paper's own experiment only the comparison and the settings are told.
ABOUT_STUDY: dict[str, Callable[[Publication], Iterator[str]]] = {
    "Verdicts": sections.verdicts,
    "Against every baseline": headline.rivals,
    "What each criterion brings": sections.ablation,
    "Beside the records": headline.records,
    "The best of k learning rates": headline.expected_best,
    "Learning rates": sections.rates,
    "Linear mode connectivity": sections.connectivity,
    "Lazy or rich": sections.laziness,
}
ABOUT_LOTTERY = {"Beside the lottery-ticket paper": lottery.comparison}
ABOUT_BOTH = {"Settings": sections.settings}


def write_page(folder: str | Path) -> str:
    """The page in Markdown, from the studies published in this folder, beside which it lies."""
    folder = Path(folder)
    studies = sorted(published(folder), key=lambda study: study.name == LOTTERY)
    paper = [study for study in studies if study.name == LOTTERY]
    others = [study for study in studies if study.name != LOTTERY]
    parts = ["# Findings", *abstract(studies)]
    for study in others:
        parts += opening(study)
    for study in paper:
        parts += ["Beside the lottery-ticket paper:", bullets(lottery.lines(study))]
    parts.append(NOTE)
    for headings, told in ((ABOUT_STUDY, others), (ABOUT_LOTTERY, paper), (ABOUT_BOTH, studies)):
        parts += chapters(headings, told, len(studies) > 1)
    parts += pictures(studies, folder.name)
    return "\n\n".join(filter(None, parts)) + "\n"


def chapters(headings: dict, studies: Sequence[Publication], several: bool) -> Iterator[str]:
    """A chapter a heading; with several studies their names. What no study tells of is left out."""
    for heading, tell in headings.items():
        told = {study.name: list(tell(study)) for study in studies}
        if any(told.values()):
            yield f"## {heading}"
        for name, parts in told.items():
            yield from [f"Study `{name}`", *parts] if parts and several else parts


def pictures(studies: Iterable[Publication], folder: str) -> Iterator[str]:
    """All figures that are published."""
    files = [(study.name, file) for study in studies for file in study.figures]
    if files:
        yield "## Figures"
    for name, file in files:
        title = file.removesuffix(".png").replace("_", " ")
        yield f"**{name}: {title}**\n\n![{title}]({folder}/{name}/{file})"
