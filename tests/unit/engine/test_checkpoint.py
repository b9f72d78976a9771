"""A job that is killed and started again gives the same bits, from where it was and not from its start."""

from dataclasses import replace

import numpy as np
import pytest

from featprune.engine import checkpoint
from featprune.engine.checkpoint import resumable
from featprune.engine.replica import Replica
from featprune.engine.stack import Stack
from featprune.engine.training import train
from featprune.network import MLP
from tests.unit.engine.test_training import SETTINGS, made_data, some_masks, started

NETWORK = MLP((6, 72, 64, 3), "tanh", "he_normal")  # its second layer is dense where no weight is pruned

STEPS, SEEDS = 20, (3, 4, 5)
BUSY = replace(SETTINGS, steps=STEPS, evaluate_at=(0, 7, 14, STEPS), snapshot_at=(0, 5, STEPS), alpha=0.5)


class Killed(BaseException):
    """What no part of the code catches."""


@pytest.fixture
def count(monkeypatch):
    """Counts steps of networks; `count.last` is the number of steps after which the process ends."""

    class Count:
        taken, last = 0, None

    def counted(step):
        def one(trainee):
            if Count.taken == Count.last:
                raise Killed
            Count.taken += 1
            step(trainee)

        return one

    for kind in (Replica, Stack):
        monkeypatch.setattr(kind, "step", counted(kind.step))
    return Count


@pytest.fixture
def job(tmp_path):
    """Trains the seeds as a job that may keep what it has trained."""
    (tmp_path / "input").write_bytes(b"data")

    def run(settings=BUSY, minutes=0, density=1.0, device="cpu", identity="this", regression=False):
        with resumable(tmp_path / "job.checkpoint", minutes, {"it": identity}, [tmp_path / "input"]):
            masks = some_masks(len(SEEDS), density, NETWORK)
            return train(
                NETWORK,
                started(SEEDS, network=NETWORK),
                masks,
                made_data(regression=regression),
                SEEDS,
                settings,
                device,
            )

    run.folder, run.input = tmp_path / "job.checkpoint", tmp_path / "input"
    return run


def bits(outcome) -> list:
    """All that a run leaves, as bytes."""
    parameters = [outcome.parameters, *(outcome.snapshots[step] for step in sorted(outcome.snapshots))]
    arrays = [a for p in parameters for a in p.named().values()] + [outcome.diverged]
    history = [column.tolist() for name, column in outcome.history.items() if name not in ("loss", "accuracy")]
    return [a.tobytes() for a in (*arrays, outcome.history["loss"], outcome.history["accuracy"])] + history


@pytest.mark.parametrize("optimizer", ["adam", "sgd"])
@pytest.mark.parametrize(("density", "device"), [(1.0, "cpu"), (0.3, "cpu"), (0.3, "stack")])
def test_killed_again_and_again_it_leaves_the_same_bits(monkeypatch, count, job, optimizer, density, device):
    pruned = Stack.pruned
    monkeypatch.setattr(Stack, "pruned", lambda *arguments: pruned(*arguments[:4]))
    settings = replace(BUSY, optimizer=optimizer, momentum=0.9, weight_decay=0.01)
    undisturbed = bits(job(settings, None, density, device))
    whole, count.taken, deaths = count.taken, 0, 0
    for count.last in range(3, whole, 7):
        with pytest.raises(Killed):
            job(settings, 0, density, device)
        deaths += 1
    count.last = None
    assert bits(job(settings, 0, density, device)) == undisturbed
    assert deaths > 2 and count.taken == whole, "no step is taken twice where each is kept"
    assert not job.folder.exists()


def test_what_waited_in_memory_is_written_with_the_next_checkpoint(monkeypatch, count, job):
    undisturbed = bits(job(minutes=None))
    count.taken, count.last = 0, 2 * STEPS + 1
    monkeypatch.setattr(checkpoint, "ROOM", 0)
    with pytest.raises(Killed):
        job(minutes=1000)
    assert sorted(file.name for file in job.folder.iterdir()) == ["0.safetensors", "1.safetensors"]
    count.taken, count.last = 0, None
    assert bits(job(minutes=1000)) == undisturbed
    assert count.taken == STEPS


def test_nothing_is_written_before_it_is_time(count, job):
    count.last = 2 * STEPS + 1
    with pytest.raises(Killed):
        job(minutes=1000)
    assert not job.folder.exists()


@pytest.mark.parametrize("change", ["identity", "input", "file"])
def test_what_another_job_kept_or_no_one_can_read_is_not_used(count, job, change):
    count.last = STEPS + 5
    with pytest.raises(Killed):
        job(replace(BUSY, lr=0.5))
    if change == "input":
        job.input.write_bytes(b"Data")
    if change == "file":
        for file in job.folder.iterdir():
            file.write_bytes(file.read_bytes()[:-1])
    count.taken, count.last = 0, None
    again = job(identity="other" if change == "identity" else "this")
    assert count.taken == len(SEEDS) * STEPS
    assert bits(again) == bits(job(minutes=None))
    assert not job.folder.exists()


def test_a_run_that_diverged_goes_on_as_diverged(count, job):
    wild = replace(BUSY, optimizer="sgd", lr=1e30, loss="squared_error")
    undisturbed = job(wild, None, regression=True)
    assert undisturbed.diverged.all() and np.isnan(undisturbed.history["loss"]).any()
    whole, count.taken = count.taken, 0
    for count.last in range(2, whole, 9):
        with pytest.raises(Killed):
            job(wild, regression=True)
    count.last = None
    assert bits(job(wild, regression=True)) == bits(undisturbed)
