"""What a change to the code makes run again, and the recipes for adding to the registries."""

from itertools import chain

import pytest
from safetensors.numpy import load_file

STATEMENT = "\n\nCHANGED = True\n"
FIGURES = {
    "plot_accuracy_vs_density": 3,
    "plot_alpha_sweep": 1,
    "plot_claims": 3,
    "plot_connectivity": 1,
    "plot_early_stop": 2,
    "plot_feature_similarity": 1,
    "plot_feature_similarity_vs_density": 1,
    "plot_headline": 1,
    "plot_layerwise_density": 3,
    "plot_learning_curves": 3,
    "plot_pixel_mask": 3,
    "plot_preactivation_dynamics": 1,
    "plot_preactivations": 3,
    "plot_richness": 1,
    "plot_teacher_overlap": 1,
    "plot_toy_preactivations": 1,
    "write_opening": 1,
}
TABLES = {
    "aggregate_claims": 3,
    "aggregate_connectivity": 1,
    "aggregate_features": 1,
    "aggregate_headline": 1,
    "aggregate_masks": 3,
    "aggregate_overlap": 1,
    "aggregate_preactivations": 3,
    "aggregate_richness": 1,
    "aggregate_summary": 3,
    "write_provenance": 1,
}
TRAINING = {"train_dense": 4, "train_references": 2, "train_chain_1_2": 3, "retrain": 4}
EXTRACTION = {"extract_mask": 4}
DUMPS = {
    "dump_preactivations_dense": 2,
    "dump_preactivations_dense_and_references": 2,
    "dump_preactivations_tickets_2": 2,
}
COMPARISONS = {"compare_features_init_2": 2}
LINES = {"measure_connectivity": 2}


def test_code_of_a_figure(scratch):
    scratch.append("featprune/figures/alpha_sweep.py", STATEMENT)
    scratch.append("featprune/figures/pixel_mask.py", STATEMENT)
    assert scratch.plan().counts() == {"plot_alpha_sweep": 1, "plot_pixel_mask": 3}


def test_code_of_the_style(scratch):
    scratch.append("featprune/figures/style.py", STATEMENT)
    assert scratch.plan().counts() == FIGURES


def test_code_of_the_tables(scratch):
    scratch.append("featprune/tables/reading.py", STATEMENT)
    counts = scratch.plan().counts()
    assert not {rule for rule in counts if rule in TRAINING | EXTRACTION | DUMPS | COMPARISONS | LINES}
    remade = {"aggregate_summary": 3, "aggregate_masks": 3, "plot_accuracy_vs_density": 3}
    assert counts.items() >= remade.items()


def test_code_of_training(scratch):
    scratch.append("featprune/engine/training.py", STATEMENT)
    plan = scratch.plan()
    # Masks are made anew because the networks that they are made from are.
    assert plan.counts() == TRAINING | EXTRACTION | DUMPS | COMPARISONS | LINES | TABLES | FIGURES


def test_code_of_the_features(scratch):
    scratch.append("featprune/features/preactivations.py", STATEMENT)
    counts = scratch.plan().counts()
    assert not set(TRAINING) & set(counts)
    assert counts.items() >= (DUMPS | COMPARISONS).items()


def test_code_of_a_measure_trains_and_dumps_nothing(scratch):
    scratch.append("featprune/features/similarity.py", STATEMENT)
    tables = COMPARISONS | {"aggregate_features": 1, "aggregate_claims": 1}
    drawn = ("claims", "feature_similarity", "feature_similarity_vs_density")
    # These measure what they show, or what their captions say.
    measured = {"plot_preactivation_dynamics": 1, "plot_toy_preactivations": 1, "plot_preactivations": 3}
    told = measured | {"write_opening": 1}
    assert scratch.plan().counts() == tables | {f"plot_{name}": 1 for name in drawn} | told


def test_code_of_a_script(scratch):
    scratch.append("workflow/scripts/aggregate_table.py", STATEMENT)
    made = {rule for rule in scratch.plan().counts() if not rule.startswith("plot_")}
    assert made == {*TABLES, "write_opening"}, "tables and what is made from them"


@pytest.mark.parametrize("module", ["config", "study", "experiment", "jobs/fingerprint", "jobs/provenance"])
def test_code_that_no_result_depends_on(scratch, module):
    scratch.append(f"featprune/{module}.py", STATEMENT)
    assert set(scratch.plan().counts()) <= {"write_provenance", "write_opening"}


def test_words_about_the_code(scratch):
    scratch.replace("featprune/engine/training.py", '"""Training: one loop', '"""Training:\none loop')
    scratch.append("featprune/engine/training.py", "\n\n# Nothing\n# to do.\n")
    scratch.append("featprune/tables/reading.py", "# A word.\n")
    assert scratch.plan() == []


def add_entry(workspace, path, registry, entry, definition=""):
    """What a contributor does: a definition above the registry, and an entry in it."""
    workspace.replace(path, f"{registry} = {{\n", f"{definition}{registry} = {{\n    {entry},\n")


FIRST = '''"""First come, first served."""

from __future__ import annotations

import torch

from featprune.pruning.problem import Problem


def score(problem: Problem, masks, batch, generator):
    """The weights that come first stay."""
    return [-torch.arange(w.numel(), dtype=torch.float64).reshape(w.shape) for w in problem.weights]
'''
ZERO = '''
def zero(origin: Origin) -> Start:
    """Nothing new."""
    return init(origin)


'''
DRAW = '''"""A picture of nothing."""

from matplotlib.figure import Figure


def draw(tables):
    return Figure()
'''
NOISE = '''
def prepare_noise(data_dir: str | Path | None = None) -> Dataset:
    """Other digits."""
    return prepare_digits(data_dir)


'''


def add_criterion(workspace):
    """As the README says: a score in a module of its own, an import, and an entry."""
    (workspace.root / "featprune/pruning/first.py").write_text(FIRST)
    last = "from featprune.pruning.grasp import grasp\n"
    workspace.replace("featprune/criteria.py", last, "from featprune.pruning.first import score\n" + last)
    add_entry(workspace, "featprune/criteria.py", "CRITERIA: dict[str, Criterion]", '"first": AfterTraining(score)')


def add_rewind(workspace):
    entry = '"zero": Rewind(zero)'
    add_entry(workspace, "featprune/rewind.py", "REWINDS: dict[str, Rewind]", entry, ZERO)


def add_dataset(workspace):
    entry = '"noise": Source(prepare_noise, "classification")'
    add_entry(workspace, "featprune/data.py", "DATASETS: dict[str, Source]", entry, NOISE)


def add_figure(workspace):
    entry = '"nothing": Figure("nothing", ("pixel_mask",), "Masks", ("pruning",))'
    add_entry(workspace, "featprune/figures/__init__.py", "FIGURES: dict[str, Figure]", entry)
    (workspace.root / "featprune/figures/nothing.py").write_text(DRAW)
    (workspace.root / "workflow/report/nothing.rst").write_text("Nothing.\n")


def test_a_dataset_reruns_nothing(scratch):
    add_dataset(scratch)
    assert scratch.plan() == []


@pytest.mark.parametrize("add", [add_criterion, add_rewind])
def test_a_criterion_or_a_rewind_trains_nothing_again(scratch, add):
    add(scratch)
    assert scratch.plan() == []


def test_a_new_figure_draws_itself_only(scratch):
    add_figure(scratch)
    assert scratch.plan().counts() == {"plot_nothing": 3}
    scratch.run("results/figures/tiny/nothing.png")
    assert scratch.plan().counts() == {"plot_nothing": 2}


def test_a_new_criterion_runs_to_the_figures(scratch, change):
    add_criterion(scratch)
    overlay = change("digits_baseline", pruning={"criteria": ["magnitude", "first"]})
    plan = scratch.plan(overlay=overlay)
    assert [job.rule for job in plan if job.trains] == ["train_chain_1_2"]
    scratch.run(overlay=overlay)
    (file,) = scratch.results.glob("runs/*/*/*/criterion=first/rewind=init/round=2/*/mask.safetensors")
    masks = load_file(file)
    for mask in (masks[f"mask{layer}"] for layer in (1, 2, 3)):
        for row in mask.reshape(len(mask), -1):
            assert 0 < row.sum() < len(row)
            assert row[: row.sum()].all(), "the criterion kept other weights than the first"
    assert scratch.plan(overlay=overlay) == []


def test_a_new_rewind_and_a_new_dataset_are_known_to_the_configuration(scratch, change):
    add_rewind(scratch)
    add_dataset(scratch)
    overlay = change("digits_baseline", dataset="noise", pruning={"rewinds": ["zero"]})
    plan = scratch.plan(overlay=overlay)
    outputs = list(chain.from_iterable(job.outputs for job in plan))
    assert "results/data/noise.safetensors" in outputs
    assert any("criterion=magnitude/rewind=zero/round=2" in output for output in outputs)
