"""CONTRIBUTING.md's recipes, followed from the first to the last in a copy of the project, read from the page."""

import os
import re
import shlex
import subprocess
from pathlib import Path

import pandas as pd
import pytest

from tests.workflow.conftest import REPOSITORY, Workspace
from tests.workflow.forked import python

PAGE = (REPOSITORY / "CONTRIBUTING.md").read_text()
RECIPES = ["experiment", "criterion", "rewind", "table", "figure", "claim", "dataset"]
STEP = re.compile(
    r"(?:New file `(?P<new>[^`]+)`:\n\n"
    r"|In `(?P<file>[^`]+)`, (?P<where>below|in place of) `(?P<line>[^`]+)`:\n\n)?"
    r"```(?P<language>\w+)\n(?P<block>.*?)```\n",
    re.S,
)


def recipes() -> dict[str, str]:
    """What is added -> its recipe."""
    sections = re.split(r"^## An? (\w+)\n", PAGE, flags=re.M)
    return dict(zip(sections[1::2], sections[2::2], strict=True))


def follow(recipe: str, workspace: Workspace) -> list[str]:
    """Do all that a recipe says; returns what its commands printed."""
    printed = []
    for step in STEP.finditer(recipe):
        block = step["block"]
        if step["new"]:
            assert not (workspace.root / step["new"]).exists(), step["new"]
            (workspace.root / step["new"]).write_text(block)
        elif step["file"]:
            line = f"{step['line']}\n"
            workspace.replace(step["file"], line, line + block if step["where"] == "below" else block)
        else:
            assert step["language"] == "sh", f"a block that nobody is told what to do with: {block}"
            printed += [run(command, workspace) for command in block.splitlines()]
    return printed


def run(command: str, workspace: Workspace) -> str:
    program, *arguments = shlex.split(command)
    done = subprocess.run(
        [*python(), "-m", program, *arguments],
        cwd=workspace.root,
        env=os.environ | {"PYTHONPATH": str(workspace.root)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert done.returncode == 0, f"{command}\n{done.stdout}"
    return done.stdout


@pytest.fixture(scope="module")
def followed(pristine, tmp_path_factory) -> tuple[Workspace, dict[str, list[str]]]:
    """The copy in which all was done, and what each recipe printed."""
    workspace = pristine.copy(tmp_path_factory.mktemp("contributing") / "project")
    return workspace, {name: follow(recipe, workspace) for name, recipe in recipes().items()}


def test_there_is_a_recipe_for_whatever_one_may_add_and_its_command_runs(followed):
    assert list(followed[1]) == RECIPES
    assert all(followed[1].values()), "each has a command that shows that it works"


def test_an_experiment_is_trained_and_drawn_and_its_status_told(followed):
    status = followed[1]["experiment"][-1]
    assert re.search(r"results/trial: 3 done, 0 running, 0 missing, 0 failed; \d+ of \d+ figures' files", status)


def test_a_criterion_removes_other_weights(followed):
    table = pd.read_parquet(made(followed, "tables/trial/layer_density.parquet"))
    assert set(table["criterion"]) == {"dense", "magnitude", "relative"}


def test_a_rewind_trains_from_elsewhere(followed):
    tuned = pd.read_parquet(made(followed, "tables/trial/tuned.parquet"))
    halved = tuned[tuned["rewind"] == "halved"]
    assert len(halved) == 12 and set(halved["criterion"]) == {"magnitude", "relative"}


def test_a_table_and_its_figure_are_made(followed):
    spread = pd.read_parquet(made(followed, "tables/trial/spread.parquet"))
    assert len(spread) == 1 + 2 * 2 * 2 and spread["deviation"].notna().all()
    assert made(followed, "figures/trial/spread.png").stat().st_size > 5000


def test_a_claim_has_its_verdicts(followed):
    claims = pd.read_parquet(made(followed, "tables/trial/claims.parquet"))
    rows = claims[claims["claim"] == "guessing"]
    assert len(rows) == 8 and rows["verdict"].isin(["holds", "fails", "undecided"]).all()


def test_a_dataset_is_prepared(followed):
    assert made(followed, "data/rings.safetensors").stat().st_size > 3 * 500 * 8


def test_the_page_s_code_is_in_the_project_s_style(followed):
    done = subprocess.run(["ruff", "check", "featprune"], cwd=followed[0].root, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout


def made(followed: tuple[Workspace, dict], name: str) -> Path:
    return followed[0].results / "trial" / name
