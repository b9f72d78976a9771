"""Made tables with planted truths, for the tests of claims."""

import itertools
from functools import cache

import numpy as np
import pandas as pd

from featprune.claims.headline import beats_baseline
from featprune.claims.row import judged
from featprune.claims.rules import Margins, Rules
from featprune.claims.table import aggregate_claims
from featprune.runs.paths import DENSE, REINITIALIZED, REORDERED, TICKET, Kind
from featprune.tables.frames import MEASURES
from featprune.tables.headline import headline
from featprune.tables.performance import SUMMARY_TYPES
from featprune.tables.tuning import tune

MARGINS = Margins(accuracy=0.005, loss=1.25, features=0.2, time=1.5, interaction=0.25)
RULES = Rules(MARGINS, 0.05, 0.8, frozenset(range(1, 9)))
CONFIG = {"margins": vars(MARGINS), "level": 0.05, "power": 0.8}  # the same as it is written

RANDOM, NONE = Kind("magnitude", "random"), Kind("magnitude", "none")
NULL, CEILING = REINITIALIZED, DENSE  # of comparisons with the reordered dense run
STEPS = (0, 1, 4, 32, 100)


def made_summary(level, kinds=(TICKET,), *, alphas=(1.0,), lrs=(1.0,), rounds=(1,), seeds=5, noise=3e-4, seed=0):
    """A summary whose accuracy is level(kind, alpha, lr, round), plus the seed's own, plus noise.

    On validation there is no noise, so that what is chosen there is known. No two losses are the same.
    """
    rng, losses = np.random.default_rng(seed), np.random.default_rng((seed, 1))
    own = 0.01 * np.random.default_rng(7).standard_normal(seeds)
    runs = [(DENSE, 0), *itertools.product(kinds, rounds)]
    rows = []
    for (kind, round), alpha, lr, s in itertools.product(runs, alphas, lrs, range(seeds)):
        accuracy = level(kind, alpha, lr, round)
        point = {"alpha": alpha, "lr": lr, "criterion": kind[0], "rewind": kind[1], "round": round, "seed": s}
        test = accuracy + own[s] + noise * rng.standard_normal()
        rows.append(point | {"test_accuracy": test, "validation_accuracy": accuracy, "density": 0.5**round})
    table = pd.DataFrame(rows).assign(experiment="made", steps=100, total_steps=100, test_loss=losses.random(len(rows)))
    table["weights_remaining"] = 1024 * table["density"]
    table["validation_loss"] = table["test_loss"]
    table = table.assign(early_stop_step=1, early_stop_test_accuracy=0.5, diverged=False)
    return table[list(SUMMARY_TYPES)].astype(SUMMARY_TYPES)


def gaps(difference):
    """A level that differs from the dense network's by this."""
    return lambda kind, *_: 0.9 + (0 if kind == DENSE else difference)


def as_regression(summary):
    """The same with test errors whose logarithm is minus the accuracy."""
    nothing = dict.fromkeys(["test_accuracy", "validation_accuracy", "early_stop_test_accuracy"], np.nan)
    losses = {f"{split}_loss": np.exp(-summary[f"{split}_accuracy"]) for split in ("test", "validation")}
    return summary.assign(**nothing, **losses)


def at(table, **point):
    """Which rows are at this point."""
    return (table[list(point)] == pd.Series(point)).all(axis=1)


def planted(table, kind, values, **point):
    """The table with these test accuracies, one a seed."""
    here = at(table, criterion=kind[0], rewind=kind[1], **point)
    return table.assign(test_accuracy=table["test_accuracy"].mask(here, table["seed"].map(dict(enumerate(values)))))


def diverge(table, **point):
    """Lose the metrics of the runs at this point."""
    lost = at(table, **point)
    metrics = [name for name in table if name.startswith(("test_", "validation_"))]
    return table.assign(**{name: table[name].mask(lost) for name in metrics}, diverged=lost)


def made_features(
    value,
    null=0.1,
    ceiling=0.9,
    *,
    kind=TICKET,
    seeds=5,
    noise=0.005,
    units=10,
    dead=0,
    shared=None,
    parent=0.6,
    seed=0,
):
    """Features alike by value(step) for tickets, with two hidden layers; the output layer and step 0 say otherwise.

    That is with the reordered dense run as target; with the parent tickets are alike by `parent` of the way.
    """
    rng = np.random.default_rng(0)
    value = value if callable(value) else lambda step, value=value: value
    levels = {
        "reordered": {kind: value, NULL: lambda step: null, DENSE: lambda step: ceiling},
        "dense": {kind: lambda step: 0.2 + 0.6 * parent, NULL: lambda step: 0.2, REORDERED: lambda step: 0.8},
    }
    rows = []
    for target, s, step, layer in itertools.product(levels, range(seeds), STEPS, (1, 2, 3)):
        for (criterion, rewind), level in levels[target].items():
            row = {"target": target, "criterion": criterion, "rewind": rewind, "seed": s, "step": step, "layer": layer}
            silent = layer == 3 or step == 0
            for measure in MEASURES:
                # Layers differ, their mean is the level.
                alike = (0.5 if silent else level(step) + 0.05 * (2 * layer - 3)) + noise * rng.standard_normal()
                row[measure] = 1 - alike if measure == "frobenius" else alike
            rows.append(row)
    table = pd.DataFrame(rows).assign(experiment="made", alpha=1.0, lr=1.0, units=units, dead=0, dead_dense=dead)
    pruned = table["criterion"] == kind.criterion
    alive = units - dead
    table["shared"] = np.where(pruned, alive if shared is None else shared, alive)
    table["dead"] = units - table["shared"]
    table = table.assign(change_shared=table["shared"], change_alive=alive, movement=np.sqrt(table["step"]))
    return table.assign(density=np.where(pruned, 0.5, 1.0), round=np.where(pruned, 1, 0))


def made_shifts(shift, noise=0.05, seeds=5, seed=0):
    rng = np.random.default_rng(seed)
    rows = [
        {"criterion": c, "rewind": w, "round": r, "density": 0.5**r, "seed": s, "shift": at + noise * rng.normal()}
        for (c, w), r, at in ((TICKET, 1, shift), (NULL, 0, 1.5), (CEILING, 0, 0.1))
        for s in range(seeds)
    ]
    table = pd.DataFrame(rows).assign(experiment="made", alpha=1.0, lr=1.0, correlation=0.9, at_bound=False)
    other = table.assign(target="dense", shift=99.0, at_bound=True)
    return pd.concat([table.assign(target="reordered"), other], ignore_index=True)


PLAIN = made_summary(gaps(0))


def claims_of(summary=PLAIN, features=None, shifts=None, baseline=None, rules=RULES):
    if features is not None and shifts is None:
        shifts = made_shifts(0.0)
    both = None if baseline is None else headline(summary, baseline)
    return aggregate_claims(rules, tune(summary, ["lr"]), features, shifts, both)


def row(claims, claim, statistic, kind=None, **point):
    """The only row of this statistic and point."""
    point |= {"claim": claim, "statistic": statistic}
    if kind is not None:
        point |= dict(zip(("criterion", "rewind"), kind, strict=True))
    (found,) = claims[at(claims, **point)].to_dict("records")
    return found


def paired(summary, kind=TICKET, reference=DENSE):
    """Differences in accuracy, by hand."""
    sides = [
        summary[(summary["criterion"] == c) & (summary["rewind"] == w)].set_index("seed")["test_accuracy"]
        for c, w in (kind, reference)
    ]
    return (sides[0] - sides[1]).to_numpy()


def uniform(alpha, round):
    return 0.02 * np.log10(alpha) + 0.01 * round


def messy(alpha, round):
    return 0.02 * np.log10(alpha) * (-1) ** round


def swept(tickets, others, kinds=(TICKET, RANDOM), **more):
    """A sweep in which the tickets and the other strategies depend in these ways on alpha and round."""
    options = {"alphas": (0.1, 0.3, 1.0, 3.0), "rounds": (1, 2, 3, 4), "noise": 0.001} | more

    def level(kind, alpha, lr, round):
        return 0.8 + {DENSE: lambda *_: 0, TICKET: tickets}.get(kind, others)(alpha, round)

    return made_summary(level, kinds, **options)


def values_of(summary, kind):
    """Accuracies (alphas, densities, seeds)."""
    runs = summary[(summary["criterion"] == kind[0]) & (summary["rewind"] == kind[1])]
    axes = [sorted(runs[axis].unique()) for axis in ("alpha", "round", "seed")]
    return runs.set_index(["alpha", "round", "seed"])["test_accuracy"].sort_index().to_numpy().reshape(*map(len, axes))


def sides(gain, *, noise=5e-4, seeds=5, lrs=(1.0,), alphas=(0.3, 1.0), rounds=(1, 2)):
    """Ours and the baseline, which we beat by gain(alpha, lr, round)."""
    common = {"lrs": lrs, "rounds": rounds, "seeds": seeds, "noise": noise}
    ours = made_summary(lambda kind, alpha, lr, round: 0.9 + gain(alpha, lr, round), alphas=alphas, **common)
    return ours, made_summary(gaps(0), seed=1, **common)


def headlines(ours, baseline, rules=RULES):
    """Statistic -> its rows, by round."""
    rows = judged(beats_baseline(headline(ours, baseline), rules), rules)
    rows = pd.DataFrame([vars(row) for row in rows]).set_index("round")
    return dict(list(rows.groupby("statistic")))


def headline_rows(ours, baseline, rules=RULES):
    return headlines(ours, baseline, rules)["gain"]


def headline_gains(ours, baseline, alpha, lr=1.0):
    """round -> differences by seed, ours at one alpha and rate."""
    wide = [
        side[(side["lr"] == lr) & (side["alpha"] == a)].pivot(index="seed", columns="round", values="test_accuracy")
        for side, a in ((ours, alpha), (baseline, 1.0))
    ]
    return wide[0] - wide[1]


@cache
def everything(seeds=5, noise=0.004):
    """All claims, most of them undecided."""
    summary = swept(uniform, messy, seeds=seeds, noise=noise)
    baseline = made_summary(gaps(0), rounds=(1, 2, 3, 4), seeds=seeds, noise=noise)
    return claims_of(summary, made_features(0.72, noise=0.1, seeds=seeds), made_shifts(0.5, 0.3, seeds), baseline)
