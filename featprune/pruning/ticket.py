"""Controls of the lottery ticket: its own mask for other values, and masks of its density at other places."""

from __future__ import annotations

import numpy as np

from featprune.pruning.masks import Masks


def unchanged(masks: Masks, generator: np.random.Generator) -> Masks:
    """The ticket's own mask, to be trained from other values."""
    return masks


def shuffled(masks: Masks, generator: np.random.Generator) -> Masks:
    """A random mask with the ticket's density in every layer: its places shuffled within layers, (1, out, in)."""
    return [generator.permutation(mask.ravel()).reshape(mask.shape) for mask in masks]
