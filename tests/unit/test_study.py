"""The typed view of a config: experiments, runs, and the files that each job reads."""

from dataclasses import FrozenInstanceError
from pathlib import Path

import pytest
import yaml

from featprune.activations import ACTIVATIONS
from featprune.config import load_schema, resolve
from featprune.criteria import CRITERIA
from featprune.data import DATASETS
from featprune.engine.objective import LOSSES
from featprune.engine.settings import Settings
from featprune.errors import FeatpruneError
from featprune.figures import FIGURES
from featprune.network import INITIALIZATIONS, PARAMETRIZATIONS
from featprune.rewind import REWINDS
from featprune.runs.paths import DENSE, LONGER, REINITIALIZED, REORDERED, REORDERED_TICKET, TICKET, Cell, Kind
from featprune.study import Study
from featprune.tables.published import published
from featprune.tables.registry import TABLES

SCHEMA = load_schema(Path(__file__).parents[2] / "workflow/schemas/config.schema.yaml")
CHOICES = {
    "activation": ACTIVATIONS,
    "criterion": CRITERIA,
    "dataset": DATASETS,
    "figure": FIGURES,
    "init": INITIALIZATIONS,
    "loss": LOSSES,
    "optimizer": ["sgd", "adam"],
    "parametrization": PARAMETRIZATIONS,
    "rewind": REWINDS,
}
CONFIG = """
results: out
seeds: {count: 5, block: 2}
experiments:
  a:
    dataset: digits
    model: {hidden: [12, 8]}
    training: {lr: 0.1, steps: 100, milestones: [50], snapshot_steps: [10]}
    alphas: [0.3, 1]
    lrs: [1, 2]
    pruning: {criteria: [magnitude, snip], rewinds: [init, random, none], rounds: 5, rounds_per_job: 2,
              matched_dense: true, mask_source: ticket,
              also: [{criterion: magnitude_one_shot, rewind: none}, {criterion: ticket, rewind: same_sign}]}
    features: {rounds: [0, 3], lrs: [1]}
    compression: {rounds: [3], rewinds: [none]}
    baseline: b
  b:
    inherit: a
    alphas: [1]
    center: false
    baseline: null
  c:
    inherit: a
    alphas: [1]
    tickets_from: {experiment: a, alpha: 0.3}
    pruning: {criteria: [ticket], rewinds: [init], also: [], matched_dense: false}
    features: {rounds: []}
    compression: null
    baseline: null
"""


@pytest.fixture(scope="module")
def study() -> Study:
    return Study(resolve(yaml.safe_load(CONFIG), SCHEMA, CHOICES))


def cell(kind, experiment="a", alpha="0.3", lr="1"):
    return Cell(experiment, alpha, lr, *kind)


def test_experiments_are_typed_frozen_and_whole(study):
    e = study.experiments["a"]
    assert e.alphas == ("0.3", "1") and e.lrs == ("1", "2") and e.source == "digits"
    assert e.training.loss == "cross_entropy" and e.training.milestones == (50,)
    assert e.seeds.blocks == ("0-1", "2-3", "4-4")
    with pytest.raises(FrozenInstanceError):
        e.center = False


def test_kinds_are_the_crossed_ones_those_added_and_the_dense_network_trained_on(study):
    assert study.experiments["a"].kinds == [
        TICKET,
        Kind("magnitude", "random"),
        Kind("magnitude", "none"),
        Kind("snip", "init"),
        Kind("magnitude_one_shot", "none"),
        Kind("ticket", "same_sign"),
        LONGER,
    ]


def test_runs_are_every_cell_round_and_block(study):
    runs = list(study.runs("a"))
    assert len(runs) == len(set(runs)) == 3 * 4 * (1 + 7 * 5)
    assert {run.block for run in runs} == {"0-1", "2-3", "4-4"}


def test_a_job_trains_consecutive_rounds(study):
    assert study.experiments["a"].spans == [range(1, 3), range(3, 5), range(5, 6)]


def test_steps_behind_the_start_of_a_run(study):
    e = study.experiments["a"]
    behind = {kind: [e.behind(kind, r) for r in (1, 2, 3)] for kind in e.kinds}
    assert behind[TICKET] == behind[Kind("magnitude", "random")] == behind[Kind("snip", "init")] == [0, 0, 0]
    assert behind[Kind("magnitude", "none")] == behind[LONGER] == [100, 200, 300]
    assert behind[Kind("magnitude_one_shot", "none")] == [100, 100, 100]
    assert e.behind(DENSE, 0) == e.behind(REORDERED, 0) == 0
    options = study.table_options("a", "summary")
    assert options["behind"]["magnitude/none"] == [0, 100, 200, 300, 400, 500]


def test_settings_are_those_of_one_run(study):
    e = study.experiments["a"]
    ticket = Settings(**e.settings(cell(TICKET, lr="2"), 3))
    assert (ticket.lr, ticket.alpha, ticket.behind, ticket.milestones) == (0.2, 0.3, 0, (50,))
    assert ticket.snapshot_at == (), "features are studied at lr 1 only"
    tuned = Settings(**e.settings(cell(Kind("magnitude", "none")), 3))
    assert (tuned.behind, tuned.milestones, tuned.snapshot_at) == (300, (0,), (0, 10, 100))
    assert Settings(**e.settings(cell(TICKET), 2)).snapshot_at == ()
    assert Settings(**e.settings(cell(REORDERED), 0)).snapshot_at == (0, 10, 100)


def pulled(overlay=None):
    """The study with distilled tickets in b, and with what an overlay changes of its training."""
    raw = yaml.safe_load(CONFIG)
    pruning = {"rewinds": ["init", "none", "distilled", "distilled_logits"], "also": []}
    raw["experiments"]["b"] |= {"pruning": pruning, "training": overlay or {}}
    return Study(resolve(raw, SCHEMA, CHOICES))


def test_a_strength_is_told_to_those_only_who_have_a_teacher(study):
    before, after = pulled(), pulled({"distillation": 3})
    for kind in (DENSE, REORDERED, *before.experiments["b"].kinds):
        place = cell(kind, "b", "1")
        one, other = (s.experiments["b"].settings(place, 1) for s in (before, after))
        teacher = {"distilled": "hidden", "distilled_logits": "output"}.get(kind.rewind)
        if teacher is None:
            assert one == other and not {"teacher", "distillation"} & set(one), kind
        else:
            assert other == one | {"distillation": 3.0}
            assert (Settings(**one).teacher, Settings(**one).distillation) == (teacher, 1.0)
    assert set(before.experiments["b"].settings(cell(TICKET, "b", "1"), 1)) == {
        *("loss", "optimizer", "lr", "momentum", "weight_decay", "batch_size", "steps", "alpha", "center", "behind"),
        *("evaluate_at", "snapshot_at", "evaluation_samples", "milestones", "order"),
    }


def test_the_dense_run_is_read_where_it_teaches():
    study, names = pulled(), ("mask", "weights")
    for rewind in ("distilled", "distilled_logits"):
        for rounds in ((1, 2), (3, 4)):
            found = study.retraining_inputs(cell(("magnitude", rewind), "b", "1"), rounds, "0-1")
            assert found == {f"teacher_{name}": f"{folder(DENSE, 0, 'b', '1')}/{name}.safetensors" for name in names}


def test_a_teacher_is_trained_for_tickets_from_elsewhere():
    raw = yaml.safe_load(CONFIG)
    raw["experiments"]["c"] |= {"center": False}
    raw["experiments"]["c"]["pruning"]["rewinds"] = ["distilled"]
    assert Study(resolve(raw, SCHEMA, CHOICES)).experiments["c"].trains_dense


def folder(kind, round, experiment="a", alpha="0.3"):
    return (
        f"out/runs/experiment={experiment}/alpha={alpha}/lr=1/criterion={kind[0]}/rewind={kind[1]}"
        f"/round={round}/seeds=0-1"
    )


def test_masks_of_a_chain_are_made_from_the_round_before(study):
    for first, before in ((1, folder(DENSE, 0)), (3, folder(TICKET, 2))):
        found = study.extraction_inputs(cell(TICKET), range(first, first + 2), "0-1")
        assert found == {"mask": f"{before}/mask.safetensors", "weights": f"{before}/weights.safetensors"}


def test_other_masks_need_no_training_of_their_chain(study):
    assert study.extraction_inputs(cell(("snip", "init")), range(1, 6), "0-1") == {}
    dense = study.extraction_inputs(cell(("magnitude_one_shot", "none")), range(1, 6), "0-1")
    assert dense["weights"] == f"{folder(DENSE, 0)}/weights.safetensors"
    tickets = [f"{folder(TICKET, r)}/mask.safetensors" for r in (1, 2)]
    for kind in (("ticket", "same_sign"), ("magnitude", "random")):
        assert study.extraction_inputs(cell(kind), (1, 2), "0-1") == {"tickets": tickets}
    borrowed = study.extraction_inputs(cell(TICKET, "c", "1")._replace(criterion="ticket"), (1, 2), "0-1")
    assert borrowed == {"tickets": tickets}, "those of the other experiment and alpha"


def test_only_what_continues_starts_from_trained_weights(study):
    assert study.retraining_inputs(cell(TICKET), (3, 4), "0-1") == {}
    on = study.retraining_inputs(cell(("magnitude", "none")), (3, 4), "0-1")
    assert on["weights"] == f"{folder(('magnitude', 'none'), 2)}/weights.safetensors"
    at_once = study.retraining_inputs(cell(("magnitude_one_shot", "none")), (3, 4), "0-1")
    assert at_once["weights"] == f"{folder(DENSE, 0)}/weights.safetensors"


def test_a_control_takes_the_tickets_masks_by_name(study):
    e = study.experiments["a"]
    assert e.masks_by(Kind("magnitude", "random")) == "ticket" and e.masks_by(TICKET) == "magnitude"
    params = study.extraction_params(cell(Kind("magnitude", "random")), (1, 2), "2-3")
    assert params["criterion"] == "ticket" and params["seeds"] == [2, 3] and params["rounds"] == [1, 2]
    assert params["schedule"] == {"scope": "per_layer", "rates": {"hidden": 0.2, "output": 0.1}}


@pytest.mark.parametrize("make", ["extraction_params", "training_params"])
def test_a_criterion_that_sees_data_sees_as_much_as_the_config_says(study, make):
    def samples(criterion, rewind="none"):
        return getattr(study, make)(cell(Kind(criterion, rewind)), (1, 2), "2-3")["samples"]

    wanted = study.experiments["a"].pruning.score_samples
    assert wanted > 1
    assert {samples(name) for name in ("fisher", "obs", "magnitude_fold", "snip", "grasp_iterative")} == {wanted}
    # Another number in the config doesn't run the others again.
    assert {samples(name) for name in ("magnitude", "lamp", "random", "magnitude_init", "ticket")} == {1}


def test_features_are_studied_of_dense_runs_and_of_magnitude_pruning(study):
    studied = {(run.cell.kind, run.round) for run in study.studied_runs("a")}
    rewinds = [TICKET, Kind("magnitude", "random"), Kind("magnitude", "none")]
    assert studied == {(DENSE, 0)} | {(kind, 3) for kind in rewinds}
    compared = {run.cell.kind for run in study.select("a", "compared")}
    assert compared == {*rewinds, DENSE, REORDERED, REINITIALIZED}
    assert {run.cell.kind for run in study.select("a", "measured")} == {DENSE, TICKET}
    drawn = study.select("a", "drawn")
    assert {(run.cell.alpha, run.cell.lr, run.block) for run in drawn} == {("1", "1", "0-1")}
    assert {(run.cell.kind, run.round) for run in study.select("a", "compressed")} == {(rewinds[2], 3)}


def test_what_the_headline_is_about_is_compressed_too():
    raw = yaml.safe_load(CONFIG)
    raw["experiments"]["b"] |= {
        "pruning": {"criteria": ["magnitude", "fisher", "snip"], "rewinds": ["init", "none"], "also": []},
        "compression": {"rounds": [2], "rewinds": ["init", "none"], "hidden_bits": [3, 4], "output_bits": 5},
        "headline": {"criterion": "fisher", "rewind": "init"},
    }
    study = Study(resolve(raw, SCHEMA, CHOICES))
    kinds = {(run.cell.kind, run.cell.lr, run.round) for run in study.select("b", "compressed")}
    assert kinds == {(kind, "1", 2) for kind in (TICKET, ("magnitude", "none"), ("fisher", "init"))}
    params = study.compression_params(cell(TICKET, "b", "1"), 2)["compression"]
    assert params == {"bits": [(3, 5), (4, 5)], "margin": 0.001, "steps": 1000, "behind": 100}


def test_lines_are_followed_from_every_dense_run_whose_tickets_are_studied(study):
    connected = study.select("a", "connected")
    assert {(run.cell.kind, run.cell.alpha, run.cell.lr, run.round) for run in connected} == {
        (DENSE, alpha, "1", 0) for alpha in ("0.3", "1")
    }
    assert len(connected) == 2 * 3 and not study.select("c", "connected")
    folders = [folder(kind, r) for kind, r in ((DENSE, 0), (REORDERED, 0), (TICKET, 3))]
    assert study.connection_inputs(cell(DENSE), "0-1") == {
        "masks": [f"{place}/mask.safetensors" for place in folders],
        "weights": [f"{place}/weights.safetensors" for place in folders],
    }
    assert study.connection_params(cell(DENSE)) == {"alpha": 0.3, "loss": "cross_entropy", "center": True}


def test_second_tickets_are_at_the_end_of_lines_where_there_are_any(monkeypatch):
    monkeypatch.setitem(REWINDS, REORDERED_TICKET.rewind, REWINDS["init"])
    raw = yaml.safe_load(CONFIG)
    raw["experiments"]["a"]["pruning"]["also"] = [REORDERED_TICKET._asdict()]
    files = Study(resolve(raw, SCHEMA, CHOICES)).connection_inputs(cell(DENSE), "0-1")
    for what, found in files.items():
        assert found[2:] == [f"{folder(kind, 3)}/{Path(found[0]).name}" for kind in (TICKET, REORDERED_TICKET)], what


@pytest.mark.parametrize("table", TABLES)
def test_the_inputs_of_a_table_are_files_of_the_study(study, table):
    for value in study.table_inputs("a", table).values():
        for file in [value] if isinstance(value, str) else value:
            assert file.startswith(("out/runs/experiment=a/", "out/tables/", "out/data/"))
    assert set(study.table_options("a", table)) == set(TABLES[table].options)


def test_a_table_takes_from_others_what_there_is(study):
    assert study.table_inputs("a", "headline")["baseline"] == "out/tables/b/summary.parquet"
    assert study.borrowers("a") == {"c": 0.3}
    assert study.table_inputs("a", "transfer")["others"] == ["out/tables/c/summary.parquet"]
    assert {"features", "headline"} <= set(study.table_inputs("a", "claims"))
    assert not {"features", "shifts", "headline"} & set(study.table_inputs("c", "claims"))


def test_figures_are_those_that_an_experiment_can_show(study):
    shown = study.drawn_figures("a")
    assert {"accuracy_vs_density", "headline", "levels", "compression", "ticket_transfer", "claims"} <= set(shown)
    assert "connectivity" in shown and "connectivity" not in study.drawn_figures("c")
    assert not {"teacher_overlap", "toy_preactivations"} & set(shown)
    assert not any("figures/c/accuracy_vs_density" in file for file in study.figure_files)
    assert "out/figures/a/headline.svg" in study.figure_files
    assert not {"headline", "alpha_sweep"} & set(study.drawn_figures("b"))


def test_records_are_of_lenet_on_mnist_beside_the_baselines_tickets():
    raw = yaml.safe_load(CONFIG)
    raw["experiments"]["a"] |= {"center": False, "dataset": "mnist", "model": {"hidden": [300, 100]}}
    study = Study(resolve(raw, SCHEMA, CHOICES))
    assert all("records" in study.drawn_figures(name) for name in "ab")
    assert study.table_inputs("a", "records") == {
        "tuned": "out/tables/a/tuned.parquet",
        "compression": "out/tables/a/compression.parquet",
        "baseline": "out/tables/b/tuned.parquet",
        "baseline_compression": "out/tables/b/compression.parquet",
    }
    assert study.table_options("a", "records") == {"published": published()}
    raw["experiments"]["b"]["compression"] = None
    without = Study(resolve(raw, SCHEMA, CHOICES))
    assert set(without.table_inputs("b", "records")) == {"tuned"}
    assert set(without.table_inputs("a", "records")) == {"tuned", "compression", "baseline"}
    for other in ({"center": True}, {"dataset": "digits"}, {"model": {"hidden": [1000, 300]}}):
        changed = yaml.safe_load(CONFIG)
        changed["experiments"]["a"] |= raw["experiments"]["a"] | other
        assert "records" not in Study(resolve(changed, SCHEMA, CHOICES)).drawn_figures("a"), other


def with_figures(figures, experiment="a"):
    raw = yaml.safe_load(CONFIG)
    raw["experiments"][experiment]["figures"] = figures
    return Study(resolve(raw, SCHEMA, CHOICES))


def test_figures_may_be_chosen():
    study = with_figures(["levels", "accuracy_vs_density"])
    assert study.drawn_figures("a") == ["accuracy_vs_density", "levels"]
    assert study.drawn_figures("b") == ["accuracy_vs_density", "levels"], "they are inherited"


def test_a_chosen_figure_that_cannot_be_drawn_is_an_error():
    text = r"^config: experiments\.b\.figures: 'headline' can't be drawn without baseline$"
    with pytest.raises(FeatpruneError, match=text):
        _ = with_figures(["levels", "headline"], "b").figure_files


def test_dense_runs_are_trained_where_something_comes_from_them(study):
    assert study.experiments["a"].trains_dense and study.experiments["b"].trains_dense
    assert not study.experiments["c"].trains_dense, "another experiment's tickets, trained from their start"
    assert {run.cell.criterion for run in study.runs("c")} == {"ticket"}


def test_jobs_are_cut_by_what_is_studied_together(study):
    assert study.dense_dumps == {(DENSE, REORDERED, REINITIALIZED): ["a", "b"]}
    (first, tickets), (second, others) = study.chain_dumps
    assert first == second == (3,) and tickets == ("init",) and {"random", "none"} <= set(others)
    assert list(study.chain_dumps.values()) == [["a", "b"]] * 2
    kinds = (TICKET, Kind("magnitude", "random"), Kind("magnitude", "none"))
    assert study.comparisons == {(False, kinds, (3,)): ["a", "b"]}
    assert study.compressions == {(3,): ["a", "b"]}


def test_the_order_of_runs_and_so_of_tables_does_not_depend_on_the_blocks_of_seeds(study):
    def places(study: Study, block: int) -> list:
        found = [
            (run.cell, run.round, seed) for run in (*study.runs("a"), *study.compared_runs("a")) for seed in run.seeds
        ]
        assert len({run.block for run in study.runs("a")}) == -(-5 // block)
        return found

    other = yaml.safe_load(CONFIG) | {"seeds": {"count": 5, "block": 1}}
    assert places(Study(resolve(other, SCHEMA, CHOICES)), 1) == places(study, 2)


@pytest.mark.parametrize("written", ["out", "out/", "./out", ".//out/."])
def test_a_folder_of_results_has_one_name(study, written):
    assert Study({**study.config, "results": written}).root == "out"
