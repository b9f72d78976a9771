"""What is found of the modes of linear networks."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd

from featprune.figures.style import percent
from featprune.findings.publication import Publication
from featprune.findings.words import SHARE, listed
from featprune.theory.laws import tell, written

DENSITY = 0.1  # the one nearest to this is told


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
        ends = [f"{SHARE.number(value)} (s = {s:g})" for s, value in ratio.iloc[[0, -1]].items()]
        yield (
            f"Width {width}: the sigmoid with its logarithm says {fitted} for the times themselves; "
            f"they are {listed(ends)} of what it says."
        )


def lost_modes(published: Publication) -> Iterator[str]:
    """At which density each mode is lost, and whether that goes by its singular value."""
    from featprune.figures.theory.pruned_modes import COLUMNS, KINDS
    from featprune.theory.pruned_modes import LOST, MAGNITUDE, PLACE, PRUNED, lost_at, orders

    table = published.table("pruned_modes")
    lost, order = (found.set_index(PLACE).sort_index() for found in (lost_at(table), orders(table)))
    for kind in [kind for kind in KINDS if (table["vectors"] == kind).any()]:
        for (criterion, stage), title in COLUMNS.items():
            here, ranks = (found.loc[[(kind, criterion, stage)]] for found in (lost, order))
            means = np.exp(np.log(here.set_index("singular")["density"]).groupby(level=0).mean())
            told = listed([f"{percent(density)} % (s = {s:g})" for s, density in means.iloc[[0, -1]].items()])
            yield (
                f"{KINDS[kind]}; {' '.join(title.split())}: a mode falls below {LOST:g} of its strength at {told} of "
                f"weights; rank correlation with s {SHARE.mean(ranks['correlation'])}."
            )
        rows = nearest(table[(table[PLACE] == [kind, MAGNITUDE, PRUNED]).all(axis=1)], DENSITY)
        means = rows.groupby("singular")[["value", "alone"]].mean().iloc[[0, -1]]
        left = listed([f"{SHARE.number(v)} and {SHARE.number(a)} (s = {s:g})" for s, v, a in means.itertuples()])
        yield (
            f"{KINDS[kind]}; magnitude at {percent(rows['density'].iloc[0])} % of weights leaves of a mode, and would "
            f"if layers were independent, {left}; of squared weights {SHARE.number(rows['kept'].mean())}."
        )


def nearest(table: pd.DataFrame, density: float) -> pd.DataFrame:
    """The rows at the density that is nearest to this one."""
    distance = np.log(table["density"] / density).abs()
    return table[distance == distance.min()]
