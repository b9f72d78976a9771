"""Losses and metrics against their definitions, and the fused kernels against them."""

import subprocess
import sys

import numpy as np
import pytest
import torch

from featprune.data import DATASETS
from featprune.engine import kernels
from featprune.engine.objective import LOSSES, Objective
from featprune.errors import FeatpruneError

REPLICAS, SAMPLES, OUTPUTS = 3, 11, 4
KINDS = ["classification", "regression"]


def outputs(seed=0, shape=(REPLICAS, SAMPLES, OUTPUTS)):
    return torch.from_numpy(np.random.default_rng(seed).standard_normal(shape))


def labels(kind, shape=(REPLICAS, SAMPLES)):
    rng = np.random.default_rng(1)
    drawn = rng.integers(0, OUTPUTS, shape) if kind == "classification" else rng.standard_normal((*shape, OUTPUTS))
    return torch.from_numpy(drawn)


def by_hand(kind, f, y) -> float:
    """The mean loss of one network, written as in its definition."""
    f, y = f.numpy(), y.numpy()
    if kind == "regression":
        return ((f - y) ** 2).sum() / f.size
    probabilities = np.exp(f) / np.exp(f).sum(1, keepdims=True)
    return -np.log(probabilities[np.arange(len(y)), y]).mean()


def loss_for(kind) -> str:
    (name,) = (name for name, loss in LOSSES.items() if loss.kind == kind)
    return name


def test_f_is_alpha_times_the_distance_from_the_reference():
    h, reference = outputs(), outputs(1)
    objective = Objective("cross_entropy", 0.3)
    torch.testing.assert_close(objective.f(h, reference), 0.3 * h - 0.3 * reference)
    assert not objective.f(h, h).any()
    assert torch.equal(objective.f(h), 0.3 * h), "not centered"
    assert torch.equal(objective.f(h), objective.f(h, torch.zeros_like(h)))


@pytest.mark.parametrize("kind", KINDS)
def test_a_loss_is_the_mean_of_each_network_with_labels_of_its_own_or_shared(kind):
    objective, f = Objective(loss_for(kind), 0.5), outputs()
    for y in (labels(kind), labels(kind, (SAMPLES,))):
        own = y if len(y) == REPLICAS else [y] * REPLICAS
        expected = [by_hand(kind, a, b) for a, b in zip(f, own, strict=True)]
        np.testing.assert_allclose(objective.losses(f, y).numpy(), expected, rtol=1e-12)
        np.testing.assert_allclose(objective.training_losses(f, y).numpy(), np.array(expected) / 0.25, rtol=1e-12)
    alone = objective.losses(f[1], labels(kind)[1])
    assert alone.shape == () and float(alone) == pytest.approx(by_hand(kind, f[1], labels(kind)[1]), rel=1e-12)


@pytest.mark.parametrize("kind", KINDS)
def test_networks_share_no_gradient(kind):
    objective, y = Objective(loss_for(kind), 2.0), labels(kind)
    together = outputs().requires_grad_()
    objective.training_losses(together, y).sum().backward()
    for i in range(REPLICAS):
        alone = outputs()[i].requires_grad_()
        objective.training_losses(alone, y[i]).backward()
        torch.testing.assert_close(together.grad[i], alone.grad, rtol=1e-12, atol=0)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_metrics_are_losses_and_accuracies_in_float64(dtype):
    f, y = outputs().to(dtype), labels("classification", (SAMPLES,))
    losses, accuracies = Objective("cross_entropy", 0.5).metrics(f, y)
    assert losses.dtype == accuracies.dtype == np.float64
    np.testing.assert_allclose(losses, [by_hand("classification", a.double(), y) for a in f], rtol=1e-6)
    np.testing.assert_array_equal(accuracies, [(a.numpy().argmax(1) == y.numpy()).mean() for a in f])
    assert 0 < accuracies.max() < 1
    losses, accuracies = Objective("squared_error", 0.5).metrics(f, labels("regression", (SAMPLES,)))
    assert losses.shape == accuracies.shape == (REPLICAS,)
    assert np.isfinite(losses).all() and np.isnan(accuracies).all()


@pytest.mark.parametrize("centered", [True, False])
@pytest.mark.parametrize("alpha", [0.01, 0.3, 1.0, 30.0])
@pytest.mark.parametrize("loss", LOSSES)
def test_the_fused_kernel_is_the_gradient_of_the_training_loss(loss, alpha, centered):
    kind, samples, batch = LOSSES[loss].kind, 20, np.array([3, 19, 7, 7, 0])
    h, y = outputs(2, (OUTPUTS, 8)), labels(kind, (samples,))
    reference = outputs(3, (samples, OUTPUTS)) if centered else torch.zeros(samples, OUTPUTS, dtype=torch.float64)
    # Of the buffer (outputs, 8), the batch takes 5 columns; the rest is padding.
    leaf = h[:, : len(batch)].t().clone().requires_grad_()
    objective = Objective(loss, alpha)
    objective.training_losses(objective.f(leaf, reference[batch]), y[batch]).backward()
    for dtype, tolerance in ((np.float64, 1e-12), (np.float32, 2e-6)):
        delta = np.full((OUTPUTS, 8), 7, dtype)
        own = [
            a.numpy() if a.dtype == torch.int64 else a.numpy().astype(dtype) for a in (h, reference[batch], y[batch])
        ]
        getattr(kernels, LOSSES[loss].kernel)(*own, alpha, delta)
        expected = leaf.grad.t().numpy()
        np.testing.assert_allclose(delta[:, : len(batch)], expected, rtol=0, atol=tolerance * np.abs(expected).max())
        assert (delta[:, len(batch) :] == 7).all(), "padding was written to"


def test_large_outputs_overflow_neither_loss_nor_kernel():
    h = np.array([[3000.0, -3000.0], [0.0, 2000.0]], np.float32)
    delta = np.zeros_like(h)
    kernels.cross_entropy_gradient(h, np.zeros((2, 2), np.float32), np.array([0, 0]), 1.0, delta)
    np.testing.assert_allclose(delta, [[0, -0.5], [0, 0.5]])
    losses = Objective("cross_entropy", 1.0).losses(torch.from_numpy(h.T.copy())[None], torch.tensor([0, 0]))
    assert float(losses) == 2500


def test_every_kind_of_dataset_has_one_usual_loss():
    kinds = [loss.kind for loss in LOSSES.values()]
    assert sorted(kinds) == sorted({source.kind for source in DATASETS.values()})


def test_an_unknown_loss_is_an_error_that_lists_them():
    with pytest.raises(FeatpruneError, match=r"unknown loss 'cross'.*cross_entropy, squared_error"):
        Objective("cross", 1.0).losses(outputs(), labels("classification"))


def test_choices_are_read_without_torch_and_numba():
    code = "import sys, featprune.engine.settings; print({'torch', 'numba'} & {*sys.modules})"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert result.stdout.strip() == "set()"
