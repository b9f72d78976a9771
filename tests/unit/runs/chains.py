"""Small chains of rounds, trained and saved below a folder as the workflow's jobs do."""

from dataclasses import replace
from pathlib import Path

from featprune.criteria import CRITERIA
from featprune.experiment import from_step
from featprune.network import Parameters
from featprune.pruning.criterion import Context
from featprune.pruning.masks import Schedule, all_ones
from featprune.pruning.rounds import extract_masks
from featprune.rewind import REWINDS
from featprune.runs.chain import Trainer, train_chain, train_dense, train_rounds
from featprune.runs.files import load_mask, load_masks, load_run, load_snapshots, save_mask, save_outcome
from tests.unit.engine.test_training import NETWORK, SETTINGS, made_data

SETTINGS = replace(SETTINGS, optimizer="adam", lr=0.01, snapshot_at=(0, 5, 20))
SEEDS = [0, 1]
SCHEDULE = Schedule("per_layer", {"hidden": 0.4, "output": 0.2})
ROUNDS = (1, 2, 3)


def save(folder, mask, outcome, seeds=SEEDS):
    folder.mkdir(parents=True, exist_ok=True)
    save_mask(folder / "mask.safetensors", folder / "density.parquet", mask, seeds)
    files = (folder / name for name in ("weights.safetensors", "history.parquet", "snapshots.safetensors"))
    save_outcome(outcome, mask.layers, seeds, *files)


def run_of(folder, seeds=None):
    return load_run(folder / "mask.safetensors", folder / "weights.safetensors", seeds)


def masks_of(folder):
    return load_masks(folder / "mask.safetensors")[1]


def steps_of(folder):
    """Step -> parameters."""
    return load_snapshots(folder / "snapshots.safetensors", folder / "mask.safetensors")[1]


def starts(folder) -> Parameters:
    steps = steps_of(folder)
    return steps[min(steps)]


def dense(folder, rewind="dense", seeds=SEEDS, settings=SETTINGS):
    save(folder, *train_dense(Trainer(NETWORK, made_data(), seeds), settings, rewind), seeds)


def settings_of(settings, criterion, rewind, rounds, late_step=None):
    """Round -> its settings, as `Experiment.settings` derives them."""
    entry = REWINDS[rewind]
    behind = {
        r: entry.trained(1 if CRITERIA[criterion].source == "dense" else r, settings.steps, late_step) for r in rounds
    }
    skipped = late_step or 0
    milestones = (
        tuple(m - skipped for m in settings.milestones) if entry.rewinds_rate else (0,) * len(settings.milestones)
    )
    changes = {"steps": settings.steps - skipped, "milestones": milestones, "order": entry.order}
    changes |= {"teacher": entry.teacher}
    changes["snapshot_at"] = from_step(skipped, settings.snapshot_at)
    changes["evaluate_at"] = from_step(skipped, settings.evaluate_at)
    return {r: replace(settings, behind=behind[r], **changes) for r in rounds}


def chain(
    root: Path,
    rewind: str,
    *,
    seeds=SEEDS,
    settings=SETTINGS,
    criterion="magnitude",
    late_step=None,
    rounds=ROUNDS,
    before=None,
    tickets=None,
    samples=1000,
    alone=False,
):
    """Train a dense run and one chain below `root`; give round -> folder, the dense run's being 0.

    before: the folder of the run before the first round. tickets: round -> folder of the ticket whose masks are taken.
    alone: extract and train each round by itself, from the files of the round before, as jobs of one round do.
    """
    folders = {round: root / f"{criterion}-{rewind}" / str(round) for round in rounds}
    if not (root / "dense").exists():
        dense(root / "dense", seeds=seeds, settings=settings)
    masks_by = "ticket" if tickets and CRITERIA[criterion].source == "chain" else criterion
    entry = CRITERIA[masks_by]
    teacher = run_of(root / "dense").parameters if REWINDS[rewind].teacher else None
    trainer = Trainer(NETWORK, made_data(), seeds, repair=entry.repair, samples=samples, teacher=teacher)
    each = settings_of(settings, criterion, rewind, rounds, late_step)
    lent = [load_mask(tickets[round] / "mask.safetensors")[1] for round in rounds] if tickets else []

    def context(folder, round):
        run = run_of(folder, seeds)
        given = {"trained": run.parameters} if entry.source in ("chain", "dense") else {}
        previous = run.masks if entry.source == "chain" else all_ones(NETWORK.shapes, len(seeds))
        objective = {"alpha": settings.alpha, "center": settings.center, "loss": settings.loss}
        return Context(
            NETWORK,
            trainer.data,
            seeds,
            SCHEDULE,
            REWINDS[rewind],
            round,
            previous,
            **given,
            **objective,
            samples=samples,
        )

    folder = before or root / "dense"
    if entry.source != "chain":
        masks = list(extract_masks(entry, context(folder, rounds[0]), rounds, lent))
        previous, always = run_of(folder).parameters, CRITERIA[criterion].source == "dense"
        outcomes = train_rounds(trainer, REWINDS[rewind], masks, each, previous, late_step, always)
        for place, mask, outcome in zip(folders.values(), masks, outcomes, strict=True):
            save(place, mask, outcome, seeds)
        return {0: root / "dense"} | folders
    if not alone:
        plain = Trainer(NETWORK, made_data(), seeds, teacher=teacher)
        made = train_chain(plain, entry, context(folder, rounds[0]), each, [], late_step)
        for round, (mask, outcome) in zip(rounds, made, strict=True):
            save(folders[round], mask, outcome, seeds)
    for round in rounds if alone else ():
        masks = list(extract_masks(entry, context(folder, round), [round]))
        run, here = run_of(folder), {round: each[round]}
        (outcome,) = train_rounds(trainer, REWINDS[rewind], masks, here, run.parameters, late_step)
        save(folders[round], masks[0], outcome, seeds)
        folder = folders[round]
    return {0: root / "dense"} | folders
