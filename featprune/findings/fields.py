"""What is found of limits in which few numbers, or a distribution, stand for all weights."""

from __future__ import annotations

from collections.abc import Iterator

from featprune.findings.publication import Publication
from featprune.findings.words import Unit, listed
from featprune.theory.laws import tell, written

NAMES = {"value": "in training", "exact": "in the solution"}


def limits(published: Publication) -> Iterator[str]:
    """The exponents of the mean-field limit, and that of the movement where widths are large."""
    from featprune.theory.mean_field import LAWS, MEAN_FIELD, MOVED, laws

    table = published.table("mean_field")
    yield from tell(published.table("mean_field_laws"))
    wide = laws(table[table["width"] >= table["width"].drop_duplicates().median()])
    name, _ = LAWS[MEAN_FIELD, MOVED]
    row = wide[wide["quantity"] == name].iloc[0]
    fitted = written(row["exponent"], row["low"], row["high"])
    yield f"{name}: over the upper half of the widths, where corrections of order 1/N are smaller, {fitted}."


def overlaps_of_flow(published: Publication) -> Iterator[str]:
    """The exponents, and how far errors are from the solution's with the most samples."""
    table = published.table("order_parameters")
    yield from tell(published.table("order_parameters_laws"))
    most = table[(table["quantity"] == "error") & (table["samples"] == table["samples"].max())]
    last = most[most["time"] == most["time"].max()]
    for activation, rows in last.groupby("activation", sort=False):
        ends = [f"{Unit(1, 5).mean(rows[column])} {name}" for column, name in NAMES.items()]
        yield f"{activation}, {rows['samples'].iloc[0]:,} samples: error of the population at the end {listed(ends)}."
