"""What was found in additional experiments of which more than exponents is told."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd

from featprune.figures.style import percent
from featprune.findings.publication import Publication
from featprune.findings.words import SHARE, Unit, listed, means
from featprune.tables.intervals import paired_difference
from featprune.theory.grokking import events
from featprune.theory.laws import tell
from featprune.theory.ticket_width import ANOTHER, NARROW, NTK, PARENT, UNITS, differences
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


PLACES = {
    ("test_loss", 0): "test loss",
    ("distance", 0): "f",
    ("nearest", 0): "f (to the nearest step of the other)",
    ("dissimilarity", 1): "preactivations of layer 1",
    ("dissimilarity", 2): "preactivations of layer 2",
}
DENSE = {
    PARENT: "its parent",
    ANOTHER: "another draw of its parent",
    NARROW: "the narrow dense network",
    NTK: "the narrow one in NTK parametrization",
    UNITS: "the dense network of as many units",
}


def ticket_width(published: Publication) -> Iterator[str]:
    """Which dense network tickets are more like, in loss, f and features, by density."""
    table = published.table("ticket_width")
    sides = {what: sided(rows) for what, rows in by_place(differences(table, PARENT))}
    counts = [
        f"in {what} at {len(found['+'])} densities ({DENSE[NARROW]} at {len(found['-'])})"
        for what, found in sides.items()
    ]
    total = table["density"].nunique()
    yield f"Of {total} densities a ticket is at the last step more like its parent {listed(counts)}."
    for to, beside in ((PARENT, NARROW), (ANOTHER, NARROW), (ANOTHER, NTK), (ANOTHER, UNITS)):
        told = [f"in {what} {decided(rows)}" for what, rows in by_place(differences(table, to, beside))]
        yield f"A ticket is more like {DENSE[to]} (+) or {DENSE[beside]} (-): {'; '.join(told)}."
    widths = table.groupby("density", sort=False)["width"].first()
    told = [f"{width} at {percent(float(str(density)))} %" for density, width in widths.items()]
    yield f"The widths of narrow networks, by weights remaining: {listed(told)}."


def by_place(gaps: pd.DataFrame) -> Iterator[tuple[str, pd.DataFrame]]:
    """The rows of each measure, with its name."""
    for (measure, layer), what in PLACES.items():
        yield what, gaps[(gaps["measure"] == measure) & (gaps["layer"] == layer)]


def sided(gaps: pd.DataFrame) -> dict[str, list[str]]:
    """The densities at which the interval of a difference lies above zero, below, or on both sides."""
    sides: dict[str, list[str]] = {"+": [], "-": [], "undecided": []}
    for density, rows in gaps.groupby("density", sort=False):
        row = paired_difference(rows["value"])
        side = "+" if row["ci_low"] > 0 else "-" if row["ci_high"] < 0 else "undecided"
        sides[side].append(percent(float(str(density))))
    return sides


def decided(gaps: pd.DataFrame) -> str:
    """The same in words."""
    return ", ".join(f"{side} at {listed(found)} %" for side, found in sided(gaps).items() if found)


def grokking(published: Publication) -> Iterator[str]:
    """How much later than fitting generalization comes, and how near the lazy limit is; then the exponents."""
    found = events(published.table("grokking"))
    fit, late = (found[f"time of {what}"] for what in ("fitting", "generalization"))
    lazy = found[np.isinf(found["alpha"])].set_index("seed")["time of fitting"]
    names = {
        alpha: "the linearized model" if np.isinf(alpha) else f"alpha {alpha:g}" for alpha in found["alpha"].unique()
    }
    factor = Unit(1, 2, exponential=True)
    ratios = {
        "Time of generalization over that of fitting": late / fit,
        "Time of fitting over that of the linearized model": (fit / found["seed"].map(lazy))[
            np.isfinite(found["alpha"])
        ],
    }
    for what, values in ratios.items():
        parts = {names[float(str(alpha))]: np.log(rows) for alpha, rows in values.groupby(found["alpha"])}
        yield f"{what}, geometric means: {means(parts, factor)}."
    never = late[late.isna()].groupby(found["alpha"]).size()
    told = [f"{count} of {found['seed'].nunique()} of {names[float(str(alpha))]}" for alpha, count in never.items()]
    of = f": {listed(told)}" if told else ""
    yield f"{int(late.isna().sum())} of {len(late)} runs have not generalized by the last step, and are in no mean{of}."
    yield from tell(published.table("grokking_laws"))
