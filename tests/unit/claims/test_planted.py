"""Planted experiments, trained for real: networks of which it is known what the claims should say of them."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from featprune.claims.inference import FAILS, HOLDS
from featprune.claims.table import CLAIM_1, CLAIM_2, CLAIM_3, Margins, Rules, aggregate_claims
from featprune.config import log_grid
from featprune.data import prepare_dataset
from featprune.engine.settings import Settings, Start
from featprune.engine.training import train
from featprune.features.comparison import compare_features
from featprune.features.preactivations import dump_preactivations
from featprune.network import MLP
from featprune.pruning.masks import Schedule, all_ones
from featprune.runs.chain import train_dense, train_pruned
from featprune.runs.files import load_snapshots, save_run
from featprune.runs.paths import DENSE, REINITIALIZED, REORDERED, TICKET
from featprune.storage import save_table
from featprune.tables.tables import collect, learning_curves, summarize

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
    snapshot_at=tuple(log_grid(200, 12)),
)
RULES = Rules(Margins(accuracy=0.005, loss=1.25, features=0.2, time=1.5, interaction=0.25), 0.05, 0.8, 100)
NOTHING = Schedule("per_layer", {"hidden": 0.0, "output": 0.0})


def folder_of(root: Path, criterion: str, rewind: str, round: int = 0) -> Path:
    return root / f"experiment=planted/alpha=1/lr=1/criterion={criterion}/rewind={rewind}/round={round}/seeds=0-4"


def dump(folder: Path) -> None:
    seeds, snapshots = load_snapshots(folder)
    dump_preactivations(folder / "preactivations.parquet", NETWORK, snapshots, seeds, DATA, 60)


@pytest.fixture(scope="module")
def root(tmp_path_factory) -> Path:
    """The dense run with its references."""
    root = tmp_path_factory.mktemp("planted")
    for kind in (DENSE, REORDERED, REINITIALIZED):
        train_dense(NETWORK, DATA, SEEDS, SETTINGS, folder_of(root, *kind), kind[1])
        dump(folder_of(root, *kind))
    return root


def claims_of(root: Path, ticket: Path):
    """All claims on a run filed as the ticket, made as the workflow makes them."""
    dump(ticket)
    dense, compared = folder_of(root, *DENSE), [ticket, *(folder_of(root, *k) for k in (REORDERED, REINITIALIZED))]
    for folder in compared:
        tables = compare_features(folder / "preactivations.parquet", dense / "preactivations.parquet")
        for name, table in zip(("features", "time_shift"), tables, strict=True):
            save_table(folder / f"{name}.parquet", table)
    summary = summarize(learning_curves([dense, ticket]), None)
    features, shifts = (collect(compared, f"{name}.parquet") for name in ("features", "time_shift"))
    return aggregate_claims(summary, features, shifts, None, RULES).set_index(["claim", "statistic"])


def test_a_ticket_from_which_nothing_was_pruned_is_the_dense_network(root, tmp_path):
    ticket = folder_of(tmp_path, *TICKET, round=1)
    train_pruned(
        NETWORK,
        DATA,
        SEEDS,
        SETTINGS,
        criterion="magnitude",
        rewind="init",
        schedule=NOTHING,
        late_step=None,
        previous=folder_of(root, *DENSE),
        folders={1: ticket},
        snapshot_rounds=[1],
    )
    claims = claims_of(root, ticket)
    for claim in (CLAIM_2, CLAIM_3):
        found = claims.loc[claim, "correlation"]
        assert found["verdict"] == HOLDS and found["raw_estimate"] == pytest.approx(1, abs=1e-12)
        # Training noise alone leaves less, and another initialization next to nothing.
        assert 0.7 < found["ceiling_estimate"] < 1 and abs(found["null_estimate"]) < 0.2
    shift, error = claims.loc[CLAIM_3, "time_shift"], claims.loc[CLAIM_1, "test_error"]
    for found in (shift, error):
        assert (found["estimate"], found["ci_low"], found["ci_high"], found["verdict"]) == (0, 0, 0, HOLDS)
    assert (claims["n_seeds"] == 5).all()


def test_networks_of_other_seeds_have_other_features(root, tmp_path):
    ticket, others = folder_of(tmp_path, *TICKET, round=1), [seed + 100 for seed in SEEDS]
    masks, initial = all_ones(NETWORK.shapes, len(SEEDS)), NETWORK.initial(others)
    outcome = train(NETWORK, Start(initial, initial), masks, DATA, others, SETTINGS)
    outcome.history["seed"] -= 100
    save_run(ticket, masks, outcome, SEEDS)
    claims = claims_of(root, ticket)
    for claim in (CLAIM_2, CLAIM_3):
        found = claims.loc[claim, "correlation"]
        assert found["verdict"] == FAILS and found["estimate"] == pytest.approx(0, abs=0.3)
    # Up to the names of the units, they learn the same.
    assert claims.loc[(CLAIM_2, "assigned_correlation"), "raw_estimate"] > 0.5


@pytest.mark.parametrize("faster", [2.0, 0.5])
def test_another_rate_is_another_speed(root, tmp_path, faster):
    ticket = folder_of(tmp_path, *TICKET, round=1)
    train_dense(NETWORK, DATA, SEEDS, replace(SETTINGS, lr=faster * SETTINGS.lr), ticket)
    found = claims_of(root, ticket).loc[CLAIM_3, "time_shift"]
    assert found["verdict"] == FAILS and found["estimate"] == pytest.approx(np.log2(faster), abs=0.4)
