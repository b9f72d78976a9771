"""Straight lines between runs that were trained and saved as the workflow does."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from featprune.criteria import CRITERIA
from featprune.pruning.criterion import Context
from featprune.pruning.masks import remaining
from featprune.rewind import REWINDS
from featprune.runs.chain import Trainer, dense_mask, train_chain, train_dense, train_rounds
from featprune.runs.connected import measure_connectivity
from featprune.runs.paths import DENSE, REORDERED, REORDERED_TICKET, TICKET, Cell, RunPath
from featprune.storage import load_arrays, load_table, save_arrays
from tests.unit.engine.test_training import NETWORK, made_data
from tests.unit.runs.chains import SCHEDULE, SEEDS, run_of, save
from tests.unit.runs.chains import SETTINGS as USUAL

DATA = made_data()
SETTINGS = replace(USUAL, alpha=0.5)
ROUNDS = (1, 2)
EVERY = [(DENSE, 0), (REORDERED, 0), *((kind, r) for kind in (TICKET, REORDERED_TICKET) for r in ROUNDS)]


def folder_of(root, kind, round):
    return Path(RunPath(Cell("made", "0.5", "1", *kind), round, "0-1").folder(str(root)))


@pytest.fixture(scope="module", params=[True, False], ids=["centered", "plain"])
def made(request, tmp_path_factory):
    """Dense runs, and tickets of two rounds under either data order; and whether f is centered."""
    root, center = tmp_path_factory.mktemp("connected"), request.param
    settings, trainer = replace(SETTINGS, center=center), Trainer(NETWORK, DATA, SEEDS)
    for kind in (DENSE, REORDERED):
        save(folder_of(root, kind, 0), *train_dense(trainer, settings, kind.rewind))
    first, ones = run_of(folder_of(root, DENSE, 0)), dense_mask(NETWORK, SEEDS)
    context = Context(NETWORK, DATA, SEEDS, SCHEDULE, REWINDS["init"], 1, ones.layers, first.parameters)
    rounds = list(train_chain(trainer, CRITERIA["magnitude"], context, dict.fromkeys(ROUNDS, settings)))
    masks = [mask for mask, _ in rounds]
    again = replace(settings, order=("reordered",))
    twins = train_rounds(trainer, REWINDS["init"], masks, dict.fromkeys(ROUNDS, again))
    for kind, outcomes in ((TICKET, [outcome for _, outcome in rounds]), (REORDERED_TICKET, twins)):
        for round, mask, outcome in zip(ROUNDS, masks, outcomes, strict=True):
            save(folder_of(root, kind, round), mask, outcome)
    return root, settings


def measured(made, runs=EVERY):
    root, settings = made
    names = ("mask.safetensors", "weights.safetensors")
    files = [[folder_of(root, *run) / name for name in names] for run in runs]
    found = measure_connectivity(NETWORK, DATA, files, settings.objective, settings.center)
    return found.set_index(["pair", "round", "seed", "split"]).sort_index()


def at_the_end(root, kind, round):
    """(seed, split) -> loss and accuracy of the last step, from the run's own history."""
    history = load_table(folder_of(root, kind, round) / "history.parquet").to_pandas()
    return history[history["step"] == SETTINGS.steps].set_index(["seed", "split"])[["loss", "accuracy"]]


def test_pairs_are_of_the_same_round_or_with_a_dense_run(made):
    found = measured(made)
    assert {(pair, round) for pair, round, *_ in found.index} == {
        ("dense_dense", 0),
        *(("ticket_dense", r) for r in ROUNDS),
        *(("ticket_ticket", r) for r in ROUNDS),
    }
    assert len(found) == 5 * 2 * 2 and found.index.is_unique
    assert found.reset_index()[["seed", "round"]].dtypes.astype(str).tolist() == ["int32", "int32"]
    assert np.isfinite(found).all(axis=None) and (found.filter(like="barrier") >= 0).all(axis=None)


def test_ends_have_the_losses_and_errors_that_training_told(made):
    """Those of the dense run under a ticket's mask are others, since it was trained without."""
    root, _ = made
    found = measured(made)
    ends = {"dense_dense": (DENSE, REORDERED), "ticket_ticket": (TICKET, REORDERED_TICKET), "ticket_dense": (TICKET,)}
    for pair, kinds in ends.items():
        for round in found.loc[pair].index.unique("round"):
            for kind, end in zip(kinds, ("first", "second"), strict=False):
                told = at_the_end(root, kind, round)
                for place, row in found.loc[(pair, round)].iterrows():
                    assert row[f"loss_{end}"] == pytest.approx(told.loc[place, "loss"], rel=1e-4)
                    assert row[f"error_{end}"] == pytest.approx(1 - told.loc[place, "accuracy"], abs=1e-9)
    told = at_the_end(root, DENSE, 0)
    for place, row in found.loc[("ticket_dense", 2)].iterrows():
        assert row["loss_second"] != pytest.approx(told.loc[place, "loss"], rel=1e-3)


def test_the_density_is_that_of_the_ticket(made):
    root, _ = made
    found = measured(made)
    for pair, kind in (("dense_dense", DENSE), ("ticket_dense", TICKET), ("ticket_ticket", TICKET)):
        for round in found.loc[pair].index.unique("round"):
            masks = run_of(folder_of(root, kind, round)).masks
            density = remaining(masks) / sum(mask[0].size for mask in masks)
            for seed in SEEDS:
                assert (found.loc[(pair, round, seed), "density"] == density[seed]).all()


def test_without_a_second_ticket_there_is_no_line_to_it(made):
    some = measured(made, [run for run in EVERY if run[0] != REORDERED_TICKET])
    whole = measured(made)
    assert some.equals(whole.drop("ticket_ticket"))


def test_a_ticket_beside_itself_has_no_barrier(made, tmp_path):
    """Under the name of its twin, too, it is the same network."""
    root, settings = made
    twin = folder_of(tmp_path, REORDERED_TICKET, 1)
    names = ("mask.safetensors", "weights.safetensors")
    for name in names:  # saved, and not copied: a file says which run it is of
        save_arrays(twin / name, load_arrays(folder_of(root, TICKET, 1) / name))
    files = [[folder / name for name in names] for folder in (folder_of(root, TICKET, 1), twin)]
    found = measure_connectivity(NETWORK, DATA, files, settings.objective, settings.center)
    assert (found[["loss_barrier", "error_barrier"]] == 0).all(axis=None)
