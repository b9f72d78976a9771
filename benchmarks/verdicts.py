"""How often the rules of the claims are wrong, by simulation: `python -m benchmarks.verdicts`.

Prints a row a rule and case: the share of studies in which it holds or fails where neither is right (the truth lies at
the edge, or there is nothing to be found), and the share in which the interval covers the truth. Both are to be read
against the level and the confidence; a rate of 5 % has a standard error of 1.5 at 200 studies.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import product

import numpy as np
import pandas as pd
from scipy import stats

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


def made_study(rng: np.random.Generator, shape: tuple[int, int, int], truth: str, noise: str) -> np.ndarray:
    """Values (alphas, densities, seeds) with the effects of a truth, and noise of this kind."""
    a, d, n = shape
    rows, columns = (np.linspace(-1, 1, size) / np.linspace(-1, 1, size).std() for size in (a, d))
    (of_alpha, both), (own, kept, added) = TRUTHS[truth], NOISES[noise]
    scale = np.r_[np.ones(d - 1), 2.0 if noise == "doubled" else 1.0][:, None]
    values = (of_alpha * rows[:, None] + both * rows[:, None] * columns)[..., None] + rng.standard_normal(n)
    values = values + own * scale * rng.standard_normal(shape) + kept * rng.standard_normal((a, 1, n))
    return values + added * rng.standard_normal(shape).cumsum(axis=1)


def hypothesis_rates(shape: tuple[int, int, int], truth: str, noise: str, studies: int, seed: int = 0) -> pd.DataFrame:
    """Of every statistic of the hypothesis: the shares of studies in which it holds, fails, and covers."""
    rng = np.random.default_rng(seed)
    parts = [decompose(made_study(rng, shape, truth, noise)) for _ in range(studies)]
    of_alpha, both = TRUTHS[truth]
    share = both**2 / (both**2 + of_alpha**2) if of_alpha else np.nan
    truths = {"alpha_effect": of_alpha, "interaction_effect": both, "interaction": share}
    asked = [(name, truths[name], q, [(part,) for part in parts]) for name, q in questions(0.25).items()]
    pairs = list(zip(parts, parts[1:] + parts[:1], strict=True))  # two strategies of which the same is true
    asked += [(name, 0.0, question, pairs) for name, question in COMPARED.items()]
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
    table = pd.DataFrame(rows, index=["holds", "fails", "covers"]).T
    table["covers"] = table["covers"].mask(table.index.isin(["interaction", "messier"]) & np.isnan(share))
    return table


def rates(
    draw: Callable[[np.random.Generator], tuple[Evidence, tuple[float, float]]], truth: float, studies: int
) -> dict[str, float]:
    """The same of a rule: draw gives the evidence and the interval of a study."""
    rng = np.random.default_rng(0)
    found = [draw(rng) for _ in range(studies)]
    return {
        "holds": np.mean([evidence.p_holds < LEVEL for evidence, _ in found]),
        "fails": np.mean([evidence.p_fails < LEVEL for evidence, _ in found]),
        "covers": np.mean([low <= truth <= high for _, (low, high) in found]),
    }


def mean_rules() -> dict[str, tuple[Callable[[Sample], Evidence], float, float]]:
    """Rule -> what it says of a sample, the mean at its edge, and the confidence of its interval."""
    m, power = RULES.margins.accuracy, RULES.power
    return {
        "at_least_as_good": (lambda s: above(s, -m, power), -m, RULES.one_sided),
        "as_good": (lambda s: within(s, m, power), m, RULES.one_sided),
        "better": (lambda s: above(s, 0.0, power), 0.0, RULES.one_sided),
        "headline, no gain": (lambda s: gain(s, RULES), 0.0, RULES.two_sided),
        "headline, gain at the margin": (lambda s: gain(s, RULES), m, RULES.two_sided),
    }


def made_ratio(rng: np.random.Generator, n: int, noise: float, ratio: float = 0.8) -> tuple[np.ndarray, np.ndarray]:
    """value - null and ceiling - null of n seeds, 0.4 apart, each of the three with this noise."""
    value, low, high = np.array([ratio * 0.4, 0.0, 0.4])[:, None] + noise * rng.standard_normal((3, n))
    return value - low, high - low


def of_contrast(way: np.ndarray, whole: np.ndarray) -> tuple[Evidence, tuple[float, float]]:
    """The rule of claims 2 and 3."""
    return scaled(way, whole, RULES), ratio_interval(way, whole, RULES.one_sided)


def of_ratios(way: np.ndarray, whole: np.ndarray) -> tuple[Evidence, tuple[float, float]]:
    """What it replaces: a t test of each seed's own ratio."""
    sample = Sample.of(way / whole)
    return above(sample, 0.8, RULES.power), sample.interval(RULES.one_sided)


def family_rates(rows: int, studies: int, n: int = 8) -> dict[str, float]:
    """The shares of families of rows, all at their edge, in which any holds, or any fails, with Holm's correction."""
    rng = np.random.default_rng(0)
    found = []
    for _ in range(studies):
        samples = [Sample.of(rng.standard_normal(n)) for _ in range(rows)]
        row = Row(claim="1", decides=True)
        findings = [row.found(s.mean, (0.0, 0.0), above(s, 0.0, RULES.power)) for s in samples]
        found.append(
            {row.verdict for row in judged([f._replace(evidence=without_seeds(f.evidence)) for f in findings], RULES)}
        )
    return {
        name: np.mean([verdict in verdicts for verdicts in found]) for name, verdict in ((HOLDS, HOLDS), (FAILS, FAILS))
    }


def without_seeds(evidence: Evidence) -> Evidence:
    """The same without the search for the seeds that are needed."""
    return Evidence(evidence.p_holds, evidence.p_fails)


def cases(studies: int) -> Iterator[dict]:
    """The rows of the table."""
    for (name, shape), truth, noise in product(DESIGNS.items(), TRUTHS, NOISES):
        table = hypothesis_rates(shape, truth, noise, studies)
        for rule, row in table.iterrows():
            yield {"rule": rule, "case": f"{name}, truth {truth}, noise {noise}", "studies": studies, **row}
    for (rule, (asked, edge, confidence)), n, noise in product(mean_rules().items(), (4, 8), (0.002, 0.02)):

        def draw(rng: np.random.Generator) -> tuple[Evidence, tuple[float, float]]:
            sample = Sample.of(edge + noise * rng.standard_normal(n))
            return asked(sample), sample.interval(confidence)

        yield {"rule": rule, "case": f"{n} seeds, noise {noise}", "studies": 5000, **rates(draw, edge, 5000)}
    for (rule, asked), n, noise in product(
        {"contrast": of_contrast, "ratios": of_ratios}.items(), (4, 8), (0.05, 0.15)
    ):
        found = rates(lambda rng: asked(*made_ratio(rng, n, noise)), 0.8, 3000)
        yield {"rule": f"claims 2 and 3, {rule}", "case": f"{n} seeds, noise {noise}", "studies": 3000, **found}
    for rows in (1, 9):
        yield {"rule": "Holm", "case": f"{rows} rows at the edge", "studies": 1000, **family_rates(rows, 1000)}


def main() -> None:
    table = pd.DataFrame(cases(200))
    print(table.to_markdown(index=False, floatfmt=".3f"))


if __name__ == "__main__":
    main()
