"""The talk's claims as statistics with verdicts, all together. docs/method.md states every rule."""

from __future__ import annotations

import pandas as pd

from featprune.claims.headline import beats_baseline
from featprune.claims.hypothesis import hypothesis
from featprune.claims.row import Row, table_of
from featprune.claims.rules import Rules
from featprune.claims.same_dynamics import related, same_dynamics, same_speed
from featprune.claims.same_error import same_error
from featprune.claims.same_features import same_features
from featprune.claims.text import describe
from featprune.tables.frames import alike
from featprune.tables.reading import read_frame


def build_claims(claims: dict, **files: str) -> dict[str, pd.DataFrame | str]:
    """The table `claims` and its words.

    claims: the config's `claims`. files: the tables that `aggregate_claims` takes, under the names of its arguments.
    """
    rules = Rules.of(claims)
    table = aggregate_claims(rules, **{name: read_frame(file) for name, file in files.items()})
    return {"claims.parquet": table, "claims.md": describe(table, rules)}


def aggregate_claims(
    rules: Rules,
    tuned: pd.DataFrame,
    features: pd.DataFrame | None = None,
    shifts: pd.DataFrame | None = None,
    headline: pd.DataFrame | None = None,
) -> pd.DataFrame:
    """Every statistic of every claim of one experiment, a row each, with the columns of `featprune.claims.row.Row`.

    tuned, features, headline: the experiment's tables of these names, shifts its `time_shift`; without a table there
    are no rows of the claims about it.
    """
    rows: list[Row] = [*same_error(tuned, rules), *hypothesis(tuned, rules)]
    if features is not None and shifts is not None:
        similarities = alike(features)
        along = list(same_dynamics(similarities, rules))
        rows += [*same_features(similarities, rules), *along, *same_speed(shifts, related(along), rules)]
    if headline is not None:
        rows += beats_baseline(headline, rules)
    return table_of(rows, tuned["experiment"].iloc[0])
