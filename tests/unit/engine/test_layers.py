"""Dense and sparse layers are the same layer, and autograd's."""

import numpy as np
import pytest
import torch

from featprune.engine import layers
from featprune.engine.layers import (
    BLOCK,
    CROSSOVER,
    SMALL,
    DenseLayer,
    SparseLayer,
    Units,
    is_sparse,
    make_layer,
    padded,
)
from featprune.engine.vectors import LANES

OUT, FAN_IN, SAMPLES = 11, 18, 13
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
    x, z = Units.zeros(FAN_IN, SAMPLES, dtype), Units.zeros(OUT, SAMPLES, dtype)
    x.value[:, :SAMPLES] = draw(FAN_IN, SAMPLES)
    x.delta.fill_(torch.nan)
    z.delta[:, :SAMPLES] = draw(OUT, SAMPLES)
    return kind(weight, bias, mask, factor, x, z), x, z, weight * mask, bias, mask


def gradients(layer, mask):
    """Of the weights (OUT, FAN_IN) and biases (OUT,), wherever the layer keeps them: what its rule is given."""
    parts = []

    def keep(p, g, m, v):
        parts.append(g.copy())

    layer.update(keep, keep)
    flat = np.concatenate(parts)
    weights, biases = flat[:-OUT], flat[-OUT:]
    if weights.size == mask.numel():
        return weights.reshape(mask.shape), biases
    dense = np.zeros(mask.shape)
    dense[layer.places] = weights
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
    layer.backward()
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
        layer.backward()
    pairs = [(z.value, sparse_z.value), (x.delta, sparse_x.delta)]
    pairs += list(zip(gradients(dense, mask), gradients(sparse, mask), strict=True))
    pairs += list(zip(dense.result(), sparse.result(), strict=True))
    for one, other in pairs:
        np.testing.assert_allclose(one, other, rtol=0, atol=2e-6 * FAN_IN)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("rows", [1, 7, 100])
@pytest.mark.parametrize("density", [0.7, 1.0])
def test_blocks_of_rows_decide_no_bits(monkeypatch, density, rows, dtype):
    """The gradient and its update go a block of rows at a time."""
    whole, _, _, _, _, mask = built(DenseLayer, density, 0.5, dtype)
    assert BLOCK // (8 * FAN_IN) > OUT, "one block"
    monkeypatch.setattr(layers, "BLOCK", rows * FAN_IN * whole.weight.element_size())
    cut, *_ = built(DenseLayer, density, 0.5, dtype)
    assert len(whole.blocks) == 1 and len(cut.blocks) == -(-OUT // rows)
    for one, other in zip(gradients(whole, mask), gradients(cut, mask), strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("at_hand", [False, True])
def test_a_dense_layer_takes_its_input_by_rows_where_it_is_at_hand(at_hand):
    """The data is stored by rows too, a hidden layer's values by columns only."""
    layer, x, z, weight, bias, mask = built(DenseLayer, 0.7)
    if at_hand:
        x.rows = x.value.t().contiguous()
        layer = DenseLayer(weight, bias, mask, 1.0, x, z)
    x.value[:, :SAMPLES] += 1  # after the layer was made
    if at_hand:
        x.rows += 1
    expected = (z.delta @ x.value.t() * mask).numpy()
    np.testing.assert_allclose(gradients(layer, mask)[0], expected, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("samples", [16, 64, 144])
@pytest.mark.parametrize("kind", KINDS)
def test_a_layer_applies_to_any_number_of_whole_cache_lines(kind, samples):
    layer, _, _, weight, bias, _ = built(kind, 0.5, 2.0)
    x, z = torch.randn(FAN_IN, samples, dtype=torch.float64), torch.empty(OUT, samples, dtype=torch.float64)
    layer.apply(x, z)
    torch.testing.assert_close(z, 2 * weight @ x + bias[:, None])


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_updated_is_what_the_layer_computes_with(kind):
    def tripled(p, g, m, v):
        assert p.shape == g.shape == m.shape == v.shape
        assert not m.any() and not v.any()
        p *= 3

    layer, _, z, weight, bias, _ = built(kind, 0.5)
    layer.update(tripled, tripled)
    layer.forward()
    result, result_bias = layer.result()
    np.testing.assert_allclose(result, 3 * weight)
    np.testing.assert_allclose(result_bias, 3 * bias)
    first = z.value.clone()
    result *= 0
    result_bias *= 0
    layer.forward()
    assert torch.equal(first, z.value), "the result is a copy"


@pytest.mark.parametrize("kind", KINDS)
def test_each_parameter_keeps_its_own_moments(monkeypatch, kind):
    """Twice the sum of a parameter's gradients, whatever the block it is in."""

    def summing(p, g, m, v):
        m += g
        v += m
        p[:] = v

    monkeypatch.setattr(layers, "BLOCK", 3 * FAN_IN * 8)
    layer, x, _, _, _, mask = built(kind, 0.5)
    first, first_bias = gradients(layer, mask)
    layer.update(summing, summing)
    x.value.neg_()
    layer.update(summing, summing)
    weight, bias = layer.result()
    np.testing.assert_allclose(weight, first, rtol=1e-12)  # g + (g - g)
    np.testing.assert_allclose(bias, 3 * first_bias, rtol=1e-12)


@pytest.mark.parametrize("kind", KINDS)
def test_pruned_weights_are_zero_even_after_divergence(kind):
    def descent(p, g, m, v):
        p -= 0.1 * g

    layer, _, z, _, _, mask = built(kind, 0.5)
    z.delta.fill_(torch.inf)
    layer.update(descent, descent)
    weight, _ = layer.result()
    assert (weight[~mask.numpy()] == 0).all() and not np.isfinite(weight[mask.numpy()]).any()


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_pruned_may_have_been_anything(kind):
    generator = torch.Generator().manual_seed(1)
    weight, bias = (torch.randn(*s, generator=generator) for s in ((OUT, FAN_IN), (OUT,)))
    mask, x, z = layer_mask(0.5), Units.zeros(FAN_IN, SAMPLES, torch.float32), Units.zeros(OUT, SAMPLES, torch.float32)
    weight[~mask] = torch.nan
    layer = kind(weight, bias, mask, 1.0, x, z)
    layer.forward()
    assert z.value.isfinite().all()
    assert np.isfinite(layer.result()[0]).all()


def test_the_kind_is_chosen_by_size_and_density():
    small, wide = torch.ones(SMALL // 64, 64, dtype=torch.bool), torch.ones(SMALL // 64 + 1, 64, dtype=torch.bool)
    assert is_sparse(small) and not is_sparse(wide)
    thin = torch.zeros(wide.shape, dtype=torch.bool)
    thin.view(-1)[: int(CROSSOVER * thin.numel())] = True
    assert is_sparse(thin)
    x, z = Units.zeros(64, 16, torch.float32), Units.zeros(len(wide), 16, torch.float32)
    few = torch.ones(SMALL, LANES - 1, dtype=torch.bool)
    assert is_sparse(few), "the dense gradient takes whole vectors of inputs"
    kinds = [make_layer(torch.zeros(wide.shape), torch.zeros(len(wide)), m, 1.0, x, z) for m in (wide, thin)]
    assert [type(layer) for layer in kinds] == KINDS


@pytest.mark.parametrize(("batch", "width"), [(1, LANES), (LANES, LANES), (LANES + 1, 2 * LANES)])
def test_buffers_are_whole_cache_lines(batch, width):
    assert padded(batch) == width
    units = Units.zeros(3, batch, torch.float32)
    assert units.value.shape == units.delta.shape == (3, width) and units.value.data_ptr() % 64 == 0
