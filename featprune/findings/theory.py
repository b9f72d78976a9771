"""What was found in additional experiments of which more than exponents is told."""

from __future__ import annotations

from collections.abc import Iterator

from featprune.findings.publication import Publication
from featprune.findings.words import SHARE, means
from featprune.theory.laws import tell
from featprune.theory.width_consistency import LAST, TITLES, at, excess


def width_consistency(published: Publication) -> Iterator[str]:
    """Losses and distances at the last step by width, beside what draws alone make of them; then the exponents."""
    table = published.table("width_consistency")
    last = at(table, LAST)
    for parametrization, title in TITLES.items():
        here = last[last["parametrization"] == parametrization]
        losses = here[here["measure"] == "test_loss"]
        widest = losses[losses["width"] == losses["width"].max()].set_index("seed")["value"]
        ratios = {f"width {width}": rows["value"] / rows["seed"].map(widest) for width, rows in losses.groupby("width")}
        ratios.pop(f"width {losses['width'].max()}")
        yield f"{title}, test loss over that of the widest: {means(ratios, SHARE)}."
        for measure, what in {"distance": "of f", "kernel_distance": "of the last hidden kernel"}.items():
            rows = here[here["measure"] == measure]
            rows = rows[rows["layer"] == rows["layer"].max()]
            rows = rows.assign(value=excess(rows))
            parts = {f"width {width}": mine["value"] for width, mine in rows.groupby("width")}
            parts.pop(f"width {rows['width'].max()}")
            yield f"{title}, distance {what} from the widest over what draws alone give: {means(parts, SHARE)}."
    yield from tell(published.table("width_consistency_laws"))
