"""Planted experiments, trained for real: networks of which it is known what the claims should say of them."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from featprune.claims.rules import Margins, Rules
from featprune.claims.table import aggregate_claims
from featprune.claims.verdicts import CLAIM_1, CLAIM_2, CLAIM_3, FAILS, HOLDS
from featprune.config import log_grid
from featprune.data import prepare_dataset
from featprune.engine.settings import Settings, Start
from featprune.engine.training import train
from featprune.features.comparison import compare_with_targets, read_features
from featprune.features.preactivations import dump_preactivations
from featprune.network import MLP
from featprune.rewind import REWINDS
from featprune.runs.chain import Trainer, dense_mask, train_dense, train_round
from featprune.runs.files import load_snapshots, save_mask, save_outcome
from featprune.runs.paths import DENSE, REINITIALIZED, REORDERED, TICKET, Cell, RunPath
from featprune.storage import save_table
from featprune.tables.features import build_features
from featprune.tables.frames import CHANGE
from featprune.tables.performance import build_summary

SEEDS = list(range(5))
DATA = prepare_dataset("teacher", {"inputs": 8, "train": 300, "validation": 50, "test": 100})
NETWORK = MLP((8, 24, 1), "relu")
SETTINGS = Settings(
    loss="squared_error",
    optimizer="adam",
    lr=0.01,
    momentum=0.0,
    weight_decay=0.0,
    batch_size=20,
    steps=200,
    alpha=1.0,
    center=True,
    evaluate_at=(0, 200),
    snapshot_at=tuple(log_grid(200, 24)),  # so that a shift by a factor of two is well inside the lags
)
RULES = Rules(Margins(accuracy=0.005, loss=1.25, features=0.2, time=1.5, interaction=0.25), 0.05, 0.8, frozenset([1]))
TRAINER, WHOLE = Trainer(NETWORK, DATA, SEEDS), dense_mask(NETWORK, SEEDS)
BEHIND = {"dense/dense": [0], "magnitude/init": [0, 0]}


def folder_of(root: Path, kind, round: int = 0) -> Path:
    return Path(RunPath(Cell("planted", "1", "1", *kind), round, "0-4").folder(str(root)))


def files(folders, name: str) -> list[str]:
    return [str(folder / name) for folder in folders]


def save(folder: Path, mask, outcome) -> None:
    """A run as the workflow saves it, with its preactivations."""
    save_mask(folder / "mask.safetensors", folder / "density.parquet", mask, SEEDS)
    names = ("weights.safetensors", "history.parquet", "snapshots.safetensors")
    save_outcome(outcome, mask.layers, SEEDS, *(folder / name for name in names))
    _, snapshots = load_snapshots(folder / "snapshots.safetensors", folder / "mask.safetensors")
    dump_preactivations(folder / "preactivations.parquet", NETWORK, snapshots, SEEDS, DATA, 60)


@pytest.fixture(scope="module")
def root(tmp_path_factory) -> Path:
    """The dense run with its references."""
    root = tmp_path_factory.mktemp("planted")
    for kind in (DENSE, REORDERED, REINITIALIZED):
        save(folder_of(root, kind), *train_dense(TRAINER, SETTINGS, kind.rewind))
    return root


def claims_of(root: Path, ticket: Path):
    """All claims on a run filed as the ticket, made as the workflow makes them."""
    targets = {kind.rewind: folder_of(root, kind) for kind in (DENSE, REORDERED)}
    dense, compared = targets["dense"], [ticket, *targets.values(), folder_of(root, REINITIALIZED)]
    read = {folder: read_features(folder / "preactivations.parquet") for folder in compared}
    for folder in compared:
        others = {name: read[target] for name, target in targets.items() if target != folder}
        tables = compare_with_targets(read[folder], others)
        for name, table in zip(("features", "time_shift"), tables, strict=True):
            save_table(folder / f"{name}.parquet", table)
    runs = (files([dense, ticket], name) for name in ("history.parquet", "density.parquet"))
    tuned = build_summary(*runs, BEHIND, {})["tuned.parquet"]
    names = ("features.parquet", "time_shift.parquet", "density.parquet")
    made = build_features(*(files(compared, name) for name in names))
    features, shifts = (pd.concat(made[name]) for name in names[:2])
    claims = aggregate_claims(RULES, tuned, features, shifts)
    return claims.set_index(["claim", "statistic"])


def test_a_ticket_from_which_nothing_was_pruned_is_the_dense_network(root, tmp_path):
    ticket = folder_of(tmp_path, TICKET, round=1)
    save(ticket, WHOLE, train_round(TRAINER, REWINDS[TICKET.rewind], 1, WHOLE, SETTINGS))
    claims = claims_of(root, ticket)
    for place in ((CLAIM_2, "correlation"), (CLAIM_3, "correlation"), (CLAIM_3, CHANGE)):
        found = claims.loc[place]
        assert found["verdict"] == HOLDS and found["estimate"] == pytest.approx(1, abs=1e-9)
        # Training noise alone leaves less than all, and another initialization next to nothing.
        assert 0.6 < found["ceiling_estimate"] < 1 and abs(found["null_estimate"]) < 0.3
    assert claims.loc[(CLAIM_2, "parent_correlation"), "raw_estimate"] == pytest.approx(1, abs=1e-9)
    error = claims.loc[CLAIM_1, "at_least_as_good"]
    assert (error["estimate"], error["ci_low"], error["ci_high"], error["verdict"]) == (0, 0, 0, HOLDS)
    assert claims.loc[(CLAIM_3, "time_shift"), "estimate"] == pytest.approx(0, abs=0.3)
    assert (claims["n_seeds"] == 5).all()


def test_networks_of_other_seeds_have_other_features(root, tmp_path):
    ticket, others = folder_of(tmp_path, TICKET, round=1), [seed + 100 for seed in SEEDS]
    initial = NETWORK.initial(others)
    outcome = train(NETWORK, Start(initial, initial), WHOLE.layers, DATA, others, SETTINGS)
    outcome.history["seed"] -= 100
    save(ticket, WHOLE, outcome)
    claims = claims_of(root, ticket)
    for place in ((CLAIM_2, "correlation"), (CLAIM_3, CHANGE)):
        found = claims.loc[place]
        assert found["verdict"] == FAILS and found["estimate"] == pytest.approx(0, abs=0.3)
    # Up to the names of the units, they learn the same.
    assert claims.loc[(CLAIM_2, "assigned_correlation"), "raw_estimate"] > 0.5


@pytest.mark.parametrize("faster", [2.0, 0.5])
def test_another_rate_is_another_speed(root, tmp_path, faster):
    ticket = folder_of(tmp_path, TICKET, round=1)
    save(ticket, *train_dense(TRAINER, replace(SETTINGS, lr=faster * SETTINGS.lr)))
    found = claims_of(root, ticket).loc[CLAIM_3, "time_shift"]
    assert found["verdict"] == FAILS and found["estimate"] == pytest.approx(np.log2(faster), abs=0.5)
