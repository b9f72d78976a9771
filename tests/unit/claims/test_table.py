"""The table of claims as a whole."""

import warnings
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from statsmodels.stats.multitest import multipletests

from featprune.claims.inference import Evidence
from featprune.claims.row import COLUMNS, Row, holm, judged, table_of
from featprune.claims.rules import Rules
from featprune.claims.table import build_claims
from featprune.claims.text import describe, edges
from featprune.claims.verdicts import (
    CLAIM_1,
    CLAIM_2,
    CLAIM_3,
    FAILS,
    HEADLINE,
    HOLDS,
    HYPOTHESIS,
    UNDECIDED,
    with_linearized,
)
from featprune.storage import save_table
from featprune.tables.headline import headline
from featprune.tables.tuning import tune
from tests.unit.claims.claim_tables import (
    CONFIG,
    DENSE,
    PLAIN,
    RANDOM,
    RULES,
    TICKET,
    claims_of,
    everything,
    gaps,
    made_features,
    made_summary,
)


def test_the_table_has_the_contracts_columns_and_words():
    claims = everything()
    assert list(claims.columns) == list(COLUMNS)
    types = claims.dtypes.astype(str)
    assert [t for name, t in types.items() if COLUMNS[name] != "str"] == [t for t in COLUMNS.values() if t != "str"]
    assert set(claims["verdict"]) == {HOLDS, FAILS, UNDECIDED}
    assert set(claims["claim"]) == {CLAIM_1, CLAIM_2, CLAIM_3, HYPOTHESIS, HEADLINE}
    assert set(claims.loc[claims["decides"], "statistic"]) == {
        *("at_least_as_good", "correlation", "change_correlation", "interaction", "messier", "gain")
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
    rules = Rules.of(CONFIG | {"level": 0.1, "power": 0.9}, [2])
    assert rules == replace(RULES, level=0.1, power=0.9, decide_at=frozenset([2])) and rules.one_sided == pytest.approx(
        0.8
    )
    assert set(claims_of(rules=rules)["confidence"].round(9)) == {0.8}


def test_what_a_row_leaves_out_is_null():
    table = table_of([Row(claim=HEADLINE, round=2), Row(claim=CLAIM_1, alpha=0.3)], "made")
    assert list(table["claim"]) == [CLAIM_1, HEADLINE] and set(table["experiment"]) == {"made"}
    first, second = table.to_dict("records")
    assert pd.isna(first["round"]) and second["round"] == 2 and pd.isna(second["alpha"]) and first["alpha"] == 0.3
    assert first["verdict"] == UNDECIDED and pd.isna([first["estimate"], first["seeds_needed"]]).all()


def test_the_table_and_its_words_are_made_from_the_tables_there_are(tmp_path):
    tuned = tune(PLAIN, ["lr"])
    save_table(tmp_path / "tuned", tuned)
    made = build_claims(CONFIG, sorted(RULES.decide_at), tuned=str(tmp_path / "tuned"))
    pd.testing.assert_frame_equal(made["claims.parquet"], claims_of(PLAIN))
    assert made["claims.md"] == describe(made["claims.parquet"], RULES, edges(tuned))


# ---- Deciding rows


def findings(p_holds, p_fails, **more):
    rows = [Row(claim=CLAIM_1, round=r, **{"decides": True, "criterion": "c"} | more) for r in range(len(p_holds))]
    return [row.found(0.0, (0.0, 0.0), Evidence(*p)) for row, *p in zip(rows, p_holds, p_fails, strict=True)]


def verdicts_of(rows):
    return [row.verdict for row in rows]


def test_rows_that_decide_share_the_level_of_each_answer():
    p_holds, p_fails = [0.01, 0.03, 0.9, 0.99], [0.99, 0.97, 0.1, 0.011]
    rows = judged(findings(p_holds, p_fails), RULES)
    assert verdicts_of(rows) == [HOLDS, UNDECIDED, UNDECIDED, FAILS]
    assert [row.p_adjusted for row in rows] == pytest.approx([0.04, 0.09, 0.3, 0.044])
    alone = judged(findings(p_holds, p_fails, decides=False), RULES)
    assert verdicts_of(alone) == [HOLDS, HOLDS, UNDECIDED, FAILS]
    assert [row.p_adjusted for row in alone] == [0.01, 0.03, 0.1, 0.011]


def test_other_claims_and_strategies_have_levels_of_their_own():
    both = [*findings([0.04], [0.96]), *findings([0.04], [0.96], criterion="other")]
    assert verdicts_of(judged(both, RULES)) == [HOLDS, HOLDS]
    assert verdicts_of(judged([*findings([0.04], [0.96]), *findings([0.04], [0.96])], RULES)) == [UNDECIDED] * 2


def test_seeds_needed_are_those_at_the_level_that_every_row_may_count_on():
    asked = []
    two = [f._replace(evidence=replace(f.evidence, seeds=asked.append)) for f in findings([0.5] * 2, [0.5] * 2)]
    judged(two, RULES)
    assert asked == [0.025] * 2


@pytest.mark.parametrize("n", [1, 5, 20])
def test_the_correction_is_statsmodels(n):
    p = np.random.default_rng(n).random(n) ** 3
    np.testing.assert_allclose(holm(p), multipletests(p, method="holm")[1])


def test_only_the_rounds_named_decide():
    summary = made_summary(gaps(0), rounds=(1, 2, 3))
    claims = claims_of(summary, rules=replace(RULES, decide_at=frozenset([2])))
    assert set(claims.loc[claims["decides"], "round"]) == {2}
    assert set(claims["round"]) == {1, 2, 3}


@pytest.mark.parametrize("seeds", [1, 2])
def test_too_few_seeds_decide_nothing_without_a_warning(seeds):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        claims = everything(seeds, noise=0.2)
        text = describe(claims, RULES)
    assert seeds == 2 or (claims["verdict"] == UNDECIDED).all()
    assert "Can't be decided here" in text and "nan" not in text


def test_linearized_networks_are_judged_by_themselves_and_change_no_other_verdict():
    kinds = (TICKET, RANDOM)
    level = {0.1: 0.0, 1.0: -0.004, np.inf: -0.05}

    def accuracy(kind, alpha, lr, round):
        return 0.9 + (0 if kind == DENSE else level[alpha] * round)

    summary = made_summary(accuracy, kinds, alphas=(0.1, 1.0, np.inf), rounds=(1, 2), noise=2e-3)
    without, both = claims_of(summary[np.isfinite(summary["alpha"])]), claims_of(summary)
    linear = np.isinf(both["alpha"])
    pd.testing.assert_frame_equal(both[~linear].reset_index(drop=True), without)
    mine = both[linear & (both["statistic"] == "at_least_as_good")]
    assert len(mine) == 4 and not mine["decides"].any() and (mine["verdict"] == "fails").all()
    assert (mine["p_adjusted"] == mine["p_fails"]).all() and mine["null_estimate"].notna().all()
    assert (both.loc[both["claim"] == "hypothesis", "alpha"].isna()).all()
    shown = with_linearized(both)
    assert shown["decides"].sum() == without["decides"].sum()
    assert set(shown.loc[np.isinf(shown["alpha"]), "statistic"]) == {"at_least_as_good"}
    words = describe(both, RULES)
    assert "linearized" in words and "inf" not in words


def test_no_linearized_network_is_ours():
    summary = made_summary(lambda kind, alpha, *_: 0.9 + 0.05 * np.isinf(alpha), alphas=(1.0, np.inf))
    table = headline(summary, summary)
    assert (table.loc[table["side"] == "ours", "alpha"] == 1).all()
