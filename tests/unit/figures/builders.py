"""Tables to draw in tests, small and of known content."""

import itertools
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
import yaml

from featprune.config import resolve
from featprune.tables.frames import AXES, MEASURES, RUN
from featprune.theory.registry import RESULTS
from tests.unit.configs import CHOICES, SCHEMA, written

ROOT = Path(__file__).parents[3]
ALPHAS = (0.1, 1.0, 10.0)
STEPS = (0, 1, 10, 100)
PAIRS = [
    ("snip", "init"),
    ("snip_iterative", "init"),
    ("magnitude", "init"),
    ("magnitude", "none"),
    ("magnitude", "lr"),
]
CONTROLS = [("shuffled", "init"), ("ticket", "same_sign"), ("new", "late")]
VERDICTS = ("holds", "fails", "undecided")


def strategies(rewinds, rounds, criteria=("magnitude",)):
    return itertools.product(criteria, rewinds, range(1, rounds + 1))


def make_tuned(runs=None, alphas=ALPHAS, rounds=4, seeds=4, regression=False):
    """A table `tuned` of the pairs in `runs`, in which one run of SNIP and one of random rewinding have diverged.

    There is a dense network trained as long as the runs of each round. Accuracies are null in a regression.
    """
    rng = np.random.default_rng(0)
    pairs = [("magnitude", rewind) for rewind in ("init", "random", "none")] if runs is None else runs
    kinds = [("dense", "dense", 0), *strategies(["none"], rounds, ["dense"])]
    kinds += [(*pair, number) for pair in pairs for number in range(1, rounds + 1)]
    rows = [
        (alpha, 0.3 if number % 2 else 1.0, criterion, rewind, number, seed, rng.uniform(0.9, 0.98))
        for alpha, (criterion, rewind, number), seed in itertools.product(alphas, kinds, range(seeds))
    ]
    table = pd.DataFrame(rows, columns=[*AXES, "seed", "test_accuracy"]).assign(experiment="demo")
    table["density"] = 0.5 ** table["round"].where(table["criterion"] != "dense", 0)
    table["test_loss"] = rng.uniform(0.01, 0.2, len(table))
    lost = (table[["round", "seed", "alpha"]] == [rounds, 3, alphas[-1]]).all(axis=1)
    lost &= (table["criterion"] == "snip") | (table["rewind"] == "random")
    accuracy = table["test_accuracy"].mask(lost | regression)
    table = table.assign(diverged=lost, test_loss=table["test_loss"].mask(lost), test_accuracy=accuracy)
    stop = pd.Series(rng.integers(100, 900, len(table)), dtype="Int32").mask(lost)
    return table.assign(early_stop_step=stop, early_stop_test_accuracy=accuracy - 0.01)


def make_headline(rounds=3, seeds=4):
    """The tables `headline` and `headline_difference`; of other comparisons than `gain` the numbers are far off."""
    rng = np.random.default_rng(1)
    grid = itertools.product(("baseline", "ours"), range(1, rounds + 1), range(seeds))
    gain = pd.DataFrame(grid, columns=["side", "round", "seed"]).assign(comparison="gain", lr=1.0)
    gain = gain.assign(density=0.5 ** gain["round"], alpha=np.where(gain["side"] == "ours", 0.3, 1.0))
    gain = gain.assign(criterion="magnitude", rewind="init", test_accuracy=rng.uniform(0.9, 1, len(gain)))
    other = gain.assign(comparison="gain_fixed_lr", test_accuracy=0.1, alpha=30.0)
    difference = pd.DataFrame({"comparison": "gain", "round": range(1, rounds + 1), "difference": 0.01})
    difference = difference.assign(
        ci_low=[-0.01, *[0.005] * (rounds - 1)], ci_high=0.02, density=0.5 ** difference["round"]
    )
    beside = difference.assign(comparison="alpha_effect", difference=0.5, ci_low=0.4, ci_high=0.6)
    return {"headline": pd.concat([gain, other]), "headline_difference": pd.concat([difference, beside])}


def make_ablation(criteria=("fisher", "preactivation", "lamp"), rounds=(2, 4), alphas=(1.0,)):
    """A table `ablation`: the first criterion gains at each round, of the others the interval holds zero."""
    grid = itertools.product(alphas, enumerate(criteria), rounds)
    rows = [
        (
            alpha,
            criterion,
            "init",
            round,
            0.5**round,
            8,
            0.01 if number == 0 else -0.002,
            0.004 * (1 if number == 0 else -1),
        )
        for alpha, (number, criterion), round in grid
    ]
    columns = ["alpha", "criterion", "rewind", "round", "density", "n_seeds", "difference", "ci_low"]
    return pd.DataFrame(rows, columns=columns).assign(experiment="demo", ci_high=0.02, p_value=0.1)


def make_rivals(rivals=(("lth", 1.0), ("global", 1.0)), rounds=(2, 4), alphas=(1.0,)):
    """A table `rivals`: the first rival is beaten by one point, the others by two."""
    rows = [
        (alpha, *rival, round, 0.5**round, 0.01 if number == 0 else 0.02, 0.005, number == 0)
        for alpha, (number, rival), round in itertools.product(alphas, enumerate(rivals), rounds)
    ]
    columns = ["alpha", "rival", "rival_alpha", "round", "density", "difference", "ci_low", "hardest"]
    table = pd.DataFrame(rows, columns=columns).assign(experiment="demo", n_seeds=8, ci_high=0.03, p_value=0.001)
    return table.assign(p_adjusted=np.where(table["hardest"], 0.002, np.nan))


def make_best_of(kinds=(("dense", "dense"), ("magnitude", "init"), ("fisher", "init")), alphas=(1.0,)):
    """A table `best_of`."""
    rows = [(a, *kind, k, 3, 0.9 + 0.01 * k) for a, kind, k in itertools.product(alphas, kinds, (1, 2, 3))]
    columns = ["alpha", "criterion", "rewind", "k", "n", "expected"]
    return pd.DataFrame(rows, columns=columns).assign(experiment="demo")


def make_curves(alphas=ALPHAS, lrs=(1.0,), seeds=3):
    """A table `learning_curves` of the dense network, two tickets, and a fine-tuned network that is not shown."""
    rng = np.random.default_rng(2)
    runs = [("dense", "dense", 0), ("magnitude", "init", 1), ("magnitude", "init", 2), ("magnitude", "none", 1)]
    grid = itertools.product(alphas, lrs, runs, range(seeds), STEPS, ("train", "validation", "test"))
    rows = [(alpha, lr, *run, *rest) for alpha, lr, run, *rest in grid]
    table = pd.DataFrame(rows, columns=[*AXES, "seed", "step", "split"]).assign(experiment="demo", accuracy=0.9)
    return table.assign(density=0.5 ** table["round"], loss=rng.uniform(0.1, 2, len(rows)))


def choose(curves, lr=1.0):
    """A table `tuned` for these curves, in which this lr is everywhere the one chosen."""
    return curves.loc[curves["lr"] == lr, RUN].drop_duplicates()


def make_features(alphas=ALPHAS, rewinds=("random", "init"), rounds=3, seeds=4, lrs=(1.0,)):
    """A table `features` of two hidden layers and an output; densities are a quarter to the power of the round.

    Every run has both targets but itself, with other values.
    """
    rng = np.random.default_rng(0)
    references = [("dense", rewind, 0) for rewind in ("dense", "reordered", "reinitialized")]
    runs = [*references, *strategies(rewinds, rounds)]
    grid = itertools.product(alphas, lrs, runs, range(seeds), STEPS, (1, 2, 3), ("dense", "reordered"))
    rows = [(alpha, lr, *run, *rest) for alpha, lr, run, *rest in grid if run[1] != rest[-1]]
    table = pd.DataFrame(rows, columns=[*AXES, "seed", "step", "layer", "target"])
    table = table.assign(experiment="demo", density=0.25 ** table["round"], units=20, dead=2, dead_dense=0, shared=18)
    changes = {"change_shared": 18, "change_alive": 20, "movement": 1.0}
    return table.assign(**changes, **{name: rng.uniform(0.1, 0.9, len(table)) for name in MEASURES})


def make_richness(alphas=ALPHAS, rounds=3, seeds=4, lrs=(1.0,)):
    """A table `richness`; the layers' own values and those of other strategies are far from the networks'."""
    rng = np.random.default_rng(1)
    runs = [("dense", "dense", 0), *strategies(["init"], rounds), ("magnitude", "none", 1)]
    measures = [("weight_movement", 0), ("weight_movement", 1)]
    measures += [(name, 0) for name in ("kernel_movement", "kernel_trace", "linearization_error")]
    grid = itertools.product(alphas, lrs, runs, range(seeds), STEPS, measures)
    rows = [(alpha, lr, *run, seed, step, layer, name) for alpha, lr, run, seed, step, (name, layer) in grid]
    table = pd.DataFrame(rows, columns=[*AXES, "seed", "step", "layer", "measure"])
    table = table.assign(experiment="demo", density=0.25 ** table["round"], value=rng.uniform(1, 2, len(rows)))
    return table.assign(value=table["value"].mask((table["layer"] > 0) | (table["rewind"] == "none"), 1e6))


def make_connectivity(alphas=ALPHAS, rounds=3, seeds=4, lrs=(1.0,), twins=True, regression=False):
    """A table `connectivity`; barriers of the training split are far off."""
    rng = np.random.default_rng(4)
    pairs = [("dense_dense", 0), *itertools.product(["ticket_dense", "ticket_ticket"], range(1, rounds + 1))]
    grid = itertools.product(alphas, lrs, pairs, range(seeds), ("train", "test"))
    rows = [(alpha, lr, *pair, *rest) for alpha, lr, pair, *rest in grid if twins or pair[0] != "ticket_ticket"]
    table = pd.DataFrame(rows, columns=["alpha", "lr", "pair", "round", "seed", "split"]).assign(experiment="demo")
    table = table.assign(density=0.25 ** table["round"])
    for value, most in (("loss", 2.0), ("error", 0.5)):
        barrier = rng.uniform(0, most, len(table)) + 100 * (table["split"] == "train")
        table[f"{value}_barrier"] = np.nan if regression and value == "error" else barrier
    return table


def make_layer_density(pairs=PAIRS, rounds=4, seeds=4):
    """A table `layer_density` of three layers. SNIP empties the third in round 3 (in seed 0), and in round 4 the second
    too. Another alpha and another lr have other densities.
    """
    rng = np.random.default_rng(1)
    rows = []
    for (criterion, rewind), number, seed in itertools.product(pairs, range(1, rounds + 1), range(seeds)):
        shares = 0.5**number * rng.uniform(0.5, 1.5, 3)
        if criterion == "snip":
            shares[2] *= not (number == 4 or (number, seed) == (3, 0))
            shares[1] *= number != 4
        for layer, (alpha, lr) in itertools.product((1, 2, 3), [(1.0, 1.0), (1.0, 0.3), (0.1, 1.0)]):
            share = shares[layer - 1] if alpha == lr else 0.001
            rows.append((alpha, lr, criterion, rewind, number, seed, layer, share))
    table = pd.DataFrame(rows, columns=[*AXES, "seed", "layer", "layer_density"])
    return table.assign(experiment="demo", density=0.5 ** table["round"])


def make_records(baseline=True, compressed=True):
    """A table `records` of three kinds, of which random re-draws aren't shown; two published points nearly coincide."""
    sides = [("ours", "preactivation", "init"), ("ours", "magnitude", "none"), ("ours", "magnitude", "random")]
    sides += [("baseline" if baseline else "ours", "magnitude", "init")]
    against = {"density": 0.5, "bytes": 20_000.0} if compressed else {"density": 0.5}
    grid = itertools.product(against, enumerate(sides, 2), range(1, 5), (1.0, 30.0))
    rows = [
        {"side": side, "experiment": "lth" if side == "baseline" else "demo", "alpha": alpha, "lr": 3.3, "n_seeds": 4}
        | {"criterion": criterion, "rewind": rewind, "round": number, "against": what}
        | {"kept": against[what] * 0.5**number, "error": 0.004 * number * place * alpha}
        for what, (place, (side, criterion, rewind)), number, alpha in grid
    ]
    points = [("A", 0.08, 0.0159, None), ("B", 0.08, 0.0158, 9000), ("C", 0.02, 0.02, None), ("B", 0.05, 0.02, 5000)]
    rows += [
        {"side": "published", "against": what, "kept": kept, "error": error, "method": method, "year": 2015}
        | {"source": "table 1", "checked": "as quoted there" if method == "C" else "paper"}
        for method, density, error, size in points
        for what, kept in (("density", density), ("bytes", size))
        if kept
    ]
    table = pd.DataFrame(rows).astype({"year": "Int32", "round": "Int32"})
    return table.assign(ci_low=0.9 * table["error"], ci_high=1.2 * table["error"])


def make_compression(rewinds=("none", "init"), rounds=3, seeds=4, bits=(6, 4)):
    """A table `compression`; codes in hidden layers have the first width of `bits` in seed 0, else the second."""
    rng = np.random.default_rng(2)
    grid = itertools.product((0.1, 1.0), rewinds, range(1, rounds + 1), range(seeds))
    table = pd.DataFrame(grid, columns=["alpha", "rewind", "round", "seed"])
    table = table.assign(hidden_bits=np.where(table["seed"] == 0, *bits), output_bits=bits[0])
    table = table.assign(experiment="demo", lr=1.0, criterion="magnitude")
    table = table.assign(density=0.5 ** table["round"], original_bytes=10_000)
    for stage, low, high in (("pruned", 4000, 5000), ("quantized", 1000, 2000), ("huffman", 200, 900)):
        table[f"{stage}_bytes"] = rng.integers(low, high, len(table)) // table["round"]
    return table.assign(**{f"{s}_accuracy": rng.uniform(0.9, 1, len(table)) for s in ("dense", "pruned", "quantized")})


def make_transfer(alphas=ALPHAS, rounds=5, seeds=3, regression=False):
    """A table `transfer`: at each cell one lr, chosen on validation, which isn't everywhere the same."""
    rng = np.random.default_rng(3)
    grid = itertools.product(alphas, alphas, range(1, rounds + 1), range(seeds))
    table = pd.DataFrame(grid, columns=["mask_alpha", "alpha", "round", "seed"]).assign(experiment="demo")
    table = table.assign(lr=np.where(table["alpha"] > 1, 0.3, 1.0), density=0.5 ** table["round"])
    for name in ("test_accuracy", "validation_accuracy"):
        table[name] = np.nan if regression else rng.uniform(0.9, 0.95, len(table))
    return table.assign(test_loss=rng.uniform(0.1, 0.9, len(table)))


def make_pixels(pixels=16, rewinds=("init", "random"), rounds=9):
    rows = [
        (1.0, 1.0, *run, seed, pixel, seed * pixel)
        for run, seed, pixel in itertools.product(strategies(rewinds, rounds), (0, 2), range(pixels))
    ]
    table = pd.DataFrame(rows, columns=[*AXES, "seed", "pixel", "survivors"])
    return table.assign(experiment="demo", density=0.8 ** table["round"])


def make_claims(alphas=(0.1, 1.0), rewinds=("init", "random"), compared=(2, 4), hypothesis=True, gain=True):
    """A table `claims` of 4 rounds; every estimate differs. SNIP, statistics beside and other rates are noise.

    Networks are better than dense ones at round 2 of alphas above 0.5.
    """
    verdicts, rows = itertools.cycle(VERDICTS), []

    def add(claim, statistic, estimate, half, **more):
        verdict = next(verdicts)
        rows.append({"claim": claim, "statistic": statistic, "estimate": estimate, "verdict": verdict, **more})
        rows[-1] |= {"ci_low": estimate - half, "ci_high": estimate + half, "null_estimate": 0.0, "decides": True}

    pairs = [*(("magnitude", rewind) for rewind in rewinds), ("snip", "init")]
    for index, ((criterion, rewind), alpha, number) in enumerate(itertools.product(pairs, alphas, range(1, 5))):
        cell = {"alpha": alpha, "criterion": criterion, "rewind": rewind, "round": number, "density": 0.5**number}
        add("1", "at_least_as_good", 0.0123 * (1 + index) * (-1) ** index, 0.01, lr=0.3, **cell)
        better = "holds" if number == 2 and alpha > 0.5 else "undecided"
        rows.append({**rows[-1], "statistic": "better", "estimate": 9.0, "decides": False, "verdict": better})
        for claim, lr in itertools.product("23" if number in compared and criterion != "snip" else "", (1.0, 30.0)):
            statistic = "correlation" if claim == "2" else "change_correlation"
            add(claim, statistic, int(claim) + 0.01 * index if lr == 1 else 8.0, 0.1, lr=lr, **cell)
    for index, (criterion, rewind) in enumerate(pairs if hypothesis else []):
        statistic = "messier" if index else "interaction"
        add("hypothesis", statistic, 0.1 + 0.2 * index, 0.15, criterion=criterion, rewind=rewind)
    for number in range(4 if gain else 0):
        add("headline", "gain", 0.01 * number, 0.02, criterion="magnitude", rewind="init", round=number)
        rows[-1]["density"] = 0.5**number
    return pd.DataFrame(rows).assign(experiment="demo").astype({"round": "Int32"}).sample(frac=1, random_state=0)


def make_overlap(alphas=(0.1, 0.3, 1.0, 10.0), seeds=3, units=20):
    """Two tickets and the dense network. In the tickets unit 0 has no weights; seed 2 of the first diverges."""
    rng = np.random.default_rng(0)
    rows = []
    runs = [("dense", "dense", 0, 1.0), ("magnitude", "init", 1, 0.5), ("magnitude", "init", 2, 0.12)]
    for (criterion, rewind, number, density), alpha, seed in itertools.product(runs, alphas, range(seeds)):
        for unit, step in itertools.product(range(units), STEPS):
            lost, diverged = number and not unit, number == 1 and seed == 2 and step > 1 and unit > 3
            strength = np.nan if diverged else 0.0 if lost else rng.uniform(0.1, 2)
            for k, overlap in enumerate(rng.uniform(-1, 1, 3)):
                overlap = np.nan if lost or diverged else overlap
                run = (alpha, 1.0, criterion, rewind, number, density, seed, step, unit, k, overlap, strength)
                rows.append((*run, 0 if lost else (unit * (7 + number)) % 11))
    columns = [*AXES, "density", "seed", "step", "unit", "teacher_unit", "overlap", "strength", "survivors"]
    return pd.DataFrame(rows, columns=columns).assign(experiment="demo")


def make_preactivations(rewinds=("init", "none"), units=6, samples=9):
    """Networks at 2 alphas. A ticket is 2 times the dense network but has lost unit 0; `none` is minus the dense."""
    rng = np.random.default_rng(1)
    rows = []
    for alpha, step, sample, unit in itertools.product((1.0, 30.0), STEPS, range(samples), range(units)):
        value = rng.normal()
        for name in ("dense", *rewinds):
            mine = {"dense": value, "init": 2 * value * (unit > 0), "none": -value}.get(name, rng.normal())
            rows.append((alpha, name, step, sample, (sample * 4) % samples / 10, unit, mine))
    table = pd.DataFrame(rows, columns=["alpha", "rewind", "step", "sample", "label", "unit", "preactivation"])
    dense = table["rewind"] == "dense"
    table = table.assign(criterion=np.where(dense, "dense", "magnitude"), density=np.where(dense, 1.0, 0.12))
    return table.assign(round=3 * ~dense, lr=1.0, layer=1, seed=0, experiment="demo").sample(frac=1, random_state=0)


def make_tables():
    """A table of each name that a figure reads; `tuned` has the runs of `learning_curves`, too."""
    return {name: table.copy() for name, table in _made_tables().items()}


@cache
def _made_tables():
    return {
        "tuned": make_tuned(PAIRS),
        **make_headline(),
        "ablation": make_ablation(),
        "rivals": make_rivals(),
        "best_of": make_best_of(),
        "learning_curves": make_curves(lrs=(0.3, 1.0)),
        "features": make_features(),
        "richness": make_richness(),
        "connectivity": make_connectivity(),
        "layer_density": make_layer_density(),
        "compression": make_compression(),
        "records": make_records(),
        "transfer": make_transfer(),
        "pixel_mask": make_pixels(),
        "claims": make_claims(),
        "overlap": make_overlap(),
        "preactivations": make_preactivations(),
    }


def tables_of(name):
    """What the figure of that name may read: of an additional experiment its own, of the size of the smoke preset."""
    return {table: frame.copy() for table, frame in measure(name).items()} if name in RESULTS else make_tables()


@cache
def measure(name):
    """The tables of an additional experiment."""
    smoke = yaml.safe_load((ROOT / "presets/smoke.yaml").read_text(encoding="utf-8"))
    return RESULTS[name].measure(resolve(written() | {"theory": smoke["theory"]}, SCHEMA, CHOICES)["theory"][name])
