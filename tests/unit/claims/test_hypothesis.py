"""Uniform or messy: planted truths get the verdicts they should."""

import numpy as np
import pytest

from featprune.claims.decomposition import decompose, rank_consistency
from featprune.claims.inference import bootstrap_interval
from featprune.claims.verdicts import FAILS, HOLDS, HYPOTHESIS, UNDECIDED
from tests.unit.claims.claim_tables import (
    NONE,
    RANDOM,
    RULES,
    TICKET,
    as_regression,
    claims_of,
    diverge,
    messy,
    row,
    swept,
    uniform,
    values_of,
)


def test_uniform_tickets_and_a_messy_strategy_are_told_apart():
    claims = claims_of(swept(uniform, messy))
    ticket, other = (row(claims, HYPOTHESIS, "interaction", kind) for kind in (TICKET, RANDOM))
    messier = row(claims, HYPOTHESIS, "messier", RANDOM)
    assert (ticket["verdict"], other["verdict"], messier["verdict"]) == (HOLDS, FAILS, HOLDS)
    assert (ticket["decides"], other["decides"], messier["decides"]) == (True, False, True)
    for kind, verdict in ((TICKET, HOLDS), (RANDOM, FAILS)):
        assert row(claims, HYPOTHESIS, "rank_consistency", kind)["verdict"] == verdict
    assert not ((claims["statistic"] == "messier") & (claims["rewind"] == "init")).any()


def test_messy_tickets_and_a_uniform_strategy_fail():
    claims = claims_of(swept(messy, uniform))
    assert row(claims, HYPOTHESIS, "interaction", TICKET)["verdict"] == FAILS
    assert row(claims, HYPOTHESIS, "messier", RANDOM)["verdict"] == FAILS


def test_equally_uniform_strategies_are_undecided():
    claims = claims_of(swept(uniform, uniform))
    assert row(claims, HYPOTHESIS, "interaction", RANDOM)["verdict"] == HOLDS
    assert row(claims, HYPOTHESIS, "messier", RANDOM)["verdict"] == UNDECIDED


def test_estimates_are_those_of_the_decomposition_over_resampled_seeds():
    summary = swept(uniform, messy, noise=0.01, kinds=(TICKET, RANDOM, NONE))
    claims = claims_of(summary)
    values = {kind: values_of(summary, kind) for kind in (TICKET, RANDOM)}
    split = {kind: decompose(v) for kind, v in values.items()}
    estimates = ("interaction", "interaction_total", "rank_consistency")
    for kind, v in values.items():
        found = {name: row(claims, HYPOTHESIS, name, kind) for name in estimates}
        expected = (split[kind].interaction_of_alpha, split[kind].interaction_total, rank_consistency(v.mean(2)))
        assert [found[name]["estimate"] for name in estimates] == pytest.approx(expected)
        assert found["interaction"]["null_estimate"] == pytest.approx(split[kind].noise_share)
        assert found["rank_consistency"]["null_estimate"] == 1 / 4

    def messier(index):
        other, ticket = (decompose(values[kind][..., index.astype(int)]) for kind in (RANDOM, TICKET))
        return other.interaction_of_alpha - ticket.interaction_of_alpha

    expected = bootstrap_interval(messier, 5, 0.95, RULES.resamples)
    found = row(claims, HYPOTHESIS, "messier", RANDOM)
    got = [found[name] for name in ("estimate", "ci_low", "ci_high", "confidence")]
    assert got == pytest.approx([expected.estimate, expected.low, expected.high, 0.95])


def test_below_three_seeds_the_hypothesis_is_undecided():
    claims = claims_of(swept(uniform, messy, seeds=2))
    rows = claims[claims["claim"] == HYPOTHESIS]
    assert (rows["verdict"] == UNDECIDED).all() and (rows["seeds_needed"].dropna() >= 3).all()
    assert rows.loc[rows["decides"], "seeds_needed"].notna().all()


def test_a_seed_of_which_a_run_diverged_is_no_part_of_the_cube():
    whole = swept(uniform, messy)
    summary = diverge(whole, rewind="init", alpha=0.3, round=2, seed=1)
    found = row(claims_of(summary), HYPOTHESIS, "interaction", TICKET)
    assert found["n_seeds"] == 4
    expected = decompose(np.delete(values_of(whole, TICKET), 1, axis=2)).interaction_of_alpha
    assert found["estimate"] == pytest.approx(expected)


def test_strategies_are_compared_at_the_seeds_that_both_have():
    summary = diverge(swept(uniform, messy), rewind="init", alpha=0.3, round=2, seed=1)
    summary = diverge(summary, rewind="random", alpha=1.0, round=1, seed=3)
    assert row(claims_of(summary), HYPOTHESIS, "messier", RANDOM)["n_seeds"] == 3


def test_regression_decomposes_the_logarithm_of_the_error():
    usual, regression = (
        row(claims_of(summary), HYPOTHESIS, "interaction", TICKET)
        for summary in (swept(uniform, messy), as_regression(swept(uniform, messy)))
    )
    assert regression["estimate"] == pytest.approx(usual["estimate"])


@pytest.mark.parametrize("narrow", [{"alphas": (1.0,)}, {"rounds": (1,)}])
def test_without_several_alphas_and_densities_there_is_no_hypothesis(narrow):
    claims = claims_of(swept(uniform, messy, **narrow))
    assert HYPOTHESIS not in set(claims["claim"])


def test_seeds_that_tie_decide_nothing():
    claims = claims_of(swept(uniform, messy, noise=0))
    rows = claims[claims["claim"] == HYPOTHESIS]
    assert (rows["verdict"] == UNDECIDED).all() and rows["ci_low"].isna().all()
    assert row(claims, HYPOTHESIS, "interaction", TICKET)["estimate"] == pytest.approx(0, abs=1e-9)
    assert row(claims, HYPOTHESIS, "interaction", RANDOM)["estimate"] == pytest.approx(1)
