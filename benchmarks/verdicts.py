"""How often the rules of the claims are wrong, by simulation: `python -m benchmarks.verdicts`.

Prints a row a rule and case: the share of studies in which it holds or fails where neither is right (the truth lies at
the edge, or there is nothing to be found), and the share in which the interval covers the truth. Both are to be read
against the level and the confidence: a rate of 5 % has a standard error of 1.5 in the hypothesis' 200 studies, of 0.5
in 2,000.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import product

import numpy as np
import pandas as pd

from featprune.claims.decomposition import decompose
from featprune.claims.headline import gain
from featprune.claims.hypothesis import COMPARED, questions
from featprune.claims.inference import Evidence, Sample, above, ratio_interval, within
from featprune.claims.row import Row, judged
from featprune.claims.rules import Margins, Rules
from featprune.claims.same_features import scaled
from featprune.claims.verdicts import FAILS, HOLDS

RULES = Rules(Margins(accuracy=0.005, loss=1.25, features=0.2, time=1.5, interaction=0.25), 0.05, 0.8, frozenset())
LEVEL = RULES.level
DESIGNS = {"5 x 8 x 8": (5, 8, 8), "4 x 3 x 8": (4, 3, 8)}  # alphas, densities, seeds
# Root-mean-square effects of alpha and of its interaction with density; both: the share is at its margin.
TRUTHS = {"none": (0.0, 0.0), "alpha": (0.6, 0.0), "both": (0.6, 0.6 / np.sqrt(3))}
# Deviations of the noise of each network, of what a chain keeps at all densities, and of what it adds at each.
NOISES = {
    "independent": (1.0, 0.0, 0.0),
    "kept": (0.1, 1.0, 0.0),
    "both": (1.0, 1.0, 0.0),
    "walk": (0.1, 0.0, 0.5),  # correlated more at near densities, so that sphericity is violated
    "doubled": (1.0, 0.0, 0.0),  # at the lowest density: so too
}


def effects(shape: tuple[int, int, int], truth: str) -> np.ndarray:
    """The effects of a truth, (alphas, densities, 1)."""
    rows, columns = (np.linspace(-1, 1, size) / np.linspace(-1, 1, size).std() for size in shape[:2])
    of_alpha, both = TRUTHS[truth]
    return (of_alpha * rows[:, None] + both * rows[:, None] * columns)[..., None]


def made_noise(rng: np.random.Generator, shape: tuple[int, int, int], noise: str) -> np.ndarray:
    """Noise of this kind, (alphas, densities, seeds), with what a seed has everywhere."""
    a, d, n = shape
    own, kept, added = NOISES[noise]
    scale = np.r_[np.ones(d - 1), 2.0 if noise == "doubled" else 1.0][:, None]
    values = rng.standard_normal(n) + own * scale * rng.standard_normal(shape) + kept * rng.standard_normal((a, 1, n))
    return values + added * rng.standard_normal(shape).cumsum(axis=1)


def hypothesis_rates(shape: tuple[int, int, int], truth: str, noise: str, studies: int, seed: int = 0) -> pd.DataFrame:
    """Of every statistic of the hypothesis: the shares of studies in which it holds, fails, and covers."""
    rng, true = np.random.default_rng(seed), effects(shape, truth)
    noises = [made_noise(rng, shape, noise) for _ in range(studies)]
    parts = [decompose(true + one) for one in noises]
    of_alpha, both = TRUTHS[truth]
    share = both**2 / (both**2 + of_alpha**2) if of_alpha else np.nan
    truths = {"alpha_effect": of_alpha, "interaction_effect": both, "interaction": share}
    asked = [(name, truths[name], q, [(part,) for part in parts]) for name, q in questions(0.25).items()]
    # Two strategies of which the same is true: independent of each other, or with half of the noise's variance in
    # common, as they share seeds, initial values and a dense network.
    pairs = list(zip(parts, parts[1:] + parts[:1], strict=True))
    alike = [true + (one + other) / np.sqrt(2) for one, other in zip(noises, noises[1:] + noises[:1], strict=True)]
    related = [(part, decompose(other)) for part, other in zip(parts, alike, strict=True)]
    for name, question in COMPARED.items():
        asked += [(name, 0.0, question, pairs), (f"{name}, related", 0.0, question, related)]
    rows = {}
    for name, value, question, sides in asked:
        found = [
            (
                question.holds(LEVEL, *side),
                question.fails(LEVEL, *side),
                (size := question.size(*side)).low(LEVEL) <= value + 1e-9 and value - 1e-9 <= size.high(LEVEL),
            )
            for side in sides
        ]
        rows[name] = np.mean(found, axis=0)
    table = pd.DataFrame(rows, index=[HOLDS, FAILS, "covers"]).T
    # Without an effect of alpha there is no share of it.
    shares = table.index.isin(["interaction", "messier", "messier, related"])
    table["covers"] = table["covers"].mask(shares & np.isnan(share))
    return table


def rates(draw: Callable[[], tuple[Evidence, tuple[float, float]]], truth: float, studies: int) -> dict[str, float]:
    """The same of a rule: draw gives the evidence and the interval of a study."""
    found = [draw() for _ in range(studies)]
    return {
        HOLDS: np.mean([evidence.p_holds < LEVEL for evidence, _ in found]),
        FAILS: np.mean([evidence.p_fails < LEVEL for evidence, _ in found]),
        "covers": np.mean([low <= truth <= high for _, (low, high) in found]),
    }


# Rule -> what it says of a sample, the mean at its edge, and the confidence of its interval.
MARGIN, POWER = RULES.margins.accuracy, RULES.power
MEAN_RULES: dict[str, tuple[Callable[[Sample], Evidence], float, float]] = {
    "at_least_as_good": (lambda sample: above(sample, -MARGIN, POWER), -MARGIN, RULES.one_sided),
    "as_good": (lambda sample: within(sample, MARGIN, POWER), MARGIN, RULES.one_sided),
    "better": (lambda sample: above(sample, 0.0, POWER), 0.0, RULES.one_sided),
    "headline, no gain": (lambda sample: gain(sample, RULES), 0.0, RULES.two_sided),
    "headline, gain at the margin": (lambda sample: gain(sample, RULES), MARGIN, RULES.two_sided),
}


def mean_rates(rule: str, n: int, noise: float, studies: int) -> dict[str, float]:
    """Of a rule on the mean of n seeds with this noise, at its edge."""
    (asked, edge, confidence), rng = MEAN_RULES[rule], np.random.default_rng(0)

    def draw() -> tuple[Evidence, tuple[float, float]]:
        sample = Sample.of(edge + noise * rng.standard_normal(n))
        return asked(sample), sample.interval(confidence)

    return rates(draw, edge, studies)


def of_contrast(way: np.ndarray, whole: np.ndarray) -> tuple[Evidence, tuple[float, float]]:
    """The rule of claims 2 and 3."""
    return scaled(way, whole, RULES), ratio_interval(way, whole, RULES.one_sided)


def of_ratios(way: np.ndarray, whole: np.ndarray) -> tuple[Evidence, tuple[float, float]]:
    """What it replaces: a t test of each seed's own ratio."""
    sample = Sample.of(way / whole)
    return above(sample, 1 - RULES.margins.features, POWER), sample.interval(RULES.one_sided)


RATIO_RULES = {"contrast": of_contrast, "ratios": of_ratios}


def ratio_rates(rule: str, n: int, noise: float, studies: int) -> dict[str, float]:
    """Of a rule on value - null over ceiling - null at its edge, the latter being 0.4, and each of the three noisy."""
    ratio, rng = 1 - RULES.margins.features, np.random.default_rng(0)

    def draw() -> tuple[Evidence, tuple[float, float]]:
        value, low, high = np.array([ratio * 0.4, 0.0, 0.4])[:, None] + noise * rng.standard_normal((3, n))
        return RATIO_RULES[rule](value - low, high - low)

    return rates(draw, ratio, studies)


def family_rates(rows: int, studies: int, n: int = 8) -> dict[str, float]:
    """The shares of families of rows, all at their edge, in which any holds, or any fails, with Holm's correction."""
    rng, row, verdicts = np.random.default_rng(0), Row(claim="1", decides=True), []
    for _ in range(studies):
        evidence = [above(Sample.of(rng.standard_normal(n)), 0.0, RULES.power) for _ in range(rows)]
        findings = [row.found(0.0, (0.0, 0.0), Evidence(e.p_holds, e.p_fails)) for e in evidence]
        verdicts.append({row.verdict for row in judged(findings, RULES)})
    return {verdict: np.mean([verdict in found for found in verdicts]) for verdict in (HOLDS, FAILS)}


def cases() -> Iterator[dict]:
    """The rows of the table."""
    for (name, shape), truth, noise in product(DESIGNS.items(), TRUTHS, NOISES):
        for rule, row in hypothesis_rates(shape, truth, noise, 200).iterrows():
            yield {"rule": rule, "case": f"{name}, effects: {truth}, noise: {noise}", **row}
    for rule, n, noise in product(MEAN_RULES, (4, 8), (0.002, 0.02)):
        yield {"rule": rule, "case": f"{n} seeds, noise {noise}", **mean_rates(rule, n, noise, 2000)}
    for rule, n, noise in product(RATIO_RULES, (4, 8), (0.05, 0.15)):
        yield {
            "rule": f"claims 2 and 3, {rule}",
            "case": f"{n} seeds, noise {noise}",
            **ratio_rates(rule, n, noise, 2000),
        }
    for rows in (1, 9):
        yield {"rule": "Holm", "case": f"{rows} rows at their edge", **family_rates(rows, 1000)}


def main() -> None:
    print(pd.DataFrame(cases()).to_markdown(index=False, floatfmt=".3f"))


if __name__ == "__main__":
    main()
