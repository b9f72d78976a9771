"""The claims in a line each, and what contradicts the talk: every number is the table's."""

import numpy as np
import pandas as pd
import pytest

from featprune.findings.lines import contradictions, lines
from tests.unit.findings.made import NONE, RANDOM, TICKET, made_claims, made_config, made_tuned, publish_made


def told(tmp_path, claims, **tuned):
    published = publish_made(tmp_path, {"claims": claims, "tuned": made_tuned(**tuned)})
    return lines(published), contradictions(published)


def where(claims, claim=None, kind=None, **values):
    values |= {"claim": claim} if claim else {}
    values |= dict(zip(("criterion", "rewind"), kind, strict=True)) if kind else {}
    return (claims[list(values)] == pd.Series(values)).all(axis=1) & claims["decides"]


def test_every_claim_has_a_line_with_its_verdict_and_the_effect_with_its_interval(tmp_path):
    found, _ = told(tmp_path, made_claims())
    assert [line.split(":")[0].strip("*").split(",")[0] for line in found] == [
        *("Claim 1", "Claim 2", "Claim 3", "Hypothesis", "Hypothesis", "Headline")
    ]
    assert all(": holds.**" in line for line in found)
    error, features, _, uniform, messy, headline = found
    assert "holds in 4 of 4 places; in points from +0.10 [0.00, +0.20] (alpha 0.1 at 25 % of weights)" in error
    assert error.endswith("to +2.00 [+1.90, +2.10] (alpha 1 at 5.0 % of weights).")
    assert "in shares of the way from null to ceiling from 0.00 [0.00, 0.00]" in features
    assert "mnist: holds, 0.12 [0.12, 0.12] of what alpha does depends on density (effect of alpha 1.23" in uniform
    assert (
        "random re-draw holds, " in messy
        and "more than on tickets (" in messy
        and "interaction beyond the tickets' 0.67" in messy
    )
    assert "from +0.20 [+0.10, +0.30] (25 % of weights) to +0.40 [+0.30, +0.50] (5.0 % of weights)" in headline


@pytest.mark.parametrize("column", ["estimate", "ci_low", "ci_high", "verdict", "alpha", "density"])
@pytest.mark.parametrize("claim, index", [("1", 0), ("2", 1), ("3", 2), ("headline", 5)])
def test_a_changed_number_changes_the_sentence(tmp_path, claim, index, column):
    claims = made_claims()
    before, _ = told(tmp_path, claims)
    row = claims.index[where(claims, claim, TICKET)][0]
    if claim == "headline" and column == "alpha":
        return
    claims.loc[row, column] = "fails" if column == "verdict" else -0.777
    after, _ = told(tmp_path, claims)
    assert after[index] != before[index]
    assert [line for k, line in enumerate(after) if k != index] == [line for k, line in enumerate(before) if k != index]


@pytest.mark.parametrize(
    "verdicts, word",
    [
        (["holds"] * 4, "holds"),
        (["fails"] * 4, "fails"),
        (["undecided"] * 4, "undecided"),
        (["holds", "holds", "undecided", "undecided"], "holds where it is decided"),
        (["holds", "fails", "undecided", "undecided"], "holds in part"),
    ],
)
def test_one_word_for_all_places(tmp_path, verdicts, word):
    claims = made_claims()
    claims.loc[where(claims, "1", TICKET), "verdict"] = verdicts
    assert f"as good as the dense network's: {word}.**" in told(tmp_path, claims)[0][0]


def test_a_regression_is_told_in_ratios_of_errors(tmp_path):
    claims = made_claims()
    mine = where(claims, "1", TICKET)
    claims.loc[mine, ["estimate", "ci_low", "ci_high"]] = -np.log([2.0, 3.0, 1.5])
    line = told(tmp_path, claims, regression=True)[0][0]
    assert "multiples of the dense network's test error from 2.00 [1.50, 3.00]" in line


def test_tickets_that_fail_and_controls_that_hold_contradict_the_talk(tmp_path):
    claims = made_claims(verdict="undecided")
    assert told(tmp_path, claims)[1] == []
    claims.loc[where(claims, "2", TICKET, density=0.05), "verdict"] = "fails"
    claims.loc[where(claims, "1", NONE), "verdict"] = "holds"
    claims.loc[where(claims, "3", RANDOM, alpha=1.0), "verdict"] = "holds"
    features = (
        "Tickets lack the dense network's features at the end: mnist in 2 of 4 places (alpha 0.1 and 1 at 5.0 % of"
    )
    others = ": no rewind (fine-tune) (mnist in 4 of 4 places)."
    along = "Not only tickets have the dense network's features along time: random re-draw (mnist in 2 of 4 places)."
    found = told(tmp_path, claims)[1]
    assert found[0] == f"Not only tickets have a test error at least as good as the dense network's{others}"
    assert found[2] == along
    assert found[1].startswith(features)
    assert len(found) == 3


def test_what_agrees_with_the_talk_is_no_contradiction(tmp_path):
    claims = made_claims()
    for claim in "123":
        for kind in (RANDOM, NONE):
            claims.loc[where(claims, claim, kind), "verdict"] = "fails"
    assert told(tmp_path, claims)[1] == []
    # What decides nothing contradicts nothing.
    assert told(tmp_path, claims.assign(verdict=claims["verdict"].where(claims["decides"], "fails")))[1] == []


@pytest.mark.parametrize(
    "claim, kind, words",
    [
        ("hypothesis", TICKET, "Alpha isn't uniform on tickets: mnist 0.12 [0.12, 0.12]."),
        ("hypothesis", RANDOM, "Alpha isn't messier on random re-draw than on tickets: mnist 0.12 [0.12, 0.12]."),
        ("headline", TICKET, "is excluded: mnist in 2 of 2 places (25 and 5.0 % of weights)."),
    ],
)
def test_the_hypothesis_and_the_headline_may_fail(tmp_path, claim, kind, words):
    claims = made_claims(verdict="undecided")
    claims.loc[where(claims, claim, kind), "verdict"] = "fails"
    (found,) = told(tmp_path, claims)[1]
    assert found.endswith(words)


def test_an_interval_may_be_infinite_or_missing(tmp_path):
    claims = made_claims()
    mine = claims.index[where(claims, "2", TICKET)]
    claims.loc[mine, "ci_low"] = -np.inf
    assert "from 0.00 [-∞, 0.00] (alpha 0.1" in told(tmp_path, claims)[0][1]
    claims.loc[mine, "ci_low"] = np.nan
    assert "from 0.00 (alpha 0.1" in told(tmp_path, claims)[0][1]


def test_experiments_are_told_in_the_order_they_are_run(tmp_path):
    tables = {
        "claims": pd.concat([made_claims("a"), made_claims("b", "fails")]),
        "tuned": pd.concat([made_tuned("a"), made_tuned("b")]),
    }
    published = publish_made(tmp_path, tables, config=made_config("b", "a"))
    line = lines(published)[0]
    assert 0 < line.index("b: fails in 4 of 4 places") < line.index("a: holds in 4 of 4 places")
    assert ": holds in part.**" in line
