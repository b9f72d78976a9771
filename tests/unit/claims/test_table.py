"""The table of claims as a whole."""

from dataclasses import replace

import pandas as pd
import pytest

from featprune.claims.row import COLUMNS, Row, table_of
from featprune.claims.rules import Rules
from featprune.claims.table import build_claims
from featprune.claims.text import describe
from featprune.claims.verdicts import CLAIM_1, CLAIM_2, CLAIM_3, FAILS, HEADLINE, HOLDS, HYPOTHESIS, UNDECIDED
from featprune.storage import save_table
from featprune.tables.tuning import tune
from tests.unit.claims.claim_tables import (
    PLAIN,
    RULES,
    claims_of,
    everything,
    made_features,
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


def test_what_a_row_leaves_out_is_null():
    table = table_of([Row(claim=HEADLINE, round=2), Row(claim=CLAIM_1, alpha=0.3)], "made")
    assert list(table["claim"]) == [CLAIM_1, HEADLINE] and set(table["experiment"]) == {"made"}
    first, second = table.to_dict("records")
    assert pd.isna(first["round"]) and second["round"] == 2 and pd.isna(second["alpha"]) and first["alpha"] == 0.3
    assert first["verdict"] == UNDECIDED and pd.isna([first["estimate"], first["seeds_needed"]]).all()


def test_the_table_and_its_words_are_made_from_the_tables_there_are(tmp_path):
    save_table(tmp_path / "tuned", tune(PLAIN, ["lr"]))
    config = {**vars(RULES), "margins": vars(RULES.margins)}
    made = build_claims(config, tuned=str(tmp_path / "tuned"))
    pd.testing.assert_frame_equal(made["claims.parquet"], claims_of(PLAIN))
    assert made["claims.md"] == describe(made["claims.parquet"], RULES)
