"""The talk's claims as statistics with verdicts, from tables. docs/method.md states every rule."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import stats
from scipy.integrate import trapezoid
from statsmodels.stats.multitest import multipletests

from featprune.claims.inference import (
    MIN_BOOTSTRAP,
    TIE,
    Decomposition,
    Interval,
    bootstrap_interval,
    decompose,
    mean_interval,
    rank_consistency,
    seeds_needed,
)
from featprune.claims.verdicts import CLAIM_1, CLAIM_2, CLAIM_3, FAILS, HEADLINE, HOLDS, HYPOTHESIS, UNDECIDED
from featprune.runs.paths import DENSE, REINITIALIZED, REORDERED, TICKET
from featprune.tables.frames import MEASURES, alike, nearest_one
from featprune.tables.tables import headline, paired_gains, tune

COLUMNS = {
    "experiment": "str",
    "claim": "str",
    "statistic": "str",
    "decides": "bool",
    "alpha": "float64",
    "lr": "float64",
    "criterion": "str",
    "rewind": "str",
    "round": "Int32",
    "density": "float64",
    "estimate": "float64",
    "ci_low": "float64",
    "ci_high": "float64",
    "confidence": "float64",
    "p_adjusted": "float64",
    "null_estimate": "float64",
    "ceiling_estimate": "float64",
    "raw_estimate": "float64",
    "n_seeds": "Int32",
    "verdict": "str",
    "seeds_needed": "Int32",
}
STRATEGY = ["criterion", "rewind"]
PLACE = ["alpha", "lr", *STRATEGY, "round"]


@dataclass(frozen=True)
class Margins:
    """What counts as no difference: in accuracy, as a ratio of losses, of the way from null to ceiling, as a ratio of
    times, and as a share of interaction."""

    accuracy: float
    loss: float
    features: float
    time: float
    interaction: float


@dataclass(frozen=True)
class Rules:
    """The config's `claims`: margins, level of a test, power to plan for, and resamples of a bootstrap."""

    margins: Margins
    level: float
    power: float
    resamples: int

    @staticmethod
    def of(config: dict) -> Rules:
        return Rules(**{**config, "margins": Margins(**config["margins"])})

    @property
    def one_sided(self) -> float:
        """Confidence of the interval that two one-sided tests at `level` are read from."""
        return 1 - 2 * self.level


def aggregate_claims(
    summary: pd.DataFrame,
    features: pd.DataFrame | None,
    shifts: pd.DataFrame | None,
    baseline: pd.DataFrame | None,
    rules: Rules,
) -> pd.DataFrame:
    """Every statistic of every claim of one experiment, a row each, with the columns of COLUMNS.

    summary: the experiment's; features and shifts: tables of those names, None where no features are studied;
    baseline: the summary of the experiment's baseline, None where it has none.
    """
    rows = [*test_error(summary, rules), *hypothesis(summary, rules)]
    if features is not None:
        alike_rows = list(similarity(features, rules))
        rows += [*alike_rows, *time_shift(shifts, related_cells(alike_rows), rules)]
    if baseline is not None:
        rows += headline_gain(summary, baseline, rules)
    table = pd.DataFrame(rows).reindex(columns=list(COLUMNS)).assign(experiment=summary["experiment"].iloc[0])
    table["decides"] = table["decides"].fillna(False)
    order = ["claim", "statistic", *STRATEGY, "alpha", "lr", "round"]
    return table.astype(COLUMNS).sort_values(order, ignore_index=True, kind="stable")


def entry(claim: str, statistic: str, interval: Interval, verdict: str, **more) -> dict:
    """One row of the table."""
    return {
        "claim": claim,
        "statistic": statistic,
        "estimate": interval.estimate,
        "ci_low": interval.low,
        "ci_high": interval.high,
        "n_seeds": interval.n,
        "verdict": verdict,
        **more,
    }


def performance(runs: pd.DataFrame) -> pd.Series:
    """Test accuracy, or for regression minus the logarithm of the test error: more is better; NaN if diverged."""
    return runs["test_accuracy"] if runs["test_accuracy"].notna().any() else -np.log(runs["test_loss"])


def test_error(summary: pd.DataFrame, rules: Rules) -> Iterator[dict]:
    """Claim 1: pruned minus dense, seed by seed, both at the rate chosen on validation."""
    tuned = tune(summary, ["lr"])
    tuned = tuned.assign(performance=performance(tuned))
    accuracy = tuned["test_accuracy"].notna().any()
    margin = rules.margins.accuracy if accuracy else float(np.log(rules.margins.loss))
    dense = of_kind(tuned, DENSE).set_index(["alpha", "seed"])["performance"]
    longer = of_kind(tuned, ("dense", "none")).set_index(["alpha", "total_steps", "seed"])["performance"]
    pruned = tuned[tuned["criterion"] != "dense"]
    against = {
        "test_error": pruned["performance"] - dense.reindex(pd.MultiIndex.from_frame(pruned[["alpha", "seed"]])).array,
        "test_error_matched": pruned["performance"]
        - longer.reindex(pd.MultiIndex.from_frame(pruned[["alpha", "total_steps", "seed"]])).array,
    }
    pruned = pruned.assign(**against)
    nulls = of_kind(pruned, (TICKET[0], "random")).groupby(["alpha", "round"])[list(against)].mean()
    for cell, runs in cells(pruned, rules):
        for statistic in against:
            if statistic != "test_error" and runs[statistic].isna().all():
                continue
            interval = mean_interval(runs[statistic], rules.one_sided)
            null = nulls[statistic].get((cell["alpha"], cell["round"]), np.nan)
            common = cell | {"null_estimate": null}
            verdict = interval.within(-margin, margin)
            needed = planned(interval, margin, rules)
            decides = statistic == "test_error"
            yield entry(CLAIM_1, statistic, interval, verdict, decides=decides, seeds_needed=needed, **common)
            if decides:
                needed = one_threshold(interval, -margin, rules)
                verdict = interval.within(-margin, np.inf)
                yield entry(CLAIM_1, "not_worse", interval, verdict, seeds_needed=needed, **common)


def cells(runs: pd.DataFrame, rules: Rules) -> Iterator[tuple[dict, pd.DataFrame]]:
    """Each cell's columns of the table of claims, and its runs."""
    for point, mine in runs.groupby(PLACE):
        where = {"density": mine["density"].mean(), "confidence": rules.one_sided}
        yield dict(zip(PLACE, point, strict=True)) | where, mine


def place(row: dict) -> tuple:
    """Which cell a row is of."""
    return tuple(row[axis] for axis in PLACE)


def of_kind(runs: pd.DataFrame, kind: tuple[str, str]) -> pd.DataFrame:
    """The runs of one criterion and rewind."""
    return runs[(runs["criterion"] == kind[0]) & (runs["rewind"] == kind[1])]


def planned(interval: Interval, margin: float, rules: Rules) -> int | None:
    """Seeds for an equivalence test; where the estimate is outside the margin, for showing that it is."""
    inside = margin - abs(interval.estimate)
    distances = [margin - interval.estimate, margin + interval.estimate] if inside > 0 else [-inside]
    return seeds_needed(distances, interval.deviation, rules.level, rules.power)


def one_threshold(interval: Interval, threshold: float, rules: Rules) -> int | None:
    """Seeds for showing on which side of a threshold the estimate is."""
    return seeds_needed([abs(interval.estimate - threshold)], interval.deviation, rules.level, rules.power)


def along_log_time(runs: pd.DataFrame) -> pd.DataFrame:
    """Means over log time from step 1 on: a row a run and seed."""
    keys = [*PLACE, "density", "seed"]
    later = runs[runs["step"] >= 1].sort_values("step")

    def mean(run: pd.DataFrame) -> pd.Series:
        time = np.log(run["step"].to_numpy(float))
        if len(time) < 2:
            return run[list(MEASURES)].iloc[-1]
        return pd.Series({name: trapezoid(run[name], time) / np.ptp(time) for name in MEASURES})

    return pd.DataFrame([dict(zip(keys, key, strict=True)) | mean(run).to_dict() for key, run in later.groupby(keys)])


def similarity(features: pd.DataFrame, rules: Rules) -> Iterator[dict]:
    """Claims 2 and 3: (value - null) / (ceiling - null), at the last step and over log time."""
    runs = alike(features)
    last = runs[runs["step"] == runs["step"].max()].drop(columns="step")
    for claim, values in ((CLAIM_2, last), (CLAIM_3, along_log_time(runs))):
        point = ["alpha", "lr", "seed"]
        null = of_kind(values, REINITIALIZED).set_index(point)
        ceiling = of_kind(values, REORDERED).set_index(point)
        pruned = values[values["criterion"] != "dense"]
        for cell, mine in cells(pruned, rules):
            index = pd.MultiIndex.from_frame(mine[point])
            for measure, sign in MEASURES.items():
                low, high = (side[measure].reindex(index).to_numpy() for side in (null, ceiling))
                value = mine[measure].to_numpy()
                whole = np.isfinite(value) & np.isfinite(low) & np.isfinite(high)
                value, low, high = value[whole], low[whole], high[whole]
                with np.errstate(invalid="ignore", divide="ignore"):
                    interval = mean_interval((value - low) / (high - low), rules.one_sided)
                threshold = 1 - rules.margins.features
                apart = mean_interval(sign * (high - low), rules.one_sided).low > 0
                yield entry(
                    claim,
                    measure,
                    interval,
                    interval.within(threshold, np.inf) if apart else UNDECIDED,
                    decides=measure == next(iter(MEASURES)),
                    null_estimate=float(np.mean(low)) if whole.any() else np.nan,
                    ceiling_estimate=float(np.mean(high)) if whole.any() else np.nan,
                    raw_estimate=float(np.mean(value)) if whole.any() else np.nan,
                    seeds_needed=one_threshold(interval, threshold, rules) if apart else None,
                    **cell,
                )


def related_cells(rows: list[dict]) -> set[tuple]:
    """The cells whose features along time are more like the dense network's than an unrelated network's are."""
    decided = (row for row in rows if row["claim"] == CLAIM_3 and row["decides"])
    return {place(row) for row in decided if row["ci_low"] > 0}


def time_shift(shifts: pd.DataFrame, related: set[tuple], rules: Rules) -> Iterator[dict]:
    """Beside claim 3: by how many factors of two of its time a run is ahead of the dense network.

    Undecided outside the cells `related`: there is no shift between unrelated networks.
    """
    margin = float(np.log2(rules.margins.time))
    references = {
        name: of_kind(shifts, kind).groupby(["alpha", "lr"])["shift"].mean()
        for name, kind in (("null_estimate", REINITIALIZED), ("ceiling_estimate", REORDERED))
    }
    pruned = shifts[shifts["criterion"] != "dense"]
    for cell, mine in cells(pruned, rules):
        interval = mean_interval(mine["shift"], rules.one_sided)
        yield entry(
            CLAIM_3,
            "time_shift",
            interval,
            interval.within(-margin, margin) if place(cell) in related else UNDECIDED,
            seeds_needed=planned(interval, margin, rules),
            **cell,
            **{name: side.get((cell["alpha"], cell["lr"]), np.nan) for name, side in references.items()},
        )


def hypothesis(summary: pd.DataFrame, rules: Rules) -> Iterator[dict]:
    """Whether alpha acts alike at all densities on tickets, and less so on each other strategy."""
    tuned = tune(summary[(summary["criterion"] != "dense")], ["lr"])
    tables = {kind: complete(runs) for kind, runs in tuned.assign(performance=performance(tuned)).groupby(STRATEGY)}
    tables = {kind: table for kind, table in tables.items() if len(table) and min(table.columns.levshape) > 1}
    confidence, limit = 1 - rules.level, rules.margins.interaction

    def judged(interval: Interval, low: float, high: float) -> tuple[str, int | None]:
        distances = [abs(interval.estimate - edge) for edge in (low, high) if np.isfinite(edge)]
        needed = seeds_needed([min(distances)], interval.deviation, rules.level, rules.power, "two-sided")
        enough = interval.n >= MIN_BOOTSTRAP
        return interval.within(low, high) if enough else UNDECIDED, needed and max(needed, MIN_BOOTSTRAP)

    def row(kind, statistic, interval, low, high, decides, null) -> dict:
        verdict, needed = judged(interval, low, high)
        more = dict(zip(STRATEGY, kind, strict=True)) | {"confidence": confidence, "null_estimate": null}
        return entry(HYPOTHESIS, statistic, interval, verdict, decides=decides, seeds_needed=needed, **more)

    def interval_of(statistic, *sides: np.ndarray) -> Interval:
        seeds = min(side.shape[2] for side in sides)
        return bootstrap_interval(
            lambda index: statistic(*(side[..., index.astype(int)] for side in sides)),
            seeds,
            confidence,
            rules.resamples,
        )

    for kind, table in tables.items():
        values = cube(table)
        split: Decomposition = decompose(values)
        alphas, densities, _ = values.shape
        ranks = 1 / densities if alphas > 2 else np.nan
        of_alpha = interval_of(lambda v: decompose(v).interaction_of_alpha, values)
        total = interval_of(lambda v: decompose(v).interaction_total, values)
        concordance = interval_of(lambda v: rank_consistency(v.mean(2)), values)
        yield row(kind, "interaction", of_alpha, -np.inf, limit, kind == TICKET, split.noise_share)
        yield row(kind, "interaction_total", total, -np.inf, limit, False, np.nan)
        yield row(kind, "rank_consistency", concordance, 1 - limit, np.inf, False, ranks)
        if kind == TICKET or TICKET not in tables or not table.columns.equals(tables[TICKET].columns):
            continue
        both = table.index.intersection(tables[TICKET].index)
        difference = interval_of(
            lambda other, ticket: decompose(other).interaction_of_alpha - decompose(ticket).interaction_of_alpha,
            cube(table.loc[both]),
            cube(tables[TICKET].loc[both]),
        )
        yield row(kind, "messier", difference, 0, np.inf, True, 0.0)


def complete(runs: pd.DataFrame) -> pd.DataFrame:
    """Performance with a row a seed and a column a pair (alpha, round), without seeds of which any run diverged."""
    table = runs.pivot_table(index="seed", columns=["alpha", "round"], values="performance", dropna=False)
    return table.sort_index(axis=1).dropna()


def cube(table: pd.DataFrame) -> np.ndarray:
    """The same as an array (alphas, densities, seeds)."""
    return table.to_numpy().T.reshape(*table.columns.remove_unused_levels().levshape, len(table))


def headline_gain(ours: pd.DataFrame, baseline: pd.DataFrame, rules: Rules) -> Iterator[dict]:
    """Ours minus the baseline at each density, Holm-corrected, and what of the gain is alpha's own."""
    common = sorted(set(ours["lr"]) & set(baseline["lr"]))
    compared = {"gain": (ours, baseline)}
    if common:
        here, there = (side[side["lr"].isin(common)] for side in (ours, baseline))
        compared["gain_common_lrs"] = here, there
        compared["gain_fixed_lr"] = nearest_one(here, "lr"), nearest_one(there, "lr")
        compared["alpha_effect"] = here, nearest_one(here, "alpha")
    confidence, margin = 1 - rules.level, rules.margins.accuracy
    for statistic, sides in compared.items():
        gains = {key: gain for key, gain in paired_gains(headline(*sides)).items() if len(gain) > 1}
        if not gains:
            continue
        p = [p_value(gain) for gain in gains.values()]
        adjusted = multipletests(p, rules.level, "holm")[1]
        for (key, gain), corrected in zip(gains.items(), adjusted, strict=True):
            interval = mean_interval(gain, confidence)
            if corrected < rules.level and interval.estimate > 0:
                verdict = HOLDS
            else:
                verdict = FAILS if interval.high < margin else UNDECIDED
            needed = [
                seeds_needed(
                    [interval.estimate], interval.deviation, rules.level / len(gains), rules.power, "two-sided"
                ),
                seeds_needed([margin - interval.estimate], interval.deviation, rules.level, rules.power, "two-sided"),
            ]
            yield entry(
                HEADLINE,
                statistic,
                interval,
                verdict,
                decides=statistic == "gain",
                round=key[0],
                density=key[1],
                criterion=TICKET[0],
                rewind=TICKET[1],
                confidence=confidence,
                p_adjusted=corrected,
                null_estimate=0.0,
                seeds_needed=min(filter(None, needed), default=None),
            )


def p_value(differences: pd.Series) -> float:
    """Of the two-sided t test; 1 where all differences are the same, which has nothing to compare them with."""
    return stats.ttest_1samp(differences, 0).pvalue if differences.std() > TIE else 1.0
