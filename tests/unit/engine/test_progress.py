"""What a training job tells in its log while it runs: plain lines, at a pace, which change nothing that it makes."""

import re
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest

from benchmarks.account import TRAINED
from featprune.engine import progress, training
from featprune.engine.progress import Stage, duration, line
from featprune.jobs.joblog import job_log
from tests.unit.engine.test_training import SETTINGS, trained
from tests.unit.runs.chains import chain

LINE = r"(?:(\w+ \w+), )?seeds \[([\d, ]+)\]: step (\d+) of (\d+), (?:validation loss [\d.]+, )?\d+ steps/s, \d+ s left"


def test_a_line_tells_where_the_job_is_and_how_long_it_takes():
    told = line(Stage("round 3", 5000), [4], 250, 1000, 0.08123, 125.0)
    assert told == "round 3, seeds [4]: step 250 of 1000, validation loss 0.08123, 125 steps/s, 46 s left"
    assert line(Stage(), [0, 1], 1, 9, np.nan, 2.0) == "seeds [0, 1]: step 1 of 9, 2 steps/s, 4 s left"


@pytest.mark.parametrize(
    "seconds, words",
    [(0, "0 s"), (99.4, "99 s"), (100, "2 min"), (5970, "100 min"), (6000, "1.7 h"), (86400, "24.0 h")],
)
def test_a_duration_is_in_the_unit_that_suits_it(seconds, words):
    assert duration(seconds) == words


def told(capsys) -> list[tuple[str, ...]]:
    """What lines say, but for those that a run ends with: stage, seeds, step, steps."""
    lines = capsys.readouterr().out.splitlines()
    assert sum(bool(TRAINED.search(line)) for line in lines) == len([x for x in lines if not re.fullmatch(LINE, x)])
    return [match.groups() for line in lines if (match := re.fullmatch(LINE, line))]


def test_lines_change_nothing_that_is_made(monkeypatch, capsys):
    quiet = trained(SETTINGS, seeds=(0, 1))
    assert told(capsys) == [], "a run of a moment tells nothing"
    monkeypatch.setattr(progress, "PACE", 0.0)
    talking = trained(SETTINGS, seeds=(0, 1))
    assert [(seed, step) for _, seed, step, _ in told(capsys)] == [(s, str(i)) for s in "01" for i in range(2, 21)]
    for a, b in zip(quiet.parameters.weights, talking.parameters.weights, strict=True):
        np.testing.assert_array_equal(a, b)
    for name, column in quiet.history.items():
        np.testing.assert_array_equal(column, talking.history[name])


def test_no_line_comes_sooner_than_the_pace(monkeypatch, capsys):
    clock = iter(np.arange(0, 1e6, 1.0))  # a second a look, of which a step takes two
    for module in (training, progress):
        monkeypatch.setattr(module, "perf_counter", lambda: next(clock))
    trained(replace(SETTINGS, steps=40))
    steps = [int(step) for *_, step, _ in told(capsys)]
    assert len(steps) > 4 and all(5 <= b - a <= 6 for a, b in pairwise(steps)), steps


@pytest.mark.parametrize("criterion", ["magnitude", "snip"])
def test_the_time_left_is_that_of_later_seeds_and_rounds_too(criterion, tmp_path, monkeypatch):
    seen = {}
    monkeypatch.setattr(progress, "PACE", 0.0)
    monkeypatch.setattr(progress, "line", lambda stage, seeds, *_: seen.setdefault((stage, *seeds)) or "")
    chain(tmp_path, "init", criterion=criterion)
    rounds = [(Stage(f"round {r}", 20 * (2 * (3 - r) + (1 - seed))), seed) for r in (1, 2, 3) for seed in (0, 1)]
    assert list(seen) == [(Stage("dense run", 20), 0), (Stage("dense run", 0), 1), *rounds]


def test_a_line_is_in_the_log_while_the_job_runs(tmp_path, monkeypatch):
    monkeypatch.setattr(progress, "PACE", 0.0)
    lines = []

    def look(*arguments):
        lines.append((tmp_path / "job.log").read_text())
        return line(*arguments)

    monkeypatch.setattr(progress, "line", look)
    with job_log(tmp_path / "job.log"):
        trained(SETTINGS)
    assert lines[0] == "" and re.fullmatch(f"{LINE}\n", lines[1]), "flushed, and one line after the other"
    assert "\r" not in (tmp_path / "job.log").read_text()
