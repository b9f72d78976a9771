"""One cell of a study without the workflow: prune and train on arrays of one's own, to the workflow's bits."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from featprune.activations import ACTIVATIONS
from featprune.api.arguments import (
    OPTIMIZERS,
    as_criterion,
    check_rewind,
    choose_loss,
    choose_round,
    named,
    points,
    whole,
    within,
)
from featprune.api.given import Part, make_dataset
from featprune.api.trained import CellResult
from featprune.api.training import Cell, undisturbed
from featprune.engine.device import choose_device, gpus_wanted
from featprune.network import INITIALIZATIONS, PARAMETRIZATIONS, network_for
from featprune.pruning.criterion import Criterion
from featprune.pruning.masks import SCOPES, Schedule
from featprune.pruning.problem import Score
from featprune.rewind import REWINDS
from featprune.sections import Training

RATES = {"hidden": 0.2, "output": 0.1, "global": 0.2}


def prune_and_train(
    x: Any,
    y: Any,
    *,
    hidden: Sequence[int],
    steps: int,
    lr: float,
    criterion: str | Criterion | Score = "magnitude",
    rewind: str = "init",
    density: float | None = None,
    round: int | None = None,
    validation: Part = 0.1,
    test: Part = 0.1,
    alpha: float = 1.0,
    center: bool = True,
    seeds: Sequence[int] = (0, 1, 2),
    activation: str = "relu",
    init: str = "glorot_normal_truncated",
    parametrization: str = "standard",
    optimizer: str = "adam",
    momentum: float = 0.0,
    weight_decay: float = 0.0,
    batch_size: int = 60,
    loss: str | None = None,
    milestones: Sequence[int] = (),
    evaluation_steps: int | Sequence[int] = 12,
    evaluation_every: int | None = None,
    evaluation_samples: int | None = None,
    snapshot_steps: int | Sequence[int] | None = None,
    distillation: float = 1.0,
    scope: str = "per_layer",
    rates: Mapping[str, float] = RATES,
    score_samples: int = 1000,
    late_step: int | None = None,
    device: str = "cpu",
    verbose: bool = False,
) -> CellResult:
    """Train a dense network, prune it round by round, and retrain what survives: one cell of a study.

    The same functions train and prune as in the workflow, from the same generators: of the same arrays, seeds and
    settings the result is the same to the bit. Arguments after `test` are the config's keys, with its defaults
    (`workflow/schemas/config.schema.yaml` describes them; docs/method.md has the equations).

    Args:
        x: Training inputs, floats (n, inputs): a numpy array, a torch tensor, or what makes an array. Used as they are,
            in float32: scale them before.
        y: Labels: integers (n,), classes from 0; or floats (n,) or (n, outputs) to regress on.
        hidden: Widths of the hidden layers.
        steps: Optimizer steps a round.
        lr: Learning rate at alpha = 1; Adam's is divided by alpha.
        criterion: What to remove: a name in `featprune.criteria.CRITERIA`; an object of
            `featprune.pruning.criterion`, such as ``AfterTraining(score, at_once=True)``; or a score, a function
            ``score(problem, masks, batch, generator)`` that returns a tensor (out, in) a layer, of which the highest
            are kept, taken as ``AfterTraining(score)``: of trained weights, round by round.
        rewind: Where survivors restart, a name in `featprune.rewind.REWINDS`: "init" (the lottery ticket, Frankle &
            Carbin 2019), "none" (fine-tuning), "random", "late", "lr" and others.
        density: The share of weights to keep, 0 to 1: the round whose density is nearest in ratio is trained. What it
            has exactly is the result's `density`.
        round: Or the number of rounds of pruning; 0 trains the dense network only.
        validation: A pair (x, y), or the share of x and y to hold out for it. With shares the order of samples is
            drawn anew; with pairs for both splits, x is used in its own order, which should be random.
        test: The same for the test split.
        alpha: Richness: f = alpha (h - h_ref) is trained on loss / alpha^2 (Chizat et al. 2019); small is rich.
        center: Whether h_ref, the output at initialization, is subtracted.
        seeds: The replicas, R of them, each with an initialization and a data order of its own.
        scope: "per_layer" ranks weights within their layer, "global" in the whole network.
        rates: Shares of the remaining weights that a round removes: "hidden" and "output", or "global".
        snapshot_steps: The steps whose parameters are kept, as `evaluation_steps`; None keeps none.
        device: "cpu", "cuda" or "auto". The bits are those of a CPU.
        verbose: Whether each seed's training prints a line.

    Returns:
        The round's masks, weights, biases, history and test accuracy as arrays with a leading axis of R seeds, and the
        rounds before it in `runs`; `table` has a row a round and seed.

    Raises:
        FeatpruneError: one line that names the argument and the way out, for shapes, dtypes, labels, names and ranges.

    >>> result = prune_and_train(x, y, hidden=[100], steps=500, lr=1e-3, density=0.1)  # doctest: +SKIP
    >>> result.accuracy - result.dense.accuracy  # doctest: +SKIP
    """
    chosen = as_criterion(criterion)
    data = make_dataset(x, y, validation, test)
    model = {
        "hidden": whole("hidden", hidden),
        "activation": named("activation", activation, ACTIVATIONS),
        "init": named("init", init, INITIALIZATIONS),
        "parametrization": named("parametrization", parametrization, PARAMETRIZATIONS),
    }
    network = network_for(model, data)
    training = Training(
        optimizer=named("optimizer", optimizer, OPTIMIZERS),
        lr=within("lr", lr, 0),
        momentum=momentum,
        weight_decay=weight_decay,
        batch_size=whole("batch_size", [batch_size], most=len(data.train_x))[0],
        steps=whole("steps", [steps])[0],
        loss=choose_loss(loss, data),
        evaluation_steps=points(evaluation_steps),
        evaluation_every=evaluation_every,
        evaluation_samples=evaluation_samples,
        milestones=tuple(milestones),
        snapshot_steps=points(snapshot_steps or ()),
        distillation=distillation,
    )
    used = ("global",) if named("scope", scope, SCOPES) == "global" else ("hidden", "output")
    schedule = Schedule(scope, {key: within(f"rates[{key!r}]", rates.get(key, RATES[key]), 0, 1) for key in used})
    last = choose_round(schedule, network, density, round)
    check_rewind(named("rewind", rewind, REWINDS), center, optimizer, late_step, steps)
    cell = Cell(
        network=network,
        data=data,
        seeds=whole("seeds", seeds, least=0),
        training=training,
        alpha=within("alpha", alpha, 0),
        center=center,
        schedule=schedule,
        samples=whole("score_samples", [score_samples])[0] if chosen.sees_data else 1,
        late_step=late_step,
        device=choose_device(gpus_wanted(device)),
        snapshots=snapshot_steps is not None,
    )
    with undisturbed(verbose):
        runs = dict(cell.runs(chosen, rewind, last))
    return CellResult(**vars(runs[last]), network=network, runs=runs)
