"""The early stop beside the lottery-ticket paper: planted numbers are told, and judged by what the paper states."""

import numpy as np
import pytest

from featprune.findings.lottery import comparison, lines, nearest, paper, side_by_side
from tests.unit.findings.made import made_config, made_stops, publish_made

STEPS = {"dense": [10_000], "ticket": [6200, 7000, 9000], "random": [12_400] * 3, "redrawn": [15_562, 15_000, 15_000]}
ACCURACIES = {
    "dense": [0.98],
    "ticket": [0.982, 0.9841, 0.98],
    "random": [0.979] * 3,
    "redrawn": [0.977, 0.976, 0.975],
}
DENSITIES = (0.21, 0.134, 0.036)


def told(tmp_path, steps=STEPS, accuracies=ACCURACIES, config=None, **made):
    tuned = made_stops(steps, accuracies, **made)
    return publish_made(tmp_path, {"tuned": tuned}, "lth", config=config)


def table(published, first):
    """The rows of the table whose first column has this heading, without it."""
    (text,) = (part for part in comparison(published) if part.startswith(f"| {first} |"))
    return [line.strip("|").split(" | ") for line in text.splitlines()[2:]]


def stated(published):
    """The quantity or the start of the quote -> ours and the agreement, of the paper's statements."""
    rows = table(published, "the paper")
    assert len(rows) == len(paper()["statements"])
    return [(ours.strip(), agrees.strip()) for _, _, ours, agrees in rows]


def test_planted_numbers_of_the_paper_agree_with_it(tmp_path):
    quoted, earlier, gain, level, drop, faster, better = stated(told(tmp_path))
    assert quoted == ("", "")
    assert earlier[0].startswith("tickets stop earlier than dense, by 38.00 [37.9")
    assert earlier[0].endswith("% at 21 % of weights") and earlier[1] == "yes, within our interval"
    assert gain[0].startswith("tickets minus dense, accuracy +0.41 [") and gain[1] == "yes, beyond it"
    assert level[0].endswith("points at 3.6 % of weights") and level[1] == "yes, within our interval"
    assert drop[0].startswith("tickets: less accurate than dense at no density; ")
    assert drop[0].endswith("re-drawn tickets: less accurate than dense at 21, 13 and 3.6 % of weights")
    assert faster[0].startswith("steps of re-drawn tickets over the tickets' 2.51") and faster[1].startswith("yes")
    assert better[0].startswith("tickets minus re-drawn tickets, accuracy +0.50 [")
    assert better[1].startswith("yes")


@pytest.mark.parametrize(
    "steps, accuracy, agreements",
    [
        (8000, 0.9801, {1: "no, smaller", 2: "no, smaller", 5: "no, smaller", 6: "no, smaller"}),
        (3000, 0.9991, {1: "no, larger", 2: "yes, beyond it", 3: "no, larger", 5: "no, larger", 6: "no, larger"}),
    ],
)
def test_planted_differences_from_the_paper_are_told(tmp_path, steps, accuracy, agreements):
    found = stated(told(tmp_path, STEPS | {"ticket": [steps] * 3}, ACCURACIES | {"ticket": [accuracy] * 3}))
    assert {index: found[index][1] for index in agreements} == agreements


def test_what_was_not_run_and_where_there_is_no_such_density_is_told(tmp_path):
    few = {name: value for name, value in STEPS.items() if name != "redrawn"}
    found = stated(told(tmp_path, few, densities=(0.4, 0.134, 0.01)))
    assert found[1] == found[3] == ("no such density here", "")
    assert found[4][0] == "tickets: less accurate than dense at no density; re-drawn tickets: not run here"
    assert found[5] == found[6] == ("not run here", "")
    assert stated(told(tmp_path, seeds=1))[1][1] == "too few seeds"


def test_sentences_say_when_how_good_and_what_re_draws_do(tmp_path):
    published = told(tmp_path)
    (line,) = lines(published)
    assert line.startswith(
        "**paper.** Tickets reach the smallest validation loss earliest at 21 % of weights: at step 6,"
    )
    assert "] % before the dense network (10,000 [9,999, 10,001])" in line
    assert "highest at 13 % of weights, +0.41" in line
    assert "More accurate at 21 and 13 % of weights; the reverse at none (95 % intervals, each by itself)." in line
    _, said, *_ = comparison(published)
    assert "Earlier than the dense network at 21, 13 and 3.6 % of weights; the reverse at none" in said
    assert "At 21 % of weights, random re-draw takes 2.00 [2.00, 2.00] times the tickets' steps and ends -0.3" in said
    assert "ticket mask, re-draw takes 2.51 [2.51, 2.51] times" in said


def test_stops_at_the_last_step_are_told_as_bounds(tmp_path):
    assert not any("the very last step" in part for part in comparison(told(tmp_path)))
    _, said, *_ = comparison(told(tmp_path, STEPS | {"random": [12_400, 20_000, 20_100], "dense": [20_100]}))
    assert "so that the stop is a bound: dense in 5 of 5 runs, random re-draw in 8 of 15 runs." in said


def test_tickets_that_are_late_and_worse_are_told_as_such(tmp_path):
    late = told(tmp_path, STEPS | {"ticket": [12_000, 13_000, 14_000]}, ACCURACIES | {"ticket": [0.97, 0.96, 0.95]})
    (line,) = lines(late)
    assert "% after the dense network (10,000" in line
    assert "More accurate at no density; the reverse at 21, 13 and 3.6 % of weights" in line


@pytest.mark.parametrize("side, value, word", [("steps", 7777, "7,777"), ("accuracies", 0.91234, "91.23")])
@pytest.mark.parametrize("name", STEPS)
def test_every_stop_is_in_the_table(tmp_path, side, value, word, name):
    sides = {"steps": dict(STEPS), "accuracies": dict(ACCURACIES)}
    sides[side] = sides[side] | {name: [value] * 3}
    rows = table(told(tmp_path, **sides), "weights (%)")
    assert [row[0].strip() for row in rows] == ["100 (dense)", "21", "13", "3.6"]
    count = sum(word in cell for row in rows for cell in row)
    assert count == (1 if name == "dense" else 3)


def test_a_stop_before_any_training_is_none():
    stops = made_stops(STEPS | {"ticket": [0, 7000, 9000]}, ACCURACIES)
    runs = side_by_side(stops)
    assert runs.loc[runs["density"] == 0.21, "step_ticket"].isna().all()
    assert np.isfinite(runs.loc[runs["density"] < 0.2, "step_ticket"]).all()


def test_seeds_are_paired():
    stops = made_stops(STEPS, ACCURACIES)
    runs = side_by_side(stops.sample(frac=1, random_state=0))
    assert len(runs) == 15
    for name, kind in (("dense", ["dense", "dense", 0]), ("redrawn", ["ticket", "random", 2])):
        theirs = stops[(stops[["criterion", "rewind", "round"]] == kind).all(axis=1)].set_index("seed")
        mine = runs if name == "dense" else runs[runs["round"] == 2]
        np.testing.assert_array_equal(mine[f"step_{name}"], mine["seed"].map(theirs["early_stop_step"]))


def test_the_nearest_density_is_so_in_logarithm():
    runs = side_by_side(made_stops(STEPS, ACCURACIES, densities=(0.4, 0.1, 0.036)))
    assert set(nearest(runs, 0.211)["density"]) == {0.4}


def test_differences_in_setting_are_the_config_s(tmp_path):
    config = made_config("paper")
    entry = config["experiments"]["paper"]
    entry["training"] = entry["training"] | {"milestones": [4000, 6000]}
    rows = {name.strip(): here.strip() for name, _, _, here in table(told(tmp_path, config=config), "")}
    assert rows["steps a round"] == "8,000"
    assert rows["optimizer"] == "adam 0.0012, a tenth of it after 4,000 and 6,000 steps"
    assert rows["pruned a round"] == "20 % of each hidden layer, 10 % of the output"
    assert rows["trials"] == "5"
    assert rows["validation"] == "all its samples, at 8 steps"
    config["datasets"]["mnist"]["options"] = {"scaling": "unit_norm"}
    rows = {name.strip(): here.strip() for name, _, _, here in table(told(tmp_path, config=config), "")}
    assert rows["input scaling"] == "unit_norm"


def test_every_statement_of_the_paper_says_where_it_is():
    assert all(statement["quote"] and statement["place"] for statement in paper()["statements"])
    assert "1803.03635" in paper()["cite"]
