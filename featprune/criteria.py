"""The registry of criteria: what to remove.

To add a criterion, write a score in a module of its own, as in `featprune/pruning/snip.py`, enter it below as
`BeforeTraining` (scores the initialization) or `AfterTraining` (scores trained weights), and name it under
`pruning.criteria` in the config. `featprune/pruning/criterion.py` says what else a criterion may be.
"""

from __future__ import annotations

from collections.abc import Sequence

from featprune.pruning import feature_aware
from featprune.pruning.criterion import AfterTraining, BeforeTraining, Criterion, OfTicket, Regrowing, Unpruned
from featprune.pruning.fold import fold
from featprune.pruning.grasp import grasp
from featprune.pruning.lamp import lamp
from featprune.pruning.magnitude import magnitude
from featprune.pruning.movement import movement
from featprune.pruning.random import random
from featprune.pruning.snip import snip
from featprune.pruning.surgeon import fisher_obs, obs, surgeon
from featprune.pruning.synflow import synflow
from featprune.pruning.ticket import shuffled, unchanged

CRITERIA: dict[str, Criterion] = {
    "magnitude": AfterTraining(magnitude, gradients=False),
    "magnitude_one_shot": AfterTraining(magnitude, at_once=True, gradients=False),
    "preactivation": AfterTraining(feature_aware.preactivation),
    "fisher": AfterTraining(feature_aware.fisher),
    "fisher_diagonal": AfterTraining(feature_aware.fisher_diagonal),
    "fisher_uncentered": AfterTraining(feature_aware.fisher_uncentered),
    "activation": AfterTraining(feature_aware.activation),
    "gradient": AfterTraining(feature_aware.gradient),
    # Differentiates nothing, but is told where the run started.
    "movement": AfterTraining(movement),
    "magnitude_regrow": Regrowing(magnitude),
    "fisher_regrow": Regrowing(feature_aware.fisher),
    "lamp": AfterTraining(lamp, gradients=False),
    "obs": AfterTraining(obs, repair=surgeon),
    "fisher_obs": AfterTraining(fisher_obs, repair=surgeon),
    "magnitude_fold": AfterTraining(magnitude, gradients=False, rewinds=("none",), repair=fold),
    "magnitude_surgeon": AfterTraining(magnitude, gradients=False, rewinds=("none",), repair=surgeon),
    "preactivation_fold": AfterTraining(feature_aware.preactivation, rewinds=("none",), repair=fold),
    "fisher_fold": AfterTraining(feature_aware.fisher, rewinds=("none",), repair=fold),
    "fisher_surgeon": AfterTraining(feature_aware.fisher, rewinds=("none",), repair=surgeon),
    "snip": BeforeTraining(snip),
    "snip_iterative": BeforeTraining(snip, at_once=False),
    "grasp": BeforeTraining(grasp),
    "grasp_iterative": BeforeTraining(grasp, at_once=False),
    "synflow": BeforeTraining(synflow, iterations=100),
    "magnitude_init": BeforeTraining(magnitude, gradients=False),
    "random": BeforeTraining(random, at_once=False, gradients=False),
    "ticket": OfTicket(unchanged),
    "shuffled": OfTicket(shuffled, rewinds=("init",)),
    "dense": Unpruned(),
}


def crossed(criteria: Sequence[str], rewinds: Sequence[str]) -> list[tuple[str, str]]:
    """The (criterion, rewind) pairs that a selection of both means."""
    return [(criterion, rewind) for criterion in criteria for rewind in (CRITERIA[criterion].rewinds or rewinds)]
