"""The table of claims as a whole, and its words."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from featprune.claims.inference import FAILS, HOLDS, UNDECIDED
from featprune.claims.table import (
    CLAIM_1,
    CLAIM_2,
    CLAIM_3,
    COLUMNS,
    HEADLINE,
    HYPOTHESIS,
    Rules,
    p_value,
)
from featprune.claims.text import describe, told
from featprune.tables.frames import MEASURES
from tests.unit.claims.claim_tables import (
    CEILING,
    NULL,
    PLAIN,
    RANDOM,
    RULES,
    TICKET,
    claims_of,
    diverge,
    everything,
    gaps,
    made_features,
    made_shifts,
    made_summary,
    messy,
    row,
    swept,
    uniform,
)


def test_the_table_has_the_contracts_columns_and_words():
    claims = everything()
    assert list(claims.columns) == list(COLUMNS)
    types = claims.dtypes.astype(str)
    assert [t for name, t in types.items() if COLUMNS[name] != "str"] == [t for t in COLUMNS.values() if t != "str"]
    assert set(claims["verdict"]) == {HOLDS, FAILS, UNDECIDED}
    assert set(claims["claim"]) == {CLAIM_1, CLAIM_2, CLAIM_3, HYPOTHESIS, HEADLINE}
    assert set(claims.loc[claims["decides"], "statistic"]) == {
        *("test_error", "correlation", "interaction", "messier", "gain")
    }
    point = ["claim", "statistic", "criterion", "rewind", "alpha", "lr", "round"]
    assert not claims.duplicated(point).any() and set(claims["experiment"]) == {"made"}


def test_tables_that_are_not_there_leave_their_claims_out():
    assert set(claims_of()["claim"]) == {CLAIM_1}
    assert set(claims_of(features=made_features(0.9))["claim"]) == {CLAIM_1, CLAIM_2, CLAIM_3}
    dense = PLAIN[PLAIN["round"] == 0]
    nothing = claims_of(dense)
    assert nothing.empty and list(nothing.columns) == list(COLUMNS)


def test_rules_come_from_the_config():
    config = {"margins": vars(RULES.margins), "level": 0.1, "power": 0.9, "resamples": 200}
    rules = Rules.of(config)
    assert rules == replace(RULES, level=0.1, power=0.9, resamples=200) and rules.one_sided == pytest.approx(0.8)
    assert set(claims_of(rules=rules)["confidence"].round(9)) == {0.8}


def test_wider_margins_forgive_more():
    summary = made_summary(gaps(-0.03))
    wide = replace(RULES, margins=replace(RULES.margins, accuracy=0.05))
    assert row(claims_of(summary, rules=wide), CLAIM_1, "test_error")["verdict"] == HOLDS


def test_the_text_tells_every_claim_its_verdicts_and_the_seeds_it_takes():
    claims = everything()
    text = describe(claims, RULES)
    for title in ("Claim 1:", "Claim 2:", "Claim 3:", "Hypothesis:", "Headline:"):
        (line,) = (line for line in text.splitlines() if line.startswith("- ") and title in line)
        mine = claims[claims["decides"] & (claims["claim"] == title[:-1].removeprefix("Claim ").lower())]
        ticket = (mine["criterion"] == TICKET[0]) & (mine["rewind"] == TICKET[1])
        for rows in (mine[ticket], mine[~ticket]):
            for verdict, count in told(rows, RULES).value_counts().items():
                assert f"{count} {verdict}" in line
        assert f"## {title}" in text
    needed = row(claims, CLAIM_2, "correlation")["seeds_needed"]
    assert f"1 undecided at 5 seeds. If means and deviations stay as observed, {needed} seeds would decide" in text
    assert "nan" not in text.lower()


def test_the_text_says_where_a_pruned_network_is_better():
    assert "fails (better)" in describe(claims_of(made_summary(gaps(0.03))), RULES)
    for difference in (-0.03, 0.002):
        assert "(better)" not in describe(claims_of(made_summary(gaps(difference))), RULES)


@pytest.mark.parametrize("kind", [TICKET, CEILING, NULL])
def test_features_of_a_network_that_diverged_are_left_out(kind):
    features = made_features(0.9)
    lost = (features["rewind"] == kind[1]) & (features["seed"] == 2) & (features["step"] > 1)
    nothing = dict.fromkeys(MEASURES, np.nan) | {"shared": 0, "dead": 10}
    for column, value in nothing.items():
        features[column] = features[column].mask(lost, value)
    assert row(claims_of(features=features), CLAIM_2, "correlation")["n_seeds"] == 4


def test_strategies_are_compared_at_the_seeds_that_both_have():
    summary = diverge(swept(uniform, messy), rewind="init", alpha=0.3, round=2, seed=1)
    summary = diverge(summary, rewind="random", alpha=1.0, round=1, seed=3)
    assert row(claims_of(summary), HYPOTHESIS, "messier", RANDOM)["n_seeds"] == 3


def test_a_tie_is_no_evidence():
    assert p_value(pd.Series([0.25, 0.25])) == p_value(pd.Series([0.0, 0.0])) == 1
    assert (claims_of(made_summary(gaps(-0.25), noise=0, seeds=2))["verdict"] == UNDECIDED).all()


def test_there_is_no_time_shift_between_unrelated_networks():
    unrelated = claims_of(features=made_features(0.1), shifts=made_shifts(0.0))
    assert row(unrelated, CLAIM_3, "time_shift")["verdict"] == UNDECIDED


def test_a_gain_below_the_margin_is_told_as_such():
    rows = pd.DataFrame([{"claim": HEADLINE, "statistic": "gain", "verdict": HOLDS, "estimate": 2e-3, "ci_high": 3e-3}])
    assert told(rows, RULES).tolist() == ["holds (below the margin)"]
    assert told(rows.assign(ci_high=1.0), RULES).tolist() == [HOLDS]


def test_a_point_at_which_every_pair_diverged_stays_in_the_table():
    summary = diverge(made_summary(gaps(0)), rewind="init", round=1)
    found = row(claims_of(summary), CLAIM_1, "test_error", TICKET)
    assert found["n_seeds"] == 0 and found["verdict"] == UNDECIDED


def test_one_seed_leaves_no_number_unsaid():
    assert "nan" not in describe(claims_of(made_summary(gaps(0), seeds=1)), RULES)
