"""Regrowth of pruned weights."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from featprune.criteria import CRITERIA
from featprune.pruning.growth import loss_gradient
from featprune.pruning.masks import remaining
from featprune.pruning.problem import mean_loss
from featprune.pruning.rounds import extract_mask
from tests.unit.pruning.problems import VARIANTS, draw_batch, generator, make, some_masks
from tests.unit.pruning.test_criterion import NETWORK, context


@pytest.mark.parametrize("variant", VARIANTS)
def test_the_slope_is_that_of_the_loss_where_a_weight_comes_back(variant):
    problem, masks = make(moved=True, **VARIANTS[variant]), some_masks()
    x, y = draw_batch(loss=problem.loss)
    found = loss_gradient(problem, masks, (x, y), generator())
    whole = [torch.ones_like(m) for m in masks]
    start = [torch.where(m, w, 0) for w, m in zip(problem.weights, masks, strict=True)]
    network = problem.network
    centered_on = [torch.where(m, w, 0) for w, m in zip(problem.reference_weights, masks, strict=True)]
    reference = network.output(centered_on, problem.reference_biases, x) if problem.center else 0.0

    def loss(weights):
        return mean_loss(problem, problem.alpha * (network.output(weights, problem.biases, x) - reference), y)

    step, seen = 1e-6, 0
    for layer, mask in enumerate(masks):
        for i, j in (~mask).nonzero().tolist():
            ends = []
            for sign in (1, -1):
                moved = [w.clone() for w in start]
                moved[layer][i, j] += sign * step
                ends.append(loss(moved).item())
            assert found[layer][i, j].item() == pytest.approx(abs(ends[0] - ends[1]) / (2 * step), rel=1e-4, abs=1e-8)
            seen += 1
    assert seen > 5 and all(bool(m.any()) for m in whole)


def test_a_tenth_of_what_is_kept_may_come_back_and_does_so_by_slope():
    before = context(trained=NETWORK.initial([5, 6]))
    once = extract_mask(CRITERIA["magnitude"], before).layers
    later = replace(before, round=2, previous=once, trained=NETWORK.initial([5, 6]).masked(once))
    plain, grown = (extract_mask(CRITERIA[name], later).layers for name in ("magnitude", "magnitude_regrow"))
    np.testing.assert_array_equal(remaining(plain), remaining(grown))
    lost = remaining([p & ~g for p, g in zip(plain, grown, strict=True)]) / remaining(plain)
    assert ((lost > 0) & (lost < 0.12)).all()
    back = [g & ~b for g, b in zip(grown, once, strict=True)]
    assert remaining(back).min() > 0
    for replica in range(2):
        problem = later.problem(replica, later.trained, later.trained, True)
        masks = [torch.from_numpy(m[replica]) for m in once]
        slopes = loss_gradient(problem, masks, later.batch(replica), generator())
        for slope, new, chosen, old in zip(slopes, back, grown, once, strict=True):
            others = slope.numpy()[~chosen[replica] & ~old[replica]]
            if new[replica].any() and others.size:
                assert slope.numpy()[new[replica]].min() >= others.max()
