"""The page: made from what is published, whatever of it there is, and always the same."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from featprune.errors import FeatpruneError
from featprune.findings.abstract import abstract
from featprune.findings.headline import beside
from featprune.findings.page import write_page
from featprune.findings.publication import published
from tests.unit.figures.builders import make_best_of, make_rivals
from tests.unit.findings.made import (
    everything,
    made_claims,
    made_config,
    made_connectivity,
    made_richness,
    made_stops,
    made_tuned,
    publish_made,
)

DOCS = Path(__file__).parents[3] / "docs"
STOPS = made_stops(
    {"dense": [10_000], "ticket": [6200, 7000, 9000], "redrawn": [15_562, 15_000, 15_000]},
    {"dense": [0.98], "ticket": [0.982, 0.9841, 0.98], "redrawn": [0.977, 0.976, 0.975]},
)
CHAPTERS = ["Verdicts", "Learning rates", "Linear mode connectivity", "Lazy or rich", "Settings"]


def chapters(page):
    return [line.removeprefix("## ") for line in page.splitlines() if line.startswith("## ")]


@pytest.mark.skipif(not (DOCS / "findings").is_dir(), reason="nothing is published yet")
def test_the_page_in_docs_is_what_the_published_tables_give():
    assert (DOCS / "findings.md").read_text(encoding="utf-8") == write_page(DOCS / "findings")


@pytest.mark.skipif(not (DOCS / "findings").is_dir(), reason="nothing is published yet")
def test_the_readme_opens_with_sentences_of_the_page():
    readme = (DOCS.parent / "README.md").read_text(encoding="utf-8").partition("```")[0]
    told = set(abstract(published(DOCS / "findings")))
    assert len(told & {" ".join(part.split()) for part in readme.split("\n\n")}) == 2, told


def test_the_page_has_a_chapter_for_everything_that_is_published(tmp_path):
    publish_made(tmp_path, everything(), figures=["mnist_claims.png"])
    page = write_page(tmp_path)
    assert chapters(page) == [*CHAPTERS, "Figures"]
    assert f"![mnist claims]({tmp_path.name}/study/mnist_claims.png)" in page
    publish_made(tmp_path, {"tuned": STOPS}, "lth")
    page = write_page(tmp_path)
    assert chapters(page) == [*CHAPTERS[:4], "Beside the lottery-ticket paper", "Settings", "Figures"]
    assert page.index("**Claim 1") < page.index("Beside the lottery-ticket paper:") < page.index("## Verdicts")
    assert page.count("Study `lth`") == 2


def test_the_page_starts_with_the_claims_and_is_the_same_each_time(tmp_path):
    publish_made(tmp_path, everything())
    page = write_page(tmp_path)
    assert page == write_page(tmp_path)
    first = page.split("\n\n")
    assert first[0] == "# Findings"
    assert first[1].startswith("Lottery tickets match the dense network's test error in 4 of 4, features in 4 of 4 and")
    assert first[2].startswith("What the study `study` says of the talk's claims (mnist with 5 seeds of 8,000 steps a")
    assert first[3].startswith("- **Claim 1")
    assert first[4] == "**What contradicts the talk:**"  # controls hold
    assert "no number is typed by hand" in first[6]


def test_the_page_opens_with_where_ours_is_ahead_level_and_behind(tmp_path):
    table = make_rivals(rivals=(("lth", 1.0), ("mnist", 1.0)), rounds=(1, 2, 3)).assign(experiment="mnist")
    table.loc[table["round"] == 2, "p_adjusted"] = 0.06
    table.loc[table["round"] == 3, "difference"] *= -1
    publish_made(tmp_path, everything() | {"rivals": table})
    assert write_page(tmp_path).split("\n\n")[1] == (
        "On mnist, the 300-100 network that `fisher` prunes is, against the hardest of 2 rivals tuned alike, "
        "ahead at 50 % of its weights (by +1.00 [+0.50, +3.00] points), "
        "level at 25 % of its weights (by +1.00 [+0.50, +3.00] points) and "
        "behind at 12 % of its weights (by -1.00 [+0.50, +3.00] points) (study `study`)."
    )


@pytest.mark.parametrize("missing, chapter", [("connectivity", 2), ("richness", 3), ("claims", 0)])
def test_a_missing_table_leaves_its_part_out(tmp_path, missing, chapter):
    tables = {name: table for name, table in everything().items() if name != missing}
    publish_made(tmp_path, tables)
    assert chapters(write_page(tmp_path)) == [name for name in CHAPTERS if name != CHAPTERS[chapter]]


def test_nothing_published_is_an_error_that_says_what_to_do(tmp_path):
    with pytest.raises(FeatpruneError, match="nothing is published; `snakemake findings --configfile presets/study"):
        write_page(tmp_path)


def test_no_number_that_there_is_not_is_on_the_page(tmp_path):
    claims = made_claims()
    lost = ["estimate", "ci_low", "ci_high", "p_adjusted"]
    claims.loc[claims.index[::3], lost] = np.nan
    claims.loc[claims.index[1::3], ["ci_low", "ci_high"]] = np.nan
    alone = {
        "claims": claims,
        "tuned": made_tuned(seeds=[7]).assign(early_stop_step=np.nan),
        "connectivity": made_connectivity(seeds=1),
        "richness": made_richness(errors=((0.1, 0.8), (1.0, np.nan))),
    }
    publish_made(tmp_path, alone)
    publish_made(tmp_path, {"tuned": STOPS.query("seed == 0")}, "lth")
    page = write_page(tmp_path)
    assert "nan" not in page.lower().replace("fine-tune", "")
    assert "inf" not in page.lower()


@pytest.mark.parametrize(
    "table, rows, column, value, word",
    [
        ("claims", "claim == '1' and decides", "estimate", 0.0345, "+3.45"),
        ("claims", "claim == '2' and decides", "ci_high", 0.6789, "0.68"),
        ("claims", "claim == 'headline' and decides", "p_adjusted", 0.00043, "0.00043"),
        ("claims", "statistic == 'interaction_effect'", "estimate", 0.0777, "7.77"),
        ("tuned", "seed == 100", "lr", 3.3, "3.3"),
        ("connectivity", "pair == 'ticket_ticket'", "error_barrier", 0.0821, "8.21"),
        ("richness", "criterion == 'dense'", "linearization_error", 6.54321, "6.54"),
    ],
)
def test_the_numbers_are_the_tables(tmp_path, table, rows, column, value, word):
    tables = everything()
    publish_made(tmp_path, tables)
    assert word not in write_page(tmp_path)
    tables[table].loc[tables[table].query(rows).index, column] = value
    publish_made(tmp_path, tables)
    assert word in write_page(tmp_path)


def test_an_alpha_is_lazy_or_rich_by_its_linearization_error(tmp_path):
    publish_made(tmp_path, {"richness": made_richness(errors=((0.1, 0.8), (1.0, 0.2), (9.0, 0.04)))})
    rows = [line.strip("| ").split(" | ") for line in write_page(tmp_path).splitlines() if line.startswith("| ")]
    kinds = [row[-1] for row in rows if row[0] in ("0.1", "1", "9")]
    assert kinds == ["rich", "between", "lazy"]


def test_the_lowest_and_the_highest_barrier_are_told_above(tmp_path):
    publish_made(tmp_path, everything())
    (line,) = (line for line in write_page(tmp_path).splitlines() if line.startswith("- **Linear mode connectivity"))
    assert "mnist, error in points: a ticket and its dense network (masked) 0.22 [" in line
    assert "% of weights) to 2.02 [" in line
    assert "two dense networks, other data order 0.10 [" in line


def test_rates_at_the_edge_are_counted(tmp_path):
    publish_made(tmp_path, {"tuned": made_tuned()})
    assert "at the edge of what was tried in 6 of 14 choices (42.86 %)" in write_page(tmp_path)
    publish_made(tmp_path, {"tuned": made_tuned().drop(columns="edge")})
    page = write_page(tmp_path)
    assert "edge" not in page and "| dense | 1 | 1 |" in page


def test_features_compared_at_several_rates_are_all_told(tmp_path):
    claims = made_claims()
    other = claims[claims["claim"] == "2"].assign(lr=3.0, estimate=0.5)
    publish_made(tmp_path, {"claims": claims.merge(other, how="outer"), "tuned": made_tuned()})
    assert "(rate × 1); holds 0.50" in write_page(tmp_path)


def test_settings_are_those_of_the_tables_and_the_config(tmp_path):
    config = made_config("mnist")
    config["experiments"]["mnist"] |= {"center": False}
    publish_made(tmp_path, {"tuned": made_tuned()}, config=config)
    page = write_page(tmp_path)
    (row,) = (line for line in page.splitlines() if line.startswith("| mnist |"))
    expected = ["mnist", "mnist", "5 (100 to 104)", "8,000", "adam 0.0012, batch 60", "0.1, 1", "0.33, 1", "25, 5.0"]
    assert row.strip("| ").split(" | ") == [*expected, "not centered"]
    assert "- 12 jobs, 3.25 core-hours in all.\n- Commit 0123456789ab.\n- Python 3.11.7; numpy 1.2.3." in page


def test_what_each_criterion_brings_is_a_row_a_kind_and_a_column_a_density(tmp_path):
    cells = [("fisher", 2, 0.0197, 0.0051), ("fisher", 3, 0.0049, 0.0123), ("lamp", 2, 0.0197, -0.0004)]
    table = pd.DataFrame(cells, columns=["criterion", "round", "density", "difference"])
    table = table.assign(experiment="mnist", alpha=1.0, rewind="init", n_seeds=8, p_value=0.1)
    table = table.assign(ci_low=table["difference"] - 0.001, ci_high=table["difference"] + 0.001)
    publish_made(tmp_path, everything() | {"ablation": table})
    page = write_page(tmp_path).splitlines()
    start = page.index("## What each criterion brings")
    (header,) = (number for number in range(start, len(page)) if page[number].startswith("| strategy | 2.0 % | 0.49 %"))
    assert page[header + 2] == "| Fisher ticket | +0.51 [+0.41, +0.61] | +1.23 [+1.13, +1.33] |"
    assert page[header + 3].endswith("| -0.04 [-0.14, +0.06] |  |")


def test_the_headline_says_what_it_is_about(tmp_path):
    claims = made_claims(verdict="holds")
    ours = claims["claim"] == "headline"
    publish_made(tmp_path, everything() | {"claims": claims.assign(criterion=claims["criterion"].mask(ours, "fisher"))})
    (line,) = (line for line in write_page(tmp_path).splitlines() if line.startswith("- **Headline"))
    assert line.startswith("- **Headline, Fisher ticket beats the lottery-ticket paper's network: holds.**")


def test_ours_stands_beside_every_rival_and_the_hardest_decides(tmp_path):
    table = make_rivals(rivals=(("lth", 1.0), ("mnist", 1.0)))
    publish_made(tmp_path, everything() | {"rivals": table.assign(experiment="mnist")})
    page = write_page(tmp_path).splitlines()
    (line,) = (line for line in page if line.startswith("- **Headline, mnist"))
    assert line == (
        "- **Headline, mnist, ours against the hardest of 2 rivals: ahead at 2 of 2 densities, behind at 0.** In "
        "points +1.00 [+0.50, +3.00] at 25 % (lth, p 0.002) and +1.00 [+0.50, +3.00] at 6.2 % (lth, p 0.002)."
    )
    start = page.index("## Against every baseline")
    assert "| lth | **+1.00 [+0.50, +3.00]**, p 0.002 | **+1.00 [+0.50, +3.00]**, p 0.002 |" in page[start:]
    assert "| mnist | +2.00 [+0.50, +3.00] | +2.00 [+0.50, +3.00] |" in page[start:]


def test_the_best_of_k_rates_is_told(tmp_path):
    publish_made(tmp_path, everything() | {"best_of": make_best_of().assign(experiment="mnist")})
    page = write_page(tmp_path)
    assert "| dense | 1 | 91.00 | 92.00 | 93.00 |" in page


def test_a_published_record_stands_beside_the_most_of_ours_that_is_not_more():
    point = pd.Series({"method": "A", "year": 2015, "kept": 0.08, "error": 0.0159})
    ours = pd.DataFrame({"kept": [0.2, 0.08, 0.02], "error": [0.01, 0.015, 0.02]})
    ours = ours.assign(ci_low=ours["error"] - 0.0005, ci_high=ours["error"] + 0.0005)
    line = beside(point, ours, "%")
    assert line == {
        "published": "A 2015",
        "kept": "8.0 %",
        "error": "1.59",
        "ours keeps": "8.0 %",
        "our error": "1.50 [1.45, 1.55]",
        "lower": "ours",
    }
    assert beside(point, ours.assign(ci_high=0.02), "%")["lower"] == "level"
    assert beside(point, ours.assign(error=0.02, ci_low=0.017, ci_high=0.03), "%")["lower"] == "theirs"
    assert beside(pd.Series({**point, "kept": 0.01}), ours, "%") is None


def test_experiments_that_go_equally_deep_are_told_together(tmp_path):
    steps = {"mnist": 8000, "toy": 3000, "digits": 8000}
    tuned = pd.concat([made_tuned(name).assign(steps=steps[name]) for name in steps])
    publish_made(tmp_path, {"claims": pd.concat(map(made_claims, steps)), "tuned": tuned})
    told = "(mnist and digits with 5 seeds of 8,000 steps a round; toy with 5 seeds of 3,000 steps a round):"
    assert told in write_page(tmp_path)
