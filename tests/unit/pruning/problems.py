"""Small problems to score, and the networks, losses and masks written out that scores are compared with."""

import numpy as np
import torch

from featprune.network import MLP, Parameters
from featprune.pruning import feature_aware
from featprune.pruning.criterion import keep_gradually
from featprune.pruning.grasp import grasp
from featprune.pruning.magnitude import magnitude
from featprune.pruning.problem import Problem
from featprune.pruning.random import random
from featprune.pruning.snip import snip
from featprune.pruning.surgeon import fisher_obs, obs
from featprune.pruning.synflow import synflow
from featprune.randomness import numpy_generator

TEMPERATURE = 200.0  # of GraSP, in the paper
TINY = MLP((4, 5, 4, 3), "tanh", "he_normal")
LARGE = MLP((784, 300, 100, 10))
FEATURE_AWARE = tuple(
    getattr(feature_aware, name)
    for name in ("preactivation", "activation", "gradient", "fisher", "fisher_uncentered", "fisher_diagonal")
)
SURGEON = (obs, fisher_obs)
SCORES = (snip, grasp, synflow, *FEATURE_AWARE, *SURGEON, magnitude, random)
DETERMINISTIC = SCORES[:-1]
WITH_LOSS = (snip, grasp)
VARIANTS = {
    "plain": {},
    "centered": {"alpha": 0.7, "center": True},
    "rich": {"alpha": 0.1},
    "regression": {"alpha": 3.0, "center": True, "loss": "squared_error"},
}


def parameters(network=TINY, seed=0, bias=0.3):
    """Initial values, with random biases of the given deviation: nothing may depend on their being zero."""
    p = network.initial([seed])
    rng = np.random.default_rng(seed)
    biases = tuple((bias * rng.standard_normal(b.shape)).astype(np.float32) for b in p.biases)
    return Parameters(p.weights, biases)


def make(network=TINY, moved=False, **options):
    """A problem; `moved` takes another reference, so that a centered f isn't zero."""
    reference = parameters(network, 1) if moved else None
    return Problem.from_parameters(network, parameters(network), reference, **options)


def draw_batch(network=TINY, samples=12, loss="cross_entropy"):
    rng = np.random.default_rng(7)
    x = torch.from_numpy(rng.standard_normal((samples, network.widths[0])))
    if loss == "cross_entropy":
        return x, torch.from_numpy(rng.integers(0, network.widths[-1], samples))
    return x, torch.from_numpy(rng.standard_normal((samples, network.widths[-1])))


def some_masks(network=TINY, share=0.7):
    rng = np.random.default_rng(3)
    return [torch.from_numpy(rng.random(shape) < share) for shape in network.shapes]


def full(network=TINY):
    return [torch.ones(shape, dtype=torch.bool) for shape in network.shapes]


def generator():
    return numpy_generator(0, "test")


def flat(tensors):
    return torch.cat([t.flatten() for t in tensors])


def split(vector, network=TINY):
    sizes = [a * b for a, b in network.shapes]
    return [v.reshape(s) for v, s in zip(vector.split(sizes), network.shapes, strict=True)]


def forward(problem, weights, biases, x):
    """h written out, without featprune.network."""
    sigma = {"tanh": torch.tanh, "relu": lambda h: h.clamp(min=0), "erf": torch.erf, "linear": lambda h: h}
    a = x
    for layer, (w, b, c) in enumerate(zip(weights, biases, problem.network.multipliers, strict=True)):
        h = c * torch.einsum("pi,oi->po", a, w) + b
        a = sigma[problem.network.activation](h) if layer < len(weights) - 1 else h
    return a


def plain_loss(problem, weights, masks, batch, temperature=1.0):
    """The loss written out, of explicitly multiplied masks; the reference's output is a constant."""
    x, y = batch
    h = forward(problem, [w * m for w, m in zip(weights, masks, strict=True)], problem.biases, x)
    if problem.center:
        kept = [w * m.detach() for w, m in zip(problem.reference_weights, masks, strict=True)]
        h = h - forward(problem, kept, problem.reference_biases, x)
    f = problem.alpha * h / temperature
    if problem.loss == "squared_error":
        return ((f - y) ** 2).mean()
    return (f.exp().sum(1).log() - f[torch.arange(len(y)), y]).mean()


def close(actual, expected, rtol=1e-9):
    for a, e in zip(actual, expected, strict=True):
        assert a.shape == e.shape
        torch.testing.assert_close(a, e, rtol=rtol, atol=rtol * float(flat(expected).abs().max()))


def prune(score, problem, masks, count, batch, generator, iterations=1):
    """Masks (1, out, in) by a score of one problem, as `BeforeTraining` makes them."""

    def scorer(alive):
        return [s.numpy()[None] for s in score(problem, [torch.from_numpy(m[0]) for m in alive], batch, generator)]

    return keep_gradually(scorer, masks, count, iterations)


def collapsed(masks):
    """The layers, counted from 1, that have no weights left."""
    return [layer for layer, mask in enumerate(masks, 1) if not mask.any()]
