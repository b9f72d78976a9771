"""The pull to the dense network's preactivations: by hand, by autograd and by finite differences, in float64."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from featprune.engine import distillation, kernels
from featprune.engine.distillation import make_targets
from featprune.engine.evaluation import no_reference, split_data
from featprune.engine.replica import Replica
from featprune.engine.settings import Start
from featprune.engine.stack import Stack
from featprune.engine.training import train
from featprune.network import MLP
from featprune.pruning.masks import all_ones
from featprune.rewind import REWINDS
from tests.unit.engine.test_replica import BATCH, STEPS, bound, pair
from tests.unit.engine.test_replica import NETWORK as WIDE
from tests.unit.engine.test_replica import SETTINGS as ON_WIDE
from tests.unit.engine.test_training import (
    NETWORK,
    SETTINGS,
    distance,
    doubled,
    made_data,
    outputs,
    some_masks,
    started,
    trained,
)

TEACHERS = ["hidden", "output"]
PULLED = replace(SETTINGS, center=False, distillation=0.7)


def preactivations(parameters, x, network=NETWORK):
    """By layer, (R, n, units), in float64."""
    p = doubled(parameters)
    return network.preactivations(p.weights, p.biases, x.astype(float))


def teacher_of(network=NETWORK, seeds=(5,)):
    return doubled(network.initial(list(seeds)))


@pytest.mark.parametrize(("what", "layers"), [("hidden", (0, 1)), ("output", (2,))])
def test_targets_are_the_teachers_preactivations_and_their_variance(monkeypatch, what, layers):
    monkeypatch.setattr(distillation, "CHUNK", 7)
    x, teacher = made_data(np.float64).train_x, teacher_of(seeds=(5, 6, 7))
    expected = preactivations(teacher, x)
    found = make_targets(NETWORK, teacher, what, torch.from_numpy(x))
    assert tuple(target.layer for target in found) == layers
    for target in found:
        z = expected[target.layer]
        np.testing.assert_allclose(target.value, z, rtol=1e-12)
        by_hand = [np.mean([np.mean((unit - unit.mean()) ** 2) for unit in one.T]) for one in z]
        np.testing.assert_allclose(target.variance, by_hand, rtol=1e-12)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize(("units", "size"), [(3, 13), (16, 16), (37, 20)])
def test_the_kernel_adds_to_the_batch_and_not_to_its_padding(units, size, dtype):
    rng = np.random.default_rng(0)
    z, delta = rng.standard_normal((2, units, 32)).astype(dtype)
    target, batch = rng.standard_normal((50, units)).astype(dtype), rng.integers(0, 50, size)
    expected = delta.astype(float)
    expected[:, :size] += 0.3 * (z[:, :size].astype(float) - target[batch].T)
    kernels.pull(batch, z, target, 0.3, delta)
    np.testing.assert_allclose(delta, expected, rtol=0, atol=1e-6 if dtype == np.float32 else 1e-14)
    np.testing.assert_array_equal(delta[:, size:], expected[:, size:].astype(dtype))


def taught(model, teacher, what, network=WIDE):
    """The model bound to the data of `bound`, and to what a teacher makes of them."""
    bind = model.bind

    def with_targets(data, order):
        bind(replace(data, targets=make_targets(network, teacher, what, data.x)), order)

    model.bind = with_targets
    return bound(model)


@pytest.mark.parametrize("density", [1.0, 0.8, 0.1])
@pytest.mark.parametrize("what", TEACHERS)
@pytest.mark.parametrize("activation", ["relu", "tanh", "erf", "linear"])
def test_every_step_is_that_of_autograd(activation, what, density):
    """With dense and sparse layers, and batches that are padded."""
    network = replace(WIDE, activation=activation)
    settings = replace(ON_WIDE, teacher=what, distillation=3.0, momentum=0.9)
    (by_hand, by_autograd), _ = pair(density, network, settings)
    (plain, _), _ = pair(density, network, replace(settings, teacher="", distillation=0.0))
    teacher = teacher_of(network)
    for model in (by_hand, by_autograd):
        taught(model, teacher, what, network)
    bound(plain)
    for _ in range(STEPS):
        for model in (by_hand, by_autograd, plain):
            model.step()
        assert distance(by_hand.parameters(), by_autograd.parameters()) < 1e-11
    assert distance(by_hand.parameters(), plain.parameters()) > 1e-3
    for delta in [*(z.delta for z, _ in by_hand.hidden), torch.from_numpy(by_hand.delta)]:
        assert delta.shape[1] == 16 and not delta[:, BATCH:].any()


def definition(parameters, teacher, what, x, y, settings) -> float:
    """The training loss on all samples as docs/method.md has it."""
    mine, theirs = (preactivations(p, x) for p in (parameters, teacher))
    loss = torch.nn.functional.cross_entropy(torch.from_numpy(settings.alpha * mine[-1][0]), torch.from_numpy(y))
    layers = {"hidden": range(2), "output": [2]}[what]
    pulls = [np.mean((mine[n] - theirs[n]) ** 2) / np.mean(np.var(theirs[n][0], axis=0)) for n in layers]
    return (float(loss) + settings.distillation / 2 * sum(pulls)) / settings.alpha**2


@pytest.mark.parametrize("alpha", [0.5, 3.0])
@pytest.mark.parametrize("what", TEACHERS)
@pytest.mark.parametrize("kind", [Replica, Stack.pruned])
def test_a_step_goes_down_the_definition(kind, what, alpha):
    """The change of weights and biases by one step, by finite differences."""
    data, teacher, start = made_data(np.float64), teacher_of(), started(dtype=np.float64).parameters
    settings = replace(PULLED, alpha=alpha, teacher=what, batch_size=60, lr=0.1)
    model = kind(NETWORK, start, all_ones(NETWORK.shapes, 1), settings)
    train_split = split_data(data, no_reference(1, 3))["train"]
    targets = make_targets(NETWORK, teacher, what, train_split.x)
    model.bind(replace(train_split, targets=targets), torch.arange(60)[None, None])
    model.step()
    after = model.parameters()
    for group, moved in ((start.weights, after.weights), (start.biases, after.biases)):
        for layer, (before, now) in enumerate(zip(group, moved, strict=True)):
            place = np.unravel_index(np.abs(now - before).argmax(), before.shape)
            value, sides = before[place], []
            for shift in (1e-6, -1e-6):
                before[place] = value + shift
                sides.append(definition(start, teacher, what, data.train_x, data.train_y, settings))
            before[place] = value
            gradient = (sides[0] - sides[1]) / 2e-6
            assert now[place] - value == pytest.approx(-0.1 * gradient, rel=1e-6), layer


def far(parameters, teacher, data):
    """The pull of each layer: the mean squared distance in units of the teacher's variance."""
    mine, theirs = (preactivations(p, data.train_x) for p in (parameters, teacher))
    return [float(np.mean((a - b) ** 2) / np.mean(np.var(b[0], axis=0))) for a, b in zip(mine, theirs, strict=True)]


@pytest.mark.parametrize("what", TEACHERS)
def test_a_strong_pull_brings_the_preactivations_to_the_teachers(what):
    data, teacher = made_data(), NETWORK.initial([5])
    start = replace(started(), teacher=teacher)
    settings = replace(
        PULLED, optimizer="adam", lr=0.02, steps=1500, milestones=(1000,), evaluate_at=(0, 1500), snapshot_at=(),
        teacher=what,
    )  # fmt: skip
    pulls = {
        strength: far(trained(replace(settings, distillation=strength), start).parameters, teacher, data)
        for strength in (1e-6, 1.0, 1e4)
    }
    for layer in {"hidden": (0, 1), "output": (2,)}[what]:
        free, some, strong = (pulls[strength][layer] for strength in pulls)
        assert strong < 1e-3 < some < free, layer
    if what == "output":
        assert pulls[1e4][0] > 0.1, "hidden units are free"


@pytest.mark.parametrize("what", TEACHERS)
def test_what_the_teacher_already_is_stays_under_a_strong_pull(what):
    p = started().parameters
    settings = replace(PULLED, distillation=1e4, teacher=what, lr=1e-4)
    moved = trained(settings, Start(p, p, p)).parameters
    other = trained(settings, Start(p, p, NETWORK.initial([5]))).parameters
    x = made_data().train_x
    assert np.abs(outputs(moved, x) - outputs(p, x)).max() < 0.1 * np.abs(outputs(other, x) - outputs(p, x)).max()


@pytest.mark.parametrize("what", TEACHERS)
def test_stacked_replicas_learn_each_from_its_own_teacher(monkeypatch, what):
    pruned = Stack.pruned
    monkeypatch.setattr(Stack, "pruned", lambda *arguments: pruned(*arguments[:4]))
    data, seeds = made_data(np.float64), (0, 1, 2)
    start = replace(started(seeds, np.float64), teacher=teacher_of(seeds=(5, 6, 7)))
    settings, masks = replace(PULLED, teacher=what, alpha=0.5, lr=0.02), some_masks(3)
    alone, stacked = (train(NETWORK, start, masks, data, seeds, settings, device) for device in ("cpu", "stack"))
    assert distance(stacked.parameters, alone.parameters) < 1e-10
    third = train(NETWORK, start.replicas([2]), some_masks(), data, (2,), settings)
    assert distance(alone.parameters.replicas([2]), third.parameters) == 0


def test_without_a_teacher_in_the_settings_there_is_no_pull():
    p, settings = started().parameters, replace(PULLED, teacher="")
    assert distance(trained(settings, Start(p, p, NETWORK.initial([5]))).parameters, trained(settings).parameters) == 0


def test_a_run_that_was_given_no_teacher_is_an_error():
    with pytest.raises(ValueError, match="learns from the dense network"):
        trained(replace(PULLED, teacher="hidden"))


def test_a_teacher_that_diverged_makes_its_pupil_diverge_and_no_other():
    p, teacher = started((0, 1)).parameters, NETWORK.initial([5, 6])
    teacher.weights[1][1] = np.nan
    outcome = trained(replace(PULLED, teacher="hidden"), Start(p, p, teacher), seeds=(0, 1))
    assert outcome.diverged.tolist() == [False, True]


def test_the_kinds_differ_from_tickets_in_their_teacher_only():
    for name, what in (("distilled", "hidden"), ("distilled_logits", "output")):
        assert replace(REWINDS[name], teacher="", uncentered="") == REWINDS["init"] and REWINDS[name].teacher == what


def test_a_network_without_hidden_layers_has_nothing_to_pull_but_its_output():
    network, x = MLP((6, 3)), torch.from_numpy(made_data().train_x)
    teacher = network.initial([5])
    assert make_targets(network, teacher, "hidden", x) == ()
    (target,) = make_targets(network, teacher, "output", x)
    assert target.layer == 0
