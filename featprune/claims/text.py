"""The table of claims in words: what holds, what fails, what is undecided, and how many seeds would decide it."""

from __future__ import annotations

import numpy as np
import pandas as pd

from featprune.claims.inference import MOST_SEEDS
from featprune.claims.rules import Rules
from featprune.claims.verdicts import CLAIM_1, CLAIM_2, CLAIM_3, FAILS, HEADLINE, HOLDS, HYPOTHESIS, UNDECIDED
from featprune.runs.paths import TICKET
from featprune.tables.frames import AXES, name_alpha

TITLES = {
    CLAIM_1: "Claim 1: a test error at least as good as the dense network's",
    CLAIM_2: "Claim 2: the same features at the end",
    CLAIM_3: "Claim 3: the same features learned along time",
    HYPOTHESIS: "Hypothesis: alpha changes tickets uniformly, the others messily",
    HEADLINE: "Headline: ours beats the baseline",
}
BETTER = f"{FAILS} (better)"
SMALL = f"{HOLDS} (below the margin)"
VERDICTS = (HOLDS, SMALL, FAILS, BETTER, UNDECIDED)


def describe(claims: pd.DataFrame, rules: Rules, notes: str = "") -> str:
    """A Markdown page: each claim's rule in short, its verdicts counted, what would decide the rest, the numbers.

    notes: what else there is to know of the choices behind the numbers.
    """
    parts = [f"# Claims: {claims['experiment'].iloc[0]}" if len(claims) else "# Claims", overview(claims, rules)]
    parts += [not_decided(claims), notes]
    for claim, title in TITLES.items():
        rows = claims[claims["claim"] == claim]
        if rows.empty:
            continue
        deciding, others = rows[rows["decides"]], rows[~rows["decides"]]
        parts += [f"## {title}", explanation(claim, rules)]
        for statistic, mine in (*deciding.groupby("statistic"), *others.groupby("statistic")):
            parts.append(f"`{statistic}`{'' if mine['decides'].any() else ', which does not decide'}:")
            parts.append(counts(mine, rules) if mine["alpha"].notna().all() else details(mine, rules))
            if mine["n_at_bound"].any():
                some = mine["n_at_bound"] > 0
                parts.append(f"In {some.sum()} of {len(mine)} rows a seed's estimate is only a bound: undecided.")
        parts.append(undecided(deciding))
    parts.append("## The numbers\n\nThose that decide; `claims.parquet` has them all.")
    for claim, title in TITLES.items():
        rows = claims[(claims["claim"] == claim) & claims["decides"] & claims["alpha"].notna()]
        if len(rows):
            parts += [f"### {title}", details(rows, rules)]
    return "\n\n".join(filter(None, parts)) + "\n"


def overview(claims: pd.DataFrame, rules: Rules) -> str:
    """One line a claim: the verdicts on tickets, and on all other strategies, some of which are meant to fail."""
    lines = []
    for claim, title in TITLES.items():
        rows = claims[(claims["claim"] == claim) & claims["decides"]]
        ticket = (rows["criterion"] == TICKET[0]) & (rows["rewind"] == TICKET[1])
        parts = {"tickets": rows[ticket], "other strategies": rows[~ticket]}
        told_of = [f"{name} {tally(told(mine, rules))}" for name, mine in parts.items() if len(mine)]
        if told_of:
            lines.append(f"- {title}: {'; '.join(told_of)}.")
    return "\n".join(lines)


def not_decided(claims: pd.DataFrame) -> str:
    """Which claims can't be decided here, and why."""
    lines = []
    for claim, title in TITLES.items():
        name, rows = title.split(":")[0], claims[claims["claim"] == claim]
        deciding = rows[rows["decides"]]
        if deciding.empty:
            lines.append(f"- {name}: nothing here that decides.")
        elif (deciding["verdict"] == UNDECIDED).all():
            seeds = int(deciding["n_seeds"].max())
            why = "too few for any test" if seeds < 2 else "too few for these differences, or there are none to be seen"
            lines.append(f"- {name}: {seeds} seed{'s' * (seeds != 1)}, {why}.")
    return "Can't be decided here:\n\n" + "\n".join(lines) if lines else ""


def edges(tuned: pd.DataFrame) -> str:
    """How often the rate chosen on validation is the first or last of its grid; nothing where that isn't known."""
    if "edge" not in tuned:
        return ""
    chosen = tuned.drop_duplicates(AXES)
    return (
        f"The rate chosen on validation lies at the edge of its grid in {chosen['edge'].sum()} of {len(chosen)} cells."
    )


def told(rows: pd.DataFrame, rules: Rules) -> pd.Series:
    """The verdicts, telling apart failing by being better, and a gain that is there but smaller than the margin."""
    better = (rows["verdict"] == FAILS) & rows["statistic"].str.startswith("as_good") & (rows["estimate"] > 0)
    small = (rows["verdict"] == HOLDS) & (rows["claim"] == HEADLINE) & (rows["ci_high"] < rules.margins.accuracy)
    return rows["verdict"].mask(better, BETTER).mask(small, SMALL)


def tally(verdicts: pd.Series) -> str:
    """How often each verdict was given."""
    return ", ".join(f"{(verdicts == name).sum()} {name}" for name in VERDICTS if (verdicts == name).any())


def explanation(claim: str, rules: Rules) -> str:
    """What the numbers mean and what the rule is, in a line or two."""
    m = rules.margins
    one_sided = f"{100 * rules.one_sided:g} % intervals, one-sided tests at {rules.level:g}"
    holm = "Holm's correction over the rows of a strategy that decide"
    return {
        CLAIM_1: "Pruned minus dense, paired by seed: accuracy, or minus the logarithm of the test error; more is "
        f"better. `at_least_as_good`: above -{m.accuracy:g} (of errors, a ratio below {m.loss:g}); `as_good`: within "
        f"that on both sides; `better`: above 0; `_matched`: against dense trained as many steps. {one_sided}; {holm}.",
        CLAIM_2: "Unit-matched correlation with the dense network of another data order at the last step: 0 is the "
        f"null (another initialization), 1 the ceiling (the dense network). Holds above {1 - m.features:g}; "
        f"{one_sided}; {holm}. `parent_correlation` is with the dense run that made the mask.",
        CLAIM_3: "The same of changes since the start, averaged over log time with the weight of how far the dense "
        f"network has moved. Holds above {1 - m.features:g}; {one_sided}; {holm}. Not asked of what starts from "
        f"trained values. `time_shift` is in factors of two of the dense network's time; the same speed is within a "
        f"factor {m.time:g}.",
        HYPOTHESIS: "`interaction`: the share of what alpha does that depends on density; uniform holds below "
        f"{m.interaction:g} where alpha has an effect. `messier`: a strategy's share minus the tickets'. `_effect` and "
        f"`_points`: root-mean-square effects in the unit of the performance. {one_sided}.",
        HEADLINE: "Test accuracy of ours minus the baseline's, both tuned on validation, paired by seed; "
        f"{100 * rules.two_sided:g} % intervals, two-sided tests; {holm}. Fails where a gain of {m.accuracy:g} is "
        "excluded.",
    }[claim]


def counts(rows: pd.DataFrame, rules: Rules) -> str:
    """Verdicts over densities: a row a strategy, a column an alpha."""
    table = rows.assign(strategy=strategy(rows), told=told(rows, rules)).pivot_table(
        index="strategy", columns="alpha", values="told", aggfunc=tally, sort=True
    )
    return table.rename(columns=lambda alpha: name_alpha(alpha, "alpha ")).fillna("").to_markdown()


def strategy(rows: pd.DataFrame) -> pd.Series:
    """The criterion and rewind in one word each."""
    return rows["criterion"] + " × " + rows["rewind"]


def undecided(rows: pd.DataFrame) -> str:
    """How many seeds would decide what isn't."""
    rows = rows[rows["verdict"] == UNDECIDED]
    if rows.empty:
        return ""
    needed = rows["seeds_needed"].dropna().astype(int)
    text = f"{len(rows)} undecided at {int(rows['n_seeds'].min())} seeds."
    if len(needed):
        middle, most = int(np.median(needed)), needed.max()
        missing = len(rows) - len(needed)
        which = f"{len(needed)} of them" if missing else "them"
        text += f" If means and deviations stay as observed, {middle} seeds would decide half of {which}, {most} all."
        if missing:
            text += f" For {missing}, {MOST_SEEDS} seeds are too few or nothing is known."
    return text


def details(rows: pd.DataFrame, rules: Rules) -> str:
    """Every row: where, estimate with interval, null, verdict, seeds that would decide it."""
    digits = "{:.3g}"
    table = pd.DataFrame(
        {
            "strategy": strategy(rows),
            "alpha": rows["alpha"].map(name_alpha),
            "weights (%)": (100 * rows["density"]).map(digits.format),
            "estimate": rows["estimate"].map(digits.format),
            "interval": [
                "" if np.isnan(low) else f"[{low:.3g}, {high:.3g}]" if np.isfinite(low) else "unbounded"
                for low, high in zip(rows["ci_low"], rows["ci_high"], strict=True)
            ],
            "null": rows["null_estimate"].map(digits.format),
            "ceiling": rows["ceiling_estimate"].map(digits.format),
            "measured": rows["raw_estimate"].map(digits.format),
            "adjusted p": rows["p_adjusted"].map(digits.format),
            "seeds": rows["n_seeds"],
            "verdict": told(rows, rules),
            "seeds needed": [
                "" if verdict != UNDECIDED else f"> {MOST_SEEDS} or unknown" if pd.isna(n) else int(n)
                for verdict, n in zip(rows["verdict"], rows["seeds_needed"], strict=True)
            ],
        }
    ).replace("nan", "")
    return table.loc[:, (table != "").any()].to_markdown(index=False, disable_numparse=True)
