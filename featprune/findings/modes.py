"""What is found of the modes of linear networks."""

from __future__ import annotations

from collections.abc import Iterator

from featprune.findings.publication import Publication
from featprune.findings.words import SHARE, listed
from featprune.theory.laws import tell, written


def sigmoids(published: Publication) -> Iterator[str]:
    """How near the exact solutions training is, the exponents, and which of them is the logarithm's."""
    from featprune.theory.deep_linear import ALIGNED, half_times
    from featprune.theory.laws import fit_law

    table = published.table("deep_linear")
    error = ((table["value"] - table["exact"]).abs() / table["singular"]).where(table["start"] == ALIGNED)
    told = [f"{layers} layers {100 * worst:.2g} %" for layers, worst in error.groupby(table["layers"]).max().items()]
    yield f"Farthest from the exact solution, from an aligned start, in shares of a mode: {listed(told)}."
    yield from tell(published.table("deep_linear_laws"))
    for width, times in half_times(table).groupby("width"):
        law = fit_law("", -1.0, times, "singular", "predicted").iloc[0]
        fitted = written(law["exponent"], law["low"], law["high"])
        ratio = (times["time"] / times["predicted"]).groupby(times["singular"]).mean()
        ends = [f"{SHARE.number(value)} at s = {s:g}" for s, value in ratio.iloc[[0, -1]].items()]
        yield (
            f"Width {width}: the sigmoid with its logarithm says {fitted} for the times themselves; "
            f"they are {listed(ends)} times as long as it says."
        )
