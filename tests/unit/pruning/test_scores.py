import math
from dataclasses import replace

import pytest
import torch

from featprune.pruning.magnitude import magnitude
from featprune.pruning.snip import snip
from featprune.pruning.synflow import synflow
from tests.unit.pruning.problems import (
    DETERMINISTIC,
    FEATURE_AWARE,
    SCORES,
    SURGEON,
    TINY,
    close,
    draw_batch,
    full,
    generator,
    make,
    some_masks,
)


def test_magnitude_is_that_of_effective_weights():
    network = replace(TINY, parametrization="mean_field")
    problem = make(network)
    scores = magnitude(problem, full(), draw_batch(), generator())
    close(scores, [problem.weights[0].abs() / 2, problem.weights[1].abs() / math.sqrt(5), problem.weights[2].abs() / 4])


@pytest.mark.parametrize("score", SCORES)
@pytest.mark.parametrize("center", [False, True])
def test_pruned_weights_score_zero_and_cannot_be_felt(score, center):
    problem, masks, batch = make(center=center), some_masks(), draw_batch()
    before = [w.clone() for w in problem.weights]
    scores = score(problem, masks, batch, generator())
    assert all((s[~m] == 0).all() and not s.requires_grad for s, m in zip(scores, masks, strict=True))
    spoiled = [torch.where(m, w, torch.nan) for w, m in zip(problem.weights, masks, strict=True)]
    other = replace(problem, weights=spoiled, reference_weights=spoiled)
    assert all(torch.equal(a, b) for a, b in zip(scores, score(other, masks, batch, generator()), strict=True))
    assert all(torch.equal(a, b) and not a.requires_grad for a, b in zip(problem.weights, before, strict=True))


@pytest.mark.parametrize("score", DETERMINISTIC)
@pytest.mark.parametrize("center", [False, True])
def test_hidden_units_have_no_order(score, center):
    problem, batch, masks = make(center=center, alpha=0.5), draw_batch(), some_masks()
    first, second = torch.tensor([3, 0, 4, 1, 2]), torch.tensor([2, 3, 1, 0])

    def permute(tensors):
        a, b, c = tensors
        return [a[first], b[second][:, first], c[:, second]]

    def permute_units(tensors):
        a, b, c = tensors
        return [a[first], b[second], c]

    permuted = replace(
        problem,
        weights=permute(problem.weights),
        biases=permute_units(problem.biases),
        reference_weights=permute(problem.reference_weights),
        reference_biases=permute_units(problem.reference_biases),
    )
    expected = permute(score(problem, masks, batch, generator()))
    close(score(permuted, permute(masks), batch, generator()), expected)


@pytest.mark.parametrize("score", [snip, synflow, magnitude, *FEATURE_AWARE, *SURGEON])
@pytest.mark.parametrize("parametrization", ["ntk", "mean_field"])
def test_parametrization_of_the_same_effective_weights_does_not_matter(score, parametrization):
    network = replace(TINY, parametrization=parametrization)
    problem, batch = make(center=True), draw_batch()
    stored = [w / c for w, c in zip(problem.weights, network.multipliers, strict=True)]
    other = replace(problem, network=network, weights=stored, reference_weights=stored)
    close(score(other, full(), batch, generator()), score(problem, full(), batch, generator()))
