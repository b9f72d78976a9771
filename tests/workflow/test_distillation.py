"""Tickets that learn from the dense network, by all rules that train them, and what a change of strength runs again."""

from copy import deepcopy

import pytest
from safetensors.numpy import load_file

REWINDS = ("init", "distilled", "distilled_logits")
OVERLAY = {
    "run": ["pulled", "by_round"],
    "experiments": {
        "pulled": {
            "inherit": "digits_baseline",
            "pruning": {"rewinds": list(REWINDS), "also": [{"criterion": "magnitude_init", "rewind": "distilled"}]},
            "features": {"rounds": []},
        },
        "by_round": {"inherit": "pulled", "pruning": {"rounds_per_job": 1}},
    },
}
KINDS = [*(("magnitude", rewind) for rewind in REWINDS), ("magnitude_init", "distilled")]


def weights(experiment, criterion, rewind):
    folder = f"runs/experiment={experiment}/alpha=1/lr=1/criterion={criterion}/rewind={rewind}"
    return f"results/{folder}/round=2/seeds=0-1/weights.safetensors"


TARGETS = [weights(experiment, *kind) for experiment in OVERLAY["run"] for kind in KINDS]


@pytest.fixture(scope="module")
def distilled(finished, once):
    return once("distilled", lambda root: finished.copy(root).run(*TARGETS, overlay=OVERLAY))


def test_distilled_tickets_are_trained_by_every_rule(distilled):
    found = {
        (experiment, kind): load_file(distilled.root / weights(experiment, *kind))["weights"].tobytes()
        for experiment in OVERLAY["run"]
        for kind in KINDS
    }
    assert len({found["pulled", kind] for kind in KINDS}) == len(KINDS), "each is another network"
    for kind in KINDS:
        assert found["pulled", kind] == found["by_round", kind], "however the rounds are cut into jobs"
    rules = {folder.name for folder in (distilled.results / "logs").iterdir()}
    assert rules >= {"train_chain", "retrain", "extract_mask"}
    assert distilled.plan(*TARGETS, overlay=OVERLAY) == []


def test_another_strength_trains_distilled_tickets_only(distilled):
    overlay = deepcopy(OVERLAY)
    overlay["experiments"]["pulled"]["training"] = {"distillation": 2}
    plan = distilled.plan(*TARGETS, overlay=overlay)
    changed = [kind for kind in KINDS if kind[1] != "init"]
    files = {output for job in plan for output in job.outputs if output.endswith("weights.safetensors")}
    assert {weights(name, *kind) for name in overlay["run"] for kind in changed} <= files
    assert all("rewind=distilled" in job for job in plan)
    assert plan.counts() == {"train_chain_1_2": 2, "retrain_1_2": 1, "extract_mask": 2, "retrain": 5}


def test_a_change_to_the_dense_run_comes_to_its_pupils(distilled):
    """The masks of one kind need no dense run, but its training does."""
    overlay = deepcopy(OVERLAY)
    overlay["experiments"]["pulled"]["training"] = {"weight_decay": 0.01}
    target = weights("pulled", "magnitude_init", "distilled")
    assert distilled.plan(target, overlay=overlay).counts() == {"train_dense": 1, "retrain_1_2": 1}
