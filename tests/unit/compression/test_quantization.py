import numpy as np
import pytest
from sklearn.cluster import KMeans

from featprune.compression.quantization import Quantized, linear_centroids, quantize
from featprune.errors import FeatpruneError
from featprune.network import MLP, Parameters

NETWORK = MLP((6, 16, 12, 3), "tanh", "he_normal")


def some_masks(density=0.6, network=NETWORK):
    rng = np.random.default_rng(1)
    return [rng.random((1, *shape)) < density for shape in network.shapes]


def small(bits=(3, 3, 3), density=0.6) -> Quantized:
    return quantize(NETWORK.initial([0]), some_masks(density), bits)


def layer_of(values, mask=None) -> tuple[Parameters, list[np.ndarray]]:
    weight = np.asarray(values, np.float32).reshape(1, 1, -1)
    masks = [np.ones(weight.shape, bool) if mask is None else np.asarray(mask).reshape(weight.shape)]
    return Parameters((weight,), (np.zeros((1, 1), np.float32),)), masks


def test_centroids_start_equally_spaced_between_the_extremes(monkeypatch):
    np.testing.assert_allclose(linear_centroids(np.array([0.5, -1.0, 2.0]), 4), [-1, 0, 1, 2])
    starts = []
    fit = KMeans.fit

    def watched(self, x):
        starts.append(self.init[:, 0])
        return fit(self, x)

    monkeypatch.setattr(KMeans, "fit", watched)
    values = np.random.default_rng(0).standard_normal(300)
    quantize(*layer_of(values), [4])
    spacing = np.diff(starts[0])
    np.testing.assert_allclose(spacing, spacing[0])
    np.testing.assert_allclose(starts[0][[0, -1]], [values.min(), values.max()], rtol=1e-6)


def test_a_weight_has_its_nearest_centroid_and_a_centroid_is_the_mean_of_its_weights():
    values = np.random.default_rng(0).standard_normal(500)
    parameters, masks = layer_of(values)
    q = quantize(parameters, masks, [4])
    codebook, weights = q.codebooks[0], parameters.weights[0].ravel()
    assert (len(codebook), codebook.dtype, q.codes[0].dtype) == (16, np.float32, np.uint8)
    np.testing.assert_array_equal(q.codes[0], np.abs(weights[:, None] - codebook).argmin(1))
    means = [weights[q.codes[0] == c].mean() for c in range(16)]
    np.testing.assert_allclose(codebook, means, atol=1e-6)


def test_clusters_of_a_made_case_are_found():
    parameters, masks = layer_of(
        [-1.1, 9, -0.9, 3.0, 9, 3.2, -1.0, 2.8], [True, False, True, True, False, True, True, True]
    )
    q = quantize(parameters, masks, [1])
    np.testing.assert_array_equal(q.codes[0], [0, 0, 1, 1, 0, 1])
    np.testing.assert_allclose(q.codebooks[0], [-1, 3], rtol=1e-6)
    np.testing.assert_allclose(q.parameters().weights[0].ravel(), [-1, 0, -1, 3, 0, 3, -1, 3], rtol=1e-6)


def test_few_distinct_weights_are_kept_exactly():
    parameters, masks = layer_of([0.1, -0.3, 0.1, 0.7, 0.1])
    q = quantize(parameters, masks, [2])
    assert len(q.codebooks[0]) == 3
    np.testing.assert_array_equal(q.parameters().weights[0], parameters.weights[0])


def test_an_empty_layer_has_neither_codes_nor_centroids():
    q = quantize(*layer_of([1.0, 2.0], [False, False]), [6])
    assert len(q.codes[0]) == len(q.codebooks[0]) == 0
    assert not q.parameters().weights[0].any()


@pytest.mark.parametrize("bits", [1, 5, 8])
def test_pruned_weights_are_exactly_zero_and_more_bits_come_closer(bits):
    start, masks = NETWORK.initial([0]), some_masks()
    q = quantize(start, masks, [bits] * 3)
    error = [np.abs(w - v)[m].max() for w, v, m in zip(start.weights, q.parameters().weights, masks, strict=True)]
    span = [np.ptp(w[m]) for w, m in zip(start.weights, masks, strict=True)]
    assert all(e <= s / 2**bits for e, s in zip(error, span, strict=True))
    for w, m in zip(q.parameters().weights, masks, strict=True):
        assert (w[~m] == 0).all()


def test_quantizing_twice_gives_the_same():
    for one, other in zip(small().codebooks, small().codebooks, strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("bits", [(0, 3, 3), (9, 3, 3), (3, 3)])
def test_bits_out_of_range_are_an_error(bits):
    with pytest.raises(FeatpruneError, match="1 to 8"):
        small(bits)


def test_a_diverged_network_is_an_error():
    with pytest.raises(FeatpruneError, match=r"layer 1.*finite"):
        quantize(*layer_of([1.0, np.nan]), [1])
    quantize(*layer_of([1.0, np.nan], [True, False]), [1])  # a pruned weight doesn't matter


def test_several_networks_are_an_error():
    with pytest.raises(ValueError, match="one network"):
        quantize(NETWORK.initial([0, 1]), [np.repeat(m, 2, 0) for m in some_masks()], [3] * 3)
