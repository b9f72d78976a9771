"""What is found of limits in which few numbers, or a distribution, stand for all weights."""

from __future__ import annotations

from collections.abc import Iterator

from featprune.findings.publication import Publication
from featprune.theory.laws import tell, written


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
