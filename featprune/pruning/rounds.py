"""A round's mask: a criterion applied to what it is made from. Without torch where the criterion needs none."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import zip_longest

import numpy as np

from featprune.pruning.criterion import Context, Criterion
from featprune.pruning.masks import Mask


def extract_mask(criterion: Criterion, context: Context) -> Mask:
    """The mask of the context's round, of all its replicas.

    A replica is sound where the values that its mask is made from are finite, and as sound as the ticket where they
    are the ticket's.
    """
    if context.ticket is not None:
        sound = context.ticket.sound
    elif context.trained is not None:
        sound = context.trained.finite()
    else:
        sound = np.ones(len(context.seeds), bool)
    return Mask(criterion.masks(context), sound)


def extract_masks(
    criterion: Criterion, context: Context, rounds: Sequence[int], tickets: Sequence[Mask] = ()
) -> Iterator[Mask]:
    """The masks of consecutive rounds, without any training between them: what a criterion that isn't made from its
    own chain's weights needs. context: that of the first round. tickets: the ticket's mask of each round."""
    for round, ticket in zip_longest(rounds, tickets):
        mask = extract_mask(criterion, replace(context, round=round, ticket=ticket))
        yield mask
        context = replace(context, previous=mask.layers)
