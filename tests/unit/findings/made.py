"""Made publications of known content."""

import itertools
import json
from pathlib import Path

import numpy as np
import pandas as pd
import yaml

from featprune.findings.publication import Publication, read

ALPHAS, DENSITIES = (0.1, 1.0), (0.25, 0.05)
TICKET, RANDOM, NONE, REDRAWN = (
    ("magnitude", "init"),
    ("magnitude", "random"),
    ("magnitude", "none"),
    ("ticket", "random"),
)
TITLES = {"1": "at_least_as_good", "2": "correlation", "3": "change_correlation"}
TRAINING = {
    "steps": 8000,
    "optimizer": "adam",
    "lr": 1.2e-3,
    "batch_size": 60,
    "milestones": [],
    "evaluation_steps": 8,
    "evaluation_samples": None,
}
EXPERIMENT = {
    "dataset": "mnist",
    "model": {"hidden": [300, 100]},
    "training": TRAINING,
    "alphas": ["0.1", "1"],
    "lrs": ["0.33", "1"],
    "center": True,
    "headline": {"criterion": "fisher", "rewind": "init"},
    "pruning": {"scope": "per_layer", "rates": {"hidden": 0.2, "output": 0.1}},
}


def made_config(*experiments):
    return {
        "run": list(experiments),
        "datasets": {"mnist": {"source": "mnist", "options": {}}},
        "experiments": {name: EXPERIMENT for name in experiments},
    }


PROVENANCE = {
    "packages": {"numpy": "1.2.3", "absent": None},
    "commit": "0123456789abcdef",
    "uncommitted_changes": False,
    "python": "3.11.7",
    "took": {"jobs": 12, "core_hours": 3.25},
}


def made_claims(experiment="mnist", verdict="holds", **more):
    """A table `claims` in which all verdicts are the same: tickets, random re-draws and fine-tuned networks."""
    rows = []

    def add(claim, statistic, kind, estimate, decides=True, **where):
        row = {"claim": claim, "statistic": statistic, "criterion": kind[0], "rewind": kind[1], "decides": decides}
        rows.append(row | {"estimate": estimate, "ci_low": estimate - 0.001, "ci_high": estimate + 0.001} | where)

    for claim, kind, alpha, (number, density) in itertools.product(
        TITLES, (TICKET, RANDOM, NONE), ALPHAS, enumerate(DENSITIES, 1)
    ):
        where = {"alpha": alpha, "density": density, "round": number, "lr": 1.0}
        add(claim, TITLES[claim], kind, 0.01 * number * alpha, **where)
        add(claim, "beside", kind, 9.0, decides=False, **where)
    for kind in (TICKET, RANDOM, NONE):
        add("hypothesis", "interaction" if kind == TICKET else "messier", kind, 0.12)
        for statistic, size in (("alpha_effect", 0.0123), ("interaction_effect", 0.0045), ("messier_points", 0.0067)):
            add("hypothesis", statistic, kind, size, decides=False)
    for number, density in enumerate(DENSITIES, 1):
        add("headline", "gain", TICKET, 0.002 * number, density=density, round=number, p_adjusted=0.03)
        add("headline", "alpha_effect", TICKET, 0.001, decides=False, density=density, round=number)
    return pd.DataFrame(rows).assign(experiment=experiment, verdict=verdict, **more)


def made_tuned(
    experiment="mnist", kinds=(TICKET, RANDOM, NONE), alphas=ALPHAS, seeds=range(100, 105), regression=False
):
    """A table `tuned` as it is published; half of the choices lie at the edge."""
    rng = np.random.default_rng(0)
    runs = [(("dense", "dense"), 0, 1.0), *((kind, r, d) for kind in kinds for r, d in enumerate(DENSITIES, 1))]
    rows = [
        (experiment, alpha, 0.33 if number == 1 else 1.0, *kind, number, seed, density, number == 1)
        for (kind, number, density), alpha, seed in itertools.product(runs, ALPHAS, seeds)
    ]
    columns = ["experiment", "alpha", "lr", "criterion", "rewind", "round", "seed", "density", "edge"]
    table = pd.DataFrame(rows, columns=columns).assign(steps=8000, total_steps=8000, diverged=False)
    accuracy = np.nan if regression else rng.uniform(0.97, 0.98, len(table))
    return table.assign(test_accuracy=accuracy, test_loss=0.1, early_stop_step=500, early_stop_test_accuracy=accuracy)


def made_stops(steps, accuracies, densities=(0.21, 0.134, 0.036), experiment="paper", noise=1e-4, seeds=5):
    """A table `tuned` of early stops: {strategy: by density} of steps and accuracies, those of dense networks one."""
    kinds = {"dense": ("dense", "dense"), "ticket": TICKET, "random": RANDOM, "redrawn": REDRAWN}
    rows = []
    for shift, (name, kind) in enumerate(kinds.items()):
        jitters = np.roll(np.linspace(-noise, noise, seeds), shift) if name in steps else ()
        for number, density in enumerate((1.0,) if name == "dense" else densities, int(name != "dense")):
            for seed, jitter in enumerate(jitters):
                step, accuracy = (side[name][max(number - 1, 0)] for side in (steps, accuracies))
                rows.append((*kind, number, seed, density, step * (1 + jitter), accuracy + jitter))
    columns = ["criterion", "rewind", "round", "seed", "density", "early_stop_step", "early_stop_test_accuracy"]
    table = pd.DataFrame(rows, columns=columns).assign(experiment=experiment, alpha=1.0, lr=1.0, steps=20_000)
    return table.assign(total_steps=20_000, test_accuracy=0.9, test_loss=0.1, diverged=False, edge=False)


def made_connectivity(experiment="mnist", seeds=5, height=0.02):
    grid = itertools.product(("ticket_dense", "ticket_ticket", "dense_dense"), ALPHAS, DENSITIES, range(seeds))
    table = pd.DataFrame(grid, columns=["pair", "alpha", "density", "seed"]).assign(experiment=experiment)
    high = height * table["alpha"] + 1e-4 * table["seed"]
    return table.assign(error_barrier=high.where(table["pair"] == "ticket_dense", 0.001), loss_barrier=0.5)


def made_richness(experiment="mnist", errors=((0.1, 0.8), (1.0, 0.04))):
    rows = [(alpha, "dense", "dense", seed, error * (1 + 0.01 * seed)) for alpha, error in errors for seed in range(4)]
    rows += [(alpha, *TICKET, 0, 7.0) for alpha, _ in errors]
    columns = ["alpha", "criterion", "rewind", "seed", "linearization_error"]
    return pd.DataFrame(rows, columns=columns).assign(experiment=experiment)


def publish_made(folder, tables, name="study", figures=(), config=None) -> Publication:
    """Write a publication with these tables, as a study would leave it in the folder, and read it."""
    place = Path(folder, name)
    place.mkdir(parents=True, exist_ok=True)
    experiments = list(dict.fromkeys(e for table in tables.values() for e in table["experiment"]))
    (place / "config.yaml").write_text(yaml.safe_dump(config or made_config(*experiments)))
    (place / "provenance.json").write_text(json.dumps(PROVENANCE))
    for table, frame in tables.items():
        frame.to_csv(place / f"{table}.csv", index=False)
    for figure in figures:
        (place / figure).write_bytes(b"")
    return read(place)


def everything():
    """All tables of a study."""
    return {
        "claims": made_claims(),
        "tuned": made_tuned(),
        "connectivity": made_connectivity(),
        "richness": made_richness(),
    }
