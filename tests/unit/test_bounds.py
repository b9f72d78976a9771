"""Sizes that can't be meant, and folders that can't be, are refused at once and by name."""

import pytest

from featprune import bounds
from featprune.bounds import bounded
from featprune.config import ConfigError, resolve
from tests.unit.test_bad_config import CHOICES, LOADED, SCHEMA, changed, merged

HUGE = 10**9


def lines(overlay: dict, preset: str = "smoke") -> list[str]:
    with pytest.raises(ConfigError) as caught:
        bounded(resolve(merged(LOADED[preset], overlay), SCHEMA, CHOICES))
    return caught.value.lines


def small(**entry) -> dict:
    return {"experiments": {"small_teacher": entry}}


def teacher(**options) -> dict:
    return {"datasets": {"small_teacher": {"options": options}}}


SIZES = {
    "seeds.count": ({"seeds": {"count": HUGE}}, "31,500,000,000 runs"),
    "seeds.block": ({"seeds": {"count": HUGE, "block": HUGE}}, "17,036,800 GB of memory"),
    "seeds.first": ({"seeds": {"first": 2**31}}, "seed 2,147,483,649"),
    "training.steps": (small(training={"steps": HUGE}), "1,000,000,000 steps (0.6 core-hours a network)"),
    "training.batch_size": (small(training={"batch_size": HUGE}), "6,400 GB of memory"),
    "training.evaluation_every": (small(training={"evaluation_every": 1, "steps": 10**7}), "evaluations a run"),
    "model.hidden[0]": (small(model={"hidden": [HUGE]}), "2,400 GB of memory"),
    "model.hidden[1]": (small(model={"hidden": [10**5, 10**6]}), "4,800 GB of memory"),
    "model.hidden": (small(model={"hidden": [3] * 2000}), "2,000 layers"),
    "pruning.rounds": (small(pruning={"rounds": HUGE}), "1,000,000,001 runs"),
    "alphas": (small(alphas=list(range(1, 500_000))), "1,499,997 runs"),
    "features.probe": (small(features={"probe": HUGE}), "1,008 GB of memory"),
    "options.train": (teacher(train=HUGE), "GB of memory"),
    "options.inputs": (teacher(inputs=HUGE), "GB of memory"),
    "options.teachers": (teacher(teachers=HUGE), "GB of memory"),
}


@pytest.mark.parametrize("key", SIZES)
def test_a_size_that_cannot_be_meant_is_one_line_with_its_key_and_an_estimate(key):
    overlay, estimate = SIZES[key]
    overlay = {"run": ["small_teacher"], **overlay}
    if key in ("seeds.count", "seeds.block"):
        overlay["run"] = None  # the largest of all experiments is told
    line = lines(overlay)[0]
    where = "training.steps" if key == "training.evaluation_every" else key
    assert line.partition(": ")[2].partition(": ")[0].endswith(where)
    assert estimate in line.partition("asks for at least ")[2].partition(", where")[0]
    assert line.endswith("is the most that can be meant; take less") and "\n" not in line


@pytest.mark.parametrize("key", ["evaluation_steps", "snapshot_steps"])
def test_points_of_a_grid_have_a_bound_of_their_own(key):
    (line,) = lines(small(training={key: HUGE}))
    assert line.endswith(f"training.{key}: {HUGE} is out of range (must be >= 2 and <= 100000)")


def test_core_time_adds_up_over_an_experiment():
    wide = {"model": {"hidden": [10_000, 10_000]}, "training": {"steps": 10**8}, "alphas": [1]}
    (line,) = lines({"run": ["small_teacher"], "seeds": {"count": 100_000}} | small(**wide))
    assert "small_teacher.training.steps" in line and "core-years" in line


@pytest.mark.parametrize("preset", LOADED)
def test_what_comes_with_the_repository_is_far_from_any_bound(preset, monkeypatch):
    config = resolve(LOADED[preset], SCHEMA, CHOICES)
    for name in ("LAYERS", "RUNS", "EVALUATIONS", "STEPS", "MEMORY", "CORE_TIME"):
        monkeypatch.setattr(bounds, name, getattr(bounds, name) / 20)
    assert bounded(config) is config


FOLDERS = {
    "a\nb": "characters that can't be seen",
    "a\0b": "characters that can't be seen",
    "{round}": "braces",
    "~/results": "isn't expanded",
    "é" * 128: "longer than 255 bytes",
}


@pytest.mark.parametrize("folder", FOLDERS, ids=ascii)
def test_a_folder_that_cannot_be(folder):
    (line,) = lines({"results": folder})
    assert line.startswith("config: results: ") and FOLDERS[folder] in line


@pytest.mark.parametrize(
    "folder", ["my results", "Ergebnisse é/日本", "../elsewhere", "/tmp/x", "a=b/$(touch c); 'd'", "."]
)
def test_a_folder_of_any_other_name_is_taken(folder):
    config = resolve(changed(LOADED["smoke"], "delete", 0, None, 0) | {"results": folder}, SCHEMA, CHOICES)
    assert bounded(config)["results"] == folder
