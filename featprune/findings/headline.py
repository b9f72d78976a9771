"""The page's part on the headline: against every baseline, the best of k rates, and beside the records."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pandas as pd

from featprune.figures.style import order_methods, percent
from featprune.findings.publication import Publication
from featprune.findings.words import PERCENT, POINTS, by_density, listed, markdown, strategy
from featprune.runs.paths import DENSE, Kind
from featprune.tables.frames import name_alpha, of_kind
from featprune.tables.records import OURS, PUBLISHED

LEVEL = 0.05  # of the corrected p


def hardest(published: Publication) -> Iterator[str]:
    """Ours against the hardest rival at each density, a line an experiment and alpha."""
    for experiment, rows in published.named(published.table("rivals")):
        for alpha, mine in rows[rows["hardest"]].groupby("alpha"):
            told = [
                f"{gain(row)} at {percent(density)} % ({row['rival']}, p {row['p_adjusted']:.2g})"
                for density, (_, row) in ((d, next(here.iterrows())) for d, here in by_density(mine))
            ]
            won, lost = (len(sides(mine)[side]) for side in ("ahead", "behind"))
            where = f", alpha {alpha:g}" * (len(rows["alpha"].unique()) > 1)
            against = f"**Headline, {experiment}{where}, ours against the hardest of {rows['rival'].nunique()} rivals"
            yield f"{against}: ahead at {won} of {len(mine)} densities, behind at {lost}.** In points {listed(told)}."


def sides(hardest: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """The densities, of the rows of the hardest rivals, at which ours is ahead, level and behind."""
    decided, gain = hardest["p_adjusted"] < LEVEL, hardest["difference"]
    return {"ahead": hardest[decided & (gain > 0)], "level": hardest[~decided], "behind": hardest[decided & (gain < 0)]}


def rivals(published: Publication) -> Iterator[str]:
    """Ours minus each rival's tickets: a row a rival, a column a density, the hardest with its corrected p."""
    for experiment, rows in published.named(published.table("rivals")):
        several = len(rows["alpha"].unique()) > 1
        lines = []
        for (alpha, rival, theirs), mine in rows.groupby(["alpha", "rival", "rival_alpha"], sort=False):
            line = {"alpha": f"{alpha:g}"} if several else {}
            line["tickets of"] = f"{rival}" + f", alpha {theirs:g}" * (theirs != 1)
            for density, here in by_density(mine):
                row = here.iloc[0]
                told = f"**{gain(row)}**, p {row['p_adjusted']:.2g}" if row["hardest"] else gain(row)
                line[f"{percent(density)} %"] = told
            lines.append(line)
        yield (
            f"{experiment}: test accuracy of ours minus that of each rival's tickets, in points, paired by seed, with "
            "95 % intervals; bold the hardest rival of a density, with its p by Holm over densities"
        )
        yield markdown(lines)


def gain(row: pd.Series) -> str:
    """A difference in points with its interval."""
    return POINTS.interval(*row[["difference", "ci_low", "ci_high"]].astype(float))


def expected_best(published: Publication) -> Iterator[str]:
    """The expected best of k rates: a row a kind and alpha, a column a k."""
    for experiment, rows in published.named(published.table("best_of")):
        lines = []
        for kind in (DENSE, *order_methods(rows)):
            for alpha, mine in of_kind(rows, kind).groupby("alpha"):
                line = {"strategy": "dense" if kind == DENSE else strategy(*kind), "alpha": name_alpha(alpha)}
                told = zip(mine["k"], mine["expected"], strict=True)
                lines.append(line | {f"best of {k}": PERCENT.number(expected) for k, expected in told})
        yield f"{experiment}: expected validation accuracy of the best of k learning rates, in %"
        yield markdown(lines)


def records(published: Publication) -> Iterator[str]:
    """Each published point beside ours, of the headline's kind, at the most weights or bytes that aren't more."""
    for experiment, rows in published.named(published.table("records")):
        kind = Kind(**published.config["experiments"][experiment]["headline"])
        ours = of_kind(rows[rows["side"] == OURS], kind)
        lines = [
            line
            for against, unit in (("density", "%"), ("bytes", "bytes"))
            for _, point in known(published, against).iterrows()
            if (line := beside(point, ours[ours["against"] == against], unit))
        ]
        if lines:
            yield f"{experiment}: test error in % of published networks and of {strategy(*kind)}, which keeps no more"
            yield markdown(lines)


def known(published: Publication, against: str) -> pd.DataFrame:
    """The published points that are told against weights or bytes, the larger first."""
    table = published.table("records")
    points = table[(table["side"] == PUBLISHED) & (table["against"] == against)]
    return points.drop_duplicates(["method", "year", "kept"]).sort_values("kept", ascending=False)


def beside(point: pd.Series, ours: pd.DataFrame, unit: str) -> dict[str, Any] | None:
    """A published point and ours; None where ours has no such place."""
    fitting = ours[ours["kept"] <= point["kept"] * (1 + 1e-3)]
    if fitting.empty:
        return None
    best = fitting.loc[fitting["kept"].idxmax()]
    kept = (lambda value: f"{percent(value)} %") if unit == "%" else (lambda value: f"{value:,.0f} bytes")
    error = PERCENT.interval(*best[["error", "ci_low", "ci_high"]].astype(float))
    lower = "ours" if best["ci_high"] < point["error"] else "theirs" if best["ci_low"] > point["error"] else "level"
    return {
        "published": f"{point['method']} {int(point['year'])}",
        "kept": kept(point["kept"]),
        "error": PERCENT.number(point["error"]),
        "ours keeps": kept(best["kept"]),
        "our error": error,
        "lower": lower,
    }
