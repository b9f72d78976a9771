"""What an extraction finds on disk is of its network, its schedule and its round."""

from pathlib import Path

import numpy as np
import pytest

from featprune.errors import FeatpruneError
from featprune.network import MLP
from featprune.pruning.masks import Mask, keep_highest
from featprune.runs.before import context_of, masks_of, tickets_of
from featprune.runs.files import pack, save_mask
from featprune.runs.paths import Cell, RunPath
from featprune.storage import save_arrays
from tests.unit.engine.test_training import NETWORK, made_data
from tests.unit.runs.chains import SCHEDULE, SEEDS

PARAMS = {
    "seeds": SEEDS,
    "criterion": "magnitude",
    "schedule": {"scope": SCHEDULE.scope, "rates": SCHEDULE.rates},
    "rewind": "init",
    "rounds": [2],
    "samples": 1,
    "objective": {"alpha": 1.0, "center": True, "loss": "cross_entropy"},
}


def drawn(round: int, within=None, seed: int = 0) -> Mask:
    """A random mask with the counts of a round, nested in another."""
    rng = np.random.default_rng(seed)
    whole = [np.ones((2, *shape), bool) for shape in NETWORK.shapes]
    scores = [rng.random(layer.shape) for layer in whole]
    counts = SCHEDULE.counts([layer[0].size for layer in whole], round)
    return Mask(keep_highest(scores, within.layers if within else whole, counts), np.ones(2, bool))


def saved(root: Path, round: int, mask: Mask) -> tuple[Path, Path]:
    folder = Path(RunPath(Cell("made", "1", "1", "magnitude", "init"), round, "0-1").folder(str(root)))
    save_mask(folder / "mask.safetensors", folder / "density.parquet", mask, SEEDS)
    weights = pack(NETWORK.initial(SEEDS).masked(mask.layers), mask.layers)
    save_arrays(folder / "weights.safetensors", weights | {"seeds": np.array(SEEDS, np.int32)})
    return folder / "mask.safetensors", folder / "weights.safetensors"


def test_a_mask_with_other_counts_than_the_schedules_is_named(tmp_path):
    assert context_of(PARAMS, NETWORK, made_data(), *saved(tmp_path, 1, drawn(1))).trained is not None
    files = saved(tmp_path, 1, drawn(2))
    with pytest.raises(
        FeatpruneError, match=r"mask\.safetensors: keeps .* weights, where the schedule keeps .*; delete"
    ):
        context_of(PARAMS, NETWORK, made_data(), *files)
    # The dense network that is trained on keeps all weights in all rounds.
    context_of(PARAMS | {"criterion": "dense"}, NETWORK, made_data(), *saved(tmp_path, 1, drawn(0)))


def test_a_global_schedule_counts_all_layers_together(tmp_path):
    whole = PARAMS | {"schedule": {"scope": "global", "rates": {"global": 0.4}}}
    with pytest.raises(FeatpruneError, match="where the schedule keeps"):
        context_of(whole, NETWORK, made_data(), *saved(tmp_path, 1, drawn(2)))


def test_tickets_that_are_not_nested_are_named(tmp_path):
    first = drawn(1)
    files = [saved(tmp_path, 1, first)[0], saved(tmp_path, 2, drawn(2, within=first))[0]]
    assert len(tickets_of(files, SEEDS, NETWORK)) == 2
    saved(tmp_path, 2, drawn(2, seed=5))
    with pytest.raises(FeatpruneError, match=r"round=2/.*mask\.safetensors: keeps weights that the round before it"):
        tickets_of(files, SEEDS, NETWORK)
    assert len(masks_of(files, SEEDS, NETWORK)) == 2  # of a criterion by which weights may come back


def test_the_mask_of_another_network_is_named(tmp_path):
    mask, _ = saved(tmp_path, 1, drawn(1))
    with pytest.raises(FeatpruneError, match=r"mask\.safetensors: is of layers .*, not of \(9, 9\)"):
        masks_of([mask], SEEDS, MLP((9, 9)))
