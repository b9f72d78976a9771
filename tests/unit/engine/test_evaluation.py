"""The splits of a run beside its reference, and metrics on them."""

import numpy as np
import pytest
import torch

from featprune.engine.evaluation import SPLITS, evaluate, no_reference, split_data
from featprune.engine.objective import Objective
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
