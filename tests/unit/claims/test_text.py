"""The words of the table of claims."""

import pandas as pd

from featprune.claims.text import describe, edges, told
from featprune.claims.verdicts import CLAIM_2, HEADLINE, HOLDS
from tests.unit.claims.claim_tables import (
    PLAIN,
    RULES,
    TICKET,
    claims_of,
    everything,
    gaps,
    made_summary,
    row,
)


def test_the_text_tells_every_claim_its_verdicts_and_the_seeds_it_takes():
    claims = everything()
    text = describe(claims, RULES)
    for title in ("Claim 1:", "Claim 2:", "Claim 3:", "Hypothesis:", "Headline:"):
        line, *_ = (line for line in text.splitlines() if line.startswith("- ") and title in line)
        mine = claims[claims["decides"] & (claims["claim"] == title[:-1].removeprefix("Claim ").lower())]
        ticket = (mine["criterion"] == TICKET[0]) & (mine["rewind"] == TICKET[1])
        for rows in (mine[ticket], mine[~ticket]):
            for verdict, count in told(rows, RULES).value_counts().items():
                assert f"{count} {verdict}" in line
        assert f"## {title}" in text
    needed = row(claims, CLAIM_2, "correlation")["seeds_needed"]
    assert f"1 undecided at 5 seeds. If means and deviations stay as observed, {needed} seeds would decide" in text
    assert "nan" not in text.lower()


def test_the_text_says_what_cannot_be_decided_and_why():
    lone = describe(claims_of(made_summary(gaps(0), seeds=1)), RULES)
    assert "- Claim 1: 1 seed, too few for any test." in lone and "- Claim 2: nothing here that decides." in lone
    several = describe(claims_of(made_summary(gaps(-0.005), noise=0.01)), RULES)
    assert "- Claim 1: 5 seeds, too few for these differences" in several
    assert "- Claim 1:" not in describe(claims_of(), RULES).split("Can't be decided here")[1]


def test_the_text_says_how_often_a_rate_is_at_the_edge_of_its_grid():
    assert edges(PLAIN) == ""
    note = edges(PLAIN.assign(edge=PLAIN["round"] == 1))
    assert note == "The rate chosen on validation lies at the edge of its grid in 1 of 2 cells."
    assert note in describe(claims_of(), RULES, note)


def test_the_text_says_where_a_pruned_network_is_better():
    assert "fails (better)" in describe(claims_of(made_summary(gaps(0.03))), RULES)
    for difference in (-0.03, 0.002):
        assert "(better)" not in describe(claims_of(made_summary(gaps(difference))), RULES)


def test_a_gain_below_the_margin_is_told_as_such():
    rows = pd.DataFrame([{"claim": HEADLINE, "statistic": "gain", "verdict": HOLDS, "estimate": 2e-3, "ci_high": 3e-3}])
    assert told(rows, RULES).tolist() == ["holds (below the margin)"]
    assert told(rows.assign(ci_high=1.0), RULES).tolist() == [HOLDS]


def test_one_seed_leaves_no_number_unsaid():
    assert "nan" not in describe(claims_of(made_summary(gaps(0), seeds=1)), RULES)
