"""The page docs/theory.md: each additional experiment's figure, caption and what was found."""

from __future__ import annotations

import re
from collections.abc import Mapping

INCLUDED = re.compile(r"^\.\. include::.*$", re.M)  # where a caption has what was found
NOTE = (
    "Written by `snakemake publish_theory` from tables and figures of `snakemake theory`; no number is typed by hand. "
    "[method.md](method.md#additional-experiments) has the equations. Exponents are means over seeds with their 95 % "
    "Student-t intervals."
)


def write_theory(parts: Mapping[str, tuple[str, str, str]]) -> str:
    """The page in Markdown. parts: result -> (its picture, relative to the page; its caption; what was found), the two
    texts in the reStructuredText of the report, of which they use what Markdown has too."""
    pages = ["# Additional experiments", NOTE]
    for name, (picture, caption, found) in parts.items():
        title = name.replace("_", " ")
        pages += [f"## {title[0].upper()}{title[1:]}", f"![{title}]({picture})"]
        # In two parts: what was found may hold what a pattern's replacement would take for its own.
        before, after = INCLUDED.split(caption)
        pages += [f"{before}{found.strip()}{after}".strip().replace("``", "`")]
    return "\n\n".join(pages) + "\n"
