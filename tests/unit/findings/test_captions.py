"""What captions say was found: of every figure something, with the numbers of its own tables."""

import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from featprune.figures import FIGURES
from featprune.findings.captions import FOUND, choose_rounds, found, span
from featprune.findings.lines import lines
from featprune.findings.publication import Publication
from tests.unit.figures.builders import PAIRS, make_claims, make_tables, make_transfer, make_tuned, tables_of
from tests.unit.figures.drawing import where

CAPTIONS = Path(__file__).parents[3] / "workflow/report"


@pytest.mark.parametrize("name", FIGURES)
def test_every_figure_has_found_something_and_its_caption_says_so(name):
    tables = tables_of(name)
    told = found(name, {table: tables[table] for table in FIGURES[name].tables})
    assert re.fullmatch(r"What was found:\n\n(- .*\d.*\n)+", told), told
    assert "nan" not in told
    assert (CAPTIONS / f"{name}.rst").read_text().endswith("\n\n.. include:: {{ snakemake.output.found }}\n")


def test_a_figure_without_words_says_so():
    assert set(FOUND) == set(FIGURES)
    assert found("new", make_tables()) == "What was found:\n\n- nothing that could be put into numbers.\n"


def test_claims_are_told_in_the_lines_of_the_findings_page():
    tables = {"claims": make_claims(), "tuned": make_tuned()}
    said = lines(Publication("", tables, (), {"run": ["demo"]}, {}))
    assert len(said) > 4
    assert all(f"- {line}\n" in found("claims", tables) for line in said)


def test_performance_is_the_paired_difference_to_dense_at_the_alpha_nearest_one():
    tuned = make_tuned(PAIRS)
    pruned = where(tuned, alpha=1.0, criterion="magnitude", rewind="lr", round=4).set_index("seed")["test_accuracy"]
    dense = where(tuned, alpha=1.0, criterion="dense", rewind="dense").set_index("seed")["test_accuracy"]
    test = stats.ttest_rel(pruned, dense[pruned.index])
    numbers = [100 * (pruned - dense).mean(), *(100 * np.array(test.confidence_interval()))]
    told = found("levels", {"tuned": tuned}).splitlines()[-1]
    assert told.startswith("- At alpha 1 and 6.2 % of weights, ")
    found_numbers = re.search(r"learning-rate rewind (\S+) \[(\S+), (\S+)\] \((.*?)\)", told)
    assert [float(text) for text in found_numbers.groups()[:3]] == pytest.approx(numbers, abs=0.006)
    assert found_numbers[4] == ("worse" if numbers[2] < 0 else "better" if numbers[1] > 0 else "not told apart")


def test_a_regression_is_told_in_ratios_of_the_error():
    told = found("accuracy_vs_density", {"tuned": make_tuned(regression=True)})
    assert "test error in multiples of the dense network's test error" in told
    assert "above" not in told


def test_differences_are_counted_by_the_side_of_their_intervals():
    ends = pd.DataFrame(
        {"difference": [0.01, -0.02, 0.03], "ci_low": [0.005, -0.03, -0.1], "ci_high": [0.02, -0.01, 0.1]}
    )
    told = span(ends.assign(alpha=[0.1, 1.0, 1.0], density=[0.5, 0.5, 0.25]))
    assert told.startswith("above zero at 1 of 3 places, below at 1; in points -2.00 [-3.00, -1.00] (alpha 1 at 50 %")
    assert told.endswith("to +3.00 [-10.00, +10.00] (alpha 1 at 25 % of weights)")


def test_rounds_are_the_one_nearest_a_tenth_and_the_sparsest():
    runs = pd.DataFrame({"round": [0, 1, 2, 3, 4], "density": [1.0, 0.5, 0.12, 0.06, 0.01]})
    assert choose_rounds(runs) == {2: 0.12, 4: 0.01}
    assert choose_rounds(runs[:2]) == {1: 0.5}


def test_masks_of_other_alphas_are_compared_with_the_own():
    transfer = make_transfer()
    told = found("ticket_transfer", {"transfer": transfer}).splitlines()[-1]
    last = (
        transfer[transfer["round"] == 5]
        .set_index(["alpha", "mask_alpha", "seed"])["test_accuracy"]
        .unstack("mask_alpha")
    )
    gains = [last.loc[a][b] - last.loc[a][a] for a in last.columns for b in last.columns if a != b]
    gains = pd.concat(gains)
    assert float(re.search(r"alphas: (\S+) \[", told)[1]) == pytest.approx(100 * gains.mean(), abs=0.006)
