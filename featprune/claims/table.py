"""The talk's claims as statistics with verdicts, all together. docs/method.md states every rule."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from featprune.claims.headline import beats_baseline
from featprune.claims.hypothesis import hypothesis
from featprune.claims.row import Finding, judged, table_of
from featprune.claims.rules import Rules
from featprune.claims.same_dynamics import related, same_dynamics, same_speed
from featprune.claims.same_error import same_error
from featprune.claims.same_features import same_features
from featprune.claims.text import describe, edges
from featprune.runs.paths import Kind
from featprune.tables.frames import alike, hidden_layers
from featprune.tables.reading import read_frame


def build_claims(claims: dict, decide_at: Sequence[int], **files: str) -> dict[str, pd.DataFrame | str]:
    """The table `claims` and its words.

    claims: the config's `claims`. decide_at: the rounds whose rows decide. files: the tables that `aggregate_claims`
    takes, under the names of its arguments.
    """
    rules = Rules.of(claims, decide_at)
    tables = {name: read_frame(file) for name, file in files.items()}
    table = aggregate_claims(rules, **tables)
    return {"claims.parquet": table, "claims.md": describe(table, rules, edges(tables["tuned"]))}


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
    findings: list[Finding] = [*same_error(tuned, rules), *hypothesis(tuned, rules)]
    if features is not None and shifts is not None:
        trained = started_trained(tuned)
        along = list(same_dynamics(hidden_layers(features), trained, rules))
        findings += [*same_features(alike(features), trained, rules), *along]
        findings += same_speed(shifts, related(along), rules)
    if headline is not None:
        findings += beats_baseline(headline, rules)
    return table_of(judged(findings, rules), tuned["experiment"].iloc[0])


def started_trained(tuned: pd.DataFrame) -> set[Kind]:
    """The strategies of which a run starts from values with training behind them."""
    behind = tuned[tuned["total_steps"] > tuned["steps"]]
    return {Kind(*pair) for pair in zip(behind["criterion"], behind["rewind"], strict=True)}
