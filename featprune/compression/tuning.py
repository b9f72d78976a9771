"""Training the values that a quantized network's weights share (Han, Mao & Dally 2016, section 3.3)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import torch
from torch import Tensor

from featprune.compression.quantization import Quantized
from featprune.engine.evaluation import Split
from featprune.engine.settings import Settings
from featprune.engine.stack import Stack
from featprune.engine.training import fit
from featprune.errors import FeatpruneError
from featprune.network import MLP


def fine_tuning(settings: Settings, steps: int, behind: int) -> Settings:
    """A run's settings for training its shared values for some steps after those that lie behind, without a teacher."""
    return replace(settings, steps=steps, behind=behind, milestones=(), evaluate_at=(), snapshot_at=(), teacher="")


def fine_tune(
    quantized: Quantized, network: MLP, data: Mapping[str, Split], settings: Settings, seed: int = 0
) -> Quantized:
    """Train centroids and biases for `settings.steps` steps, codes and masks being fixed.

    A centroid's gradient is the sum of its weights' gradients (the paper's equation 3), weight decay included. All
    else is as in the training of the network itself (`featprune.engine.training`), with the batches of `seed`.

    The codebook of the result need not be ascending. Raises FeatpruneError where training diverges.
    """
    if not settings.steps:
        return quantized
    masks, codes = ([torch.from_numpy(a) for a in group] for group in (quantized.masks, quantized.codes))

    def weights(codebooks: list[Tensor]) -> list[Tensor]:
        return [shared_weights(*layer) for layer in zip(codebooks, masks, codes, strict=True)]

    stack = Stack(network, quantized.codebooks, quantized.biases, weights, settings)
    fit(stack, data, [seed], settings)
    codebooks, biases = (tuple(t.detach().numpy() for t in group) for group in (stack.trained, stack.biases))
    if not all(np.isfinite(a).all() for a in codebooks + biases):
        raise FeatpruneError(f"fine-tuning the centroids diverged at lr {settings.lr:g}; lower it")
    return replace(quantized, codebooks=codebooks, biases=biases)


def shared_weights(codebook: Tensor, mask: Tensor, codes: Tensor) -> Tensor:
    """A layer's dense weights (1, out, in) of its codebook (c,), mask (1, out, in) and codes uint8 (k,).

    Differentiable: the gradient of a centroid is the sum over the weights that share it.
    """
    return codebook.new_zeros(mask.shape).masked_scatter(mask, codebook[codes.long()])
