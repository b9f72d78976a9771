"""The splits of a run beside its reference, and metrics on them."""

import numpy as np
import pytest
import torch

from featprune.engine.evaluation import SPLITS, Record, evaluate, no_reference, split_data
from featprune.engine.objective import Objective
from featprune.network import Parameters
from tests.unit.engine.test_training import NETWORK, doubled, made_data

SEEDS = (0, 1)


def output(seeds):
    """h of these seeds' initial values in float64, (R, n, outputs)."""
    p = doubled(NETWORK.initial(seeds))
    return lambda x: torch.from_numpy(NETWORK.output(p.weights, p.biases, x.numpy()))


def test_every_split_has_its_reference_outputs():
    data, reference = made_data(np.float64), output(SEEDS)
    splits = split_data(data, reference)
    assert tuple(splits) == SPLITS
    for name, split in splits.items():
        np.testing.assert_array_equal(split.x, getattr(data, f"{name}_x"))
        np.testing.assert_array_equal(split.y, getattr(data, f"{name}_y"))
        assert torch.equal(split.reference, reference(split.x))
        assert len(split) == 60 and split.reference.shape == (2, 60, 3)


def test_reference_outputs_are_computed_when_they_are_used_and_once():
    calls = []

    def reference(x):
        calls.append(len(x))
        return output(SEEDS)(x)

    splits = split_data(made_data(np.float64), reference)
    assert calls == []
    assert splits["test"].reference is splits["test"].reference and calls == [60]


def test_without_a_reference_its_outputs_are_zeros():
    for split in split_data(made_data(), no_reference(4, 3)).values():
        assert split.reference.shape == (4, 60, 3) and split.reference.dtype == split.x.dtype
        assert not split.reference.any()


@pytest.mark.parametrize("samples", [7, None])
def test_metrics_are_those_of_f_on_the_first_samples(samples):
    objective = Objective("cross_entropy", 0.5)
    split = split_data(made_data(np.float64), output((2, 3)))["test"]
    losses, accuracies = evaluate(output(SEEDS), split, objective, samples)
    for i in range(2):
        f = 0.5 * (output(SEEDS)(split.x)[i] - output((2, 3))(split.x)[i])[:samples]
        y = split.y[:samples]
        assert losses[i] == pytest.approx(torch.nn.functional.cross_entropy(f, y).item(), rel=1e-12)
        assert accuracies[i] == (f.argmax(1) == y).double().mean()


def drawn(*seeds):
    """Networks by the seed of each replica, doubled."""
    return doubled(Parameters.stack([NETWORK.initial([seed]) for seed in seeds]))


def output_of(p):
    return lambda x: torch.from_numpy(NETWORK.output(p.weights, p.biases, x.numpy()))


def test_the_early_stop_of_each_replica_is_tested_and_no_other_step():
    data, objective = made_data(np.float64), Objective("cross_entropy", 1.0)
    splits = split_data(data, no_reference(2, 3))
    # Networks that nothing trains, in the order of their validation losses: each replica is best at another step.
    candidates = sorted(range(6), key=lambda s: evaluate(output_of(drawn(s)), splits["validation"], objective)[0][0])
    best, middle, worst = candidates[0], candidates[2], candidates[4]
    path = {0: drawn(worst, best), 3: drawn(best, middle), 9: drawn(middle, worst)}
    record = Record(splits, [7, 8], objective, np.zeros(2, bool))
    for step, parameters in path.items():
        record.look(step, output_of(parameters), lambda p=parameters: p, None)
    record.finish(9, output_of(path[9]), None, output_of)
    history = record.history()
    tested = history["split"] == "test"
    assert list(zip(history["seed"][tested], history["step"][tested], strict=True)) == [(7, 3), (7, 9), (8, 0), (8, 9)]
    expected = evaluate(output_of(drawn(best)), splits["test"], objective)
    for metric, value in zip(("loss", "accuracy"), expected, strict=True):
        assert history[metric][tested][0] == history[metric][tested][2] == value[0]


def test_where_the_last_step_is_best_nothing_is_tested_twice():
    data, objective = made_data(np.float64), Objective("cross_entropy", 1.0)
    splits = split_data(data, no_reference(1, 3))
    losses = [evaluate(output_of(drawn(seed)), splits["validation"], objective)[0][0] for seed in range(4)]
    good, bad = np.argmin(losses), np.argmax(losses)
    record = Record(splits, [0], objective, np.zeros(1, bool))
    for step, seed in ((0, bad), (5, good)):
        record.look(step, output_of(drawn(seed)), lambda seed=seed: drawn(seed), None)
    record.finish(5, output_of(drawn(good)), None, output_of)
    assert record.history()["split"].tolist() == ["validation", "train", "validation", "test"]


def test_a_replica_that_diverged_has_no_early_stop():
    splits = split_data(made_data(np.float64), no_reference(1, 3))
    record = Record(splits, [0], Objective("cross_entropy", 1.0), np.zeros(1, bool))
    record.look(0, output_of(drawn(0)), lambda: drawn(0), None)
    nowhere = drawn(0)
    nowhere.biases[-1][:] = np.nan
    record.look(4, output_of(nowhere), lambda: nowhere, None)
    record.finish(4, output_of(nowhere), None, output_of)
    assert record.diverged.all() and np.isnan(record.history()["loss"][1:]).all()
    assert not (record.history()["step"][record.history()["split"] == "test"] == 0).any()
