"""The files of two tiny experiments, one of classification and one of regression, to make a page of."""

from pathlib import Path

import numpy as np
import pandas as pd

from featprune.claims.row import COLUMNS
from featprune.data import prepare_dataset
from featprune.features.preactivations import dump_preactivations
from featprune.network import MLP
from featprune.storage import save_table
from tests.unit.figures.builders import make_tuned

ALPHAS = (0.1, 1.0)
STEPS = (0, 3, 20)
NETWORK = MLP((64, 70, 10), "relu")
CLAIMS = {
    "margins": {"accuracy": 0.005, "loss": 1.25, "features": 0.25, "time": 1.5, "interaction": 0.25},
    "level": 0.05,
    "power": 0.8,
}


def make_summary(tuned: pd.DataFrame) -> pd.DataFrame:
    """`tuned` and the same at another rate, by 0.01 less accurate."""
    other = tuned.assign(lr=tuned["lr"] * 10, test_accuracy=tuned["test_accuracy"] - 0.01)
    return pd.concat([tuned, other.assign(test_loss=tuned["test_loss"] * 2)], ignore_index=True)


def make_claims(tuned: pd.DataFrame) -> pd.DataFrame:
    """Claim 1 on every pruned run, with all verdicts in turn, and one row of the hypothesis, of no place."""
    axes = ["alpha", "lr", "criterion", "rewind", "round", "density"]
    places = tuned.loc[tuned["criterion"] != "dense", axes].drop_duplicates().to_dict("records")
    verdicts = ("holds", "fails", "undecided")
    rows = [
        place
        | {
            "claim": "1",
            "statistic": "at_least_as_good",
            "decides": place["round"] > 1,
            "estimate": -0.01,
            "n_seeds": 4,
        }
        | {"ci_low": -0.02, "ci_high": 0.001, "confidence": 0.9, "verdict": verdicts[number % 3]}
        for number, place in enumerate(places)
    ]
    whole = {"claim": "hypothesis", "statistic": "interaction", "criterion": "magnitude", "rewind": "init"}
    whole |= {"decides": True, "estimate": 0.2, "ci_low": 0.1, "ci_high": np.inf, "n_seeds": 4, "verdict": "undecided"}
    other = {**rows[0], "claim": "2", "statistic": "cka"}
    return pd.DataFrame([*rows, whole, other], columns=list(COLUMNS)).assign(experiment="demo")


def make_sources(root: Path) -> dict[str, dict]:
    """What `featprune.explorer.sources.sources` names, written below root; only the first has preactivations."""
    made: dict[str, dict] = {}
    for name, regression in (("images", False), ("numbers", True)):
        tuned = make_tuned(alphas=ALPHAS, rounds=3, regression=regression)
        tables = {"summary": make_summary(tuned), "tuned": tuned, "claims": make_claims(tuned)}
        made[name] = {table: str(root / name / f"{table}.parquet") for table in tables}
        for table, frame in tables.items():
            save_table(made[name][table], frame)
    data = prepare_dataset("digits")
    data.save(root / "digits.safetensors")
    files = []
    for number, (kind, round) in enumerate([("dense/rewind=dense", 0), ("magnitude/rewind=init", 2)]):
        for alpha, lr in (("0.1", "1"), ("1", "1")):
            folder = root / f"experiment=images/alpha={alpha}/lr={lr}/criterion={kind}/round={round}/seeds=0-0"
            snapshots = {step: NETWORK.initial([0], 10 * number + step) for step in STEPS}
            files.append(str(folder / "preactivations.parquet"))
            dump_preactivations(files[-1], NETWORK, snapshots, [0], data, 50)
    made["images"] |= {"data": str(root / "digits.safetensors"), "preactivations": files}
    return made
