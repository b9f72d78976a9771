"""Dense and sparse layers are the same layer, and autograd's."""

import numpy as np
import pytest
import torch

from featprune.engine.layers import (
    CROSSOVER,
    LANES,
    SMALL,
    DenseLayer,
    SparseLayer,
    Units,
    is_sparse,
    make_layer,
    padded,
)

OUT, FAN_IN, BATCH = 11, 18, padded(13)
KINDS = [DenseLayer, SparseLayer]


def layer_mask(density):
    """Bool (OUT, FAN_IN), with an empty row unless all are full."""
    mask = torch.from_numpy(np.random.default_rng(0).random((OUT, FAN_IN)) < density)
    mask[4] = density == 1
    return mask


def built(kind, density, factor=1.0, dtype=torch.float64):
    """A layer, its input and output, and the numbers it was made of; what it prunes isn't zero before."""
    generator = torch.Generator().manual_seed(1)

    def draw(*shape):
        return torch.randn(*shape, dtype=dtype, generator=generator)

    weight, bias, mask = draw(OUT, FAN_IN), draw(OUT), layer_mask(density)
    x = Units(draw(FAN_IN, BATCH), torch.full((FAN_IN, BATCH), torch.nan, dtype=dtype))
    z = Units.zeros(OUT, BATCH, dtype)
    z.delta.copy_(draw(OUT, BATCH))
    return kind(weight, bias, mask, factor, x, z), x, z, weight * mask, bias, mask


def gradients(layer, mask):
    """Of the weights (OUT, FAN_IN) and biases (OUT,), wherever the layer keeps them."""
    flat = np.concatenate(layer.gradients)
    weights, biases = flat[:-OUT], flat[-OUT:]
    if weights.size == mask.numel():
        return weights.reshape(mask.shape), biases
    dense = np.zeros(mask.shape)
    dense[mask.numpy()] = weights
    return dense, biases


@pytest.mark.parametrize("factor", [1.0, 0.3])
@pytest.mark.parametrize("density", [0.0, 0.2, 0.7, 1.0])
@pytest.mark.parametrize("kind", KINDS)
def test_a_layer_is_its_matrix_and_its_gradients_are_autograds(kind, density, factor):
    layer, x, z, weight, bias, mask = built(kind, density, factor)
    leaves = [t.clone().requires_grad_() for t in (weight, bias, x.value)]
    expected = factor * leaves[0] @ leaves[2] + leaves[1][:, None]
    expected.backward(z.delta)
    layer.forward()
    layer.backward(need_input=True)
    weight_gradient, bias_gradient = gradients(layer, mask)
    np.testing.assert_allclose(z.value, expected.detach(), rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(weight_gradient, leaves[0].grad * mask, rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(bias_gradient, leaves[1].grad, rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(x.delta, leaves[2].grad, rtol=1e-12, atol=1e-12)
    assert (weight_gradient[~mask.numpy()] == 0).all()


@pytest.mark.parametrize("density", [0.2, 1.0])
def test_both_kinds_do_the_same_in_float32(density):
    (dense, x, z, *_, mask), (sparse, sparse_x, sparse_z, *_) = (built(k, density, 0.5, torch.float32) for k in KINDS)
    for layer in (dense, sparse):
        layer.forward()
        layer.backward(need_input=True)
    pairs = [(z.value, sparse_z.value), (x.delta, sparse_x.delta)]
    pairs += list(zip(gradients(dense, mask), gradients(sparse, mask), strict=True))
    pairs += list(zip(dense.result(), sparse.result(), strict=True))
    for one, other in pairs:
        np.testing.assert_allclose(one, other, rtol=0, atol=2e-6 * FAN_IN)


@pytest.mark.parametrize("kind", KINDS)
def test_the_first_layer_computes_no_gradient_of_the_data(kind):
    layer, x, *_ = built(kind, 0.5)
    layer.backward(need_input=False)
    assert x.delta.isnan().all(), "nothing was written there"


@pytest.mark.parametrize("samples", [1, 5, 130])
@pytest.mark.parametrize("kind", KINDS)
def test_a_layer_applies_to_any_number_of_samples(kind, samples):
    layer, _, _, weight, bias, _ = built(kind, 0.5, 2.0)
    x, z = torch.randn(FAN_IN, samples, dtype=torch.float64), torch.empty(OUT, samples, dtype=torch.float64)
    layer.apply(x, z)
    torch.testing.assert_close(z, 2 * weight @ x + bias[:, None])


@pytest.mark.parametrize("kind", KINDS)
def test_parameters_are_what_the_layer_computes_with(kind):
    layer, _, z, weight, bias, _ = built(kind, 0.5)
    for p in layer.parameters:
        p *= 3
    layer.forward()
    result, result_bias = layer.result()
    np.testing.assert_allclose(result, 3 * weight)
    np.testing.assert_allclose(result_bias, 3 * bias)
    first = z.value.clone()
    result *= 0
    result_bias *= 0
    layer.forward()
    assert torch.equal(first, z.value), "the result is a copy"
    layer.backward(need_input=False)
    assert [g.shape for g in layer.gradients] == [p.shape for p in layer.parameters]


@pytest.mark.parametrize("kind", KINDS)
def test_pruned_weights_are_zero_even_after_divergence(kind):
    layer, _, z, _, _, mask = built(kind, 0.5)
    z.delta.fill_(torch.inf)
    layer.backward(need_input=False)
    for p, g in zip(layer.parameters, layer.gradients, strict=True):
        p -= 0.1 * g
    weight, _ = layer.result()
    assert (weight[~mask.numpy()] == 0).all() and not np.isfinite(weight[mask.numpy()]).any()


def test_the_kind_is_chosen_by_size_and_density():
    small, wide = torch.ones(SMALL // 64, 64, dtype=torch.bool), torch.ones(SMALL // 64 + 1, 64, dtype=torch.bool)
    assert is_sparse(small) and not is_sparse(wide)
    thin = torch.zeros(wide.shape, dtype=torch.bool)
    thin.view(-1)[: int(CROSSOVER * thin.numel())] = True
    assert is_sparse(thin)
    x, z = Units.zeros(64, 16, torch.float32), Units.zeros(len(wide), 16, torch.float32)
    kinds = [make_layer(torch.zeros(wide.shape), torch.zeros(len(wide)), m, 1.0, x, z) for m in (wide, thin)]
    assert [type(layer) for layer in kinds] == KINDS


@pytest.mark.parametrize(("batch", "width"), [(1, LANES), (LANES, LANES), (LANES + 1, 2 * LANES)])
def test_buffers_are_whole_cache_lines(batch, width):
    assert padded(batch) == width
    assert Units.zeros(3, width, torch.float32).value.data_ptr() % 64 == 0
