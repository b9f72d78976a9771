"""What a plan says a run consists of: jobs as in a dry run, steps and densities by closed forms, disk, schedule."""

import re
import shutil
import subprocess
import sys
from collections import Counter
from dataclasses import replace
from pathlib import Path
from subprocess import PIPE, STDOUT
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from benchmarks import cost
from benchmarks import plan as plans
from benchmarks.calibration import Costs, Machine
from benchmarks.estimate import SNAKEMAKE_JOB, Estimate, job_seconds, stage, wanted
from benchmarks.plan import Job
from featprune import workload
from featprune.datasets.dataset import Dataset
from featprune.engine.objective import Objective
from featprune.engine.replica import Replica
from featprune.engine.settings import Settings
from featprune.network import MLP
from featprune.pruning.masks import keep_highest
from featprune.rewind import REWINDS
from featprune.runs.chain import Trainer, dense_mask, train_round
from featprune.runs.connected import measure_connectivity
from featprune.runs.files import save_mask, save_outcome
from featprune.runs.paths import (
    CONNECTIVITY,
    DENSE,
    DENSITY,
    FEATURES,
    HISTORY,
    MASK,
    REINITIALIZED,
    REORDERED,
    REORDERED_TICKET,
    RICHNESS,
    SNAPSHOTS,
    TICKET,
    WEIGHTS,
    Cell,
    Kind,
    RunPath,
)
from featprune.workload import Sizes, runs_in

ROOT = plans.SNAKEFILE.parent
PRESETS = {"default": [], "smoke": [ROOT / "presets" / "smoke.yaml"]}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A folder with the default config and no results, in which Snakemake plans."""
    made = tmp_path_factory.mktemp("plans")
    shutil.copy(ROOT / "config.yaml", made)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(made)
        yield made


@pytest.fixture(scope="module", params=PRESETS)
def planned(request, folder):
    return PRESETS[request.param], *plans.plan(PRESETS[request.param])


@pytest.fixture(scope="module")
def smoke(folder):
    return plans.plan(PRESETS["smoke"])


def test_jobs_are_those_of_a_dry_run(planned, folder):
    configfiles, _, jobs = planned
    command = [sys.executable, "-m", "snakemake", "-n", "--snakefile", str(plans.SNAKEFILE)]
    command += ["--configfile", *map(str, configfiles)] if configfiles else []
    said = subprocess.run(command, cwd=folder, stdout=PIPE, stderr=STDOUT, text=True, check=True).stdout
    stated = dict(re.findall(r"^(\w+) +(\d+)$", said.partition("Job stats:")[2].partition("\n\n")[0], re.M))
    stated = {rule: int(count) for rule, count in stated.items() if rule not in ("all", "total")}
    assert Counter(job.rule for job in jobs) == stated


def test_every_run_of_the_study_is_trained_once_and_by_its_settings(planned):
    _, study, jobs = planned
    trained = Counter(run for job in jobs for run in runs_in(job.outputs, WEIGHTS))
    expected = {run for name in study.experiments for run in (*study.runs(name), *study.reference_runs(name))}
    assert set(trained) == expected and set(trained.values()) == {1}
    for run in expected:
        e = study.experiments[run.cell.experiment]
        again = e.pruning.late_step if run.cell.rewind == "late" else 0
        assert workload.training_steps(e, run) == (e.training.steps - again, again)


def test_a_job_comes_after_those_that_make_its_inputs(planned):
    _, _, jobs = planned
    maker = {file: i for i, job in enumerate(jobs) for file in job.outputs}
    for i, job in enumerate(jobs):
        assert set(job.after) == {maker[file] for file in job.inputs if file in maker}
        assert all(before < i for before in job.after)


def test_densities_of_rounds_are_powers_of_what_is_kept(smoke):
    study, _ = smoke
    e, case = study.experiments["digits"], workload.cases(study)["digits"]
    sizes = np.array([30 * 64, 20 * 30, 10 * 20])
    for number in range(5):
        cell = Cell("digits", "1", "1", *(("magnitude", "init") if number else ("dense", "dense")))
        counts = workload.counts_of(e, case.network, RunPath(cell, number, "0-1"))
        np.testing.assert_allclose(counts, sizes * np.array([0.6, 0.6, 0.8]) ** number, atol=0.5)
    longer = RunPath(Cell("digits", "1", "1", "dense", "none"), 3, "0-1")
    assert workload.counts_of(e, case.network, longer) == tuple(sizes)


def test_a_schedule_of_a_total_leaves_the_same_share_of_each_layer(smoke):
    study, _ = smoke
    e, network = study.experiments["digits"], workload.cases(study)["digits"].network
    e = replace(e, pruning=replace(e.pruning, scope="global", rates={"global": 0.5}))
    run = RunPath(Cell("digits", "1", "1", "magnitude", "init"), 2, "0-1")
    assert workload.counts_of(e, network, run) == (480, 150, 50)


def test_late_rewinding_repeats_steps_of_the_dense_run(smoke):
    study, _ = smoke
    e = replace(study.experiments["digits"], pruning=replace(study.experiments["digits"].pruning, late_step=30))
    assert workload.training_steps(e, RunPath(Cell("digits", "1", "1", "magnitude", "late"), 1, "0-1")) == (170, 30)


CELL = Cell("digits", "0.3", "1", "magnitude", "init")
SIZES = Sizes(5, 3, 40, 20, 30)
SETTINGS = Settings("cross_entropy", "adam", 0.01, 0.0, 0.0, 10, 20, 1.0, False, (0, 5, 20))


def made_data():
    rng = np.random.default_rng(0)
    parts: dict[str, np.ndarray] = {}
    for split, n in (("train", 40), ("validation", 20), ("test", 30)):
        parts |= {f"{split}_x": rng.normal(size=(n, 5)).astype("f4"), f"{split}_y": np.arange(n) % 3}
    return Dataset(**parts)


@pytest.mark.parametrize("center", [False, True])
@pytest.mark.parametrize("some", [None, 8])
def test_samples_seen_are_those_whose_output_training_computes(center, some, monkeypatch, tmp_path):
    seen: list[int] = []
    output = Replica.output

    def counted(self, x):
        seen.append(len(x))
        return output(self, x)

    monkeypatch.setattr(Replica, "output", counted)
    network, settings = MLP((5, 4, 3)), replace(SETTINGS, center=center, evaluation_samples=some)
    trainer = Trainer(network, made_data(), [0])
    outcome = train_round(trainer, REWINDS["init"], 1, dense_mask(network, [0]), settings)
    early = ((outcome.history["split"] == "test") & (outcome.history["step"] < 20)).any()
    planned = workload.samples_seen(vars(settings), SIZES)
    assert sum(seen) == planned - (0 if early else SIZES.test)


def test_features_are_compared_with_each_dense_run_but_themselves(smoke):
    _, jobs = smoke
    asked = {}
    for job in jobs:
        asked |= {
            run.cell.kind: workload.repeats(job.inputs, run.file("", FEATURES))
            for run in runs_in(job.outputs, FEATURES)
        }
    assert asked == {DENSE: 1, REORDERED: 1, REINITIALIZED: 2, TICKET: 2, Kind("magnitude", "random"): 2}


def test_lines_are_those_that_a_job_follows(tmp_path):
    network, settings = MLP((5, 4, 3)), replace(SETTINGS, center=False)
    trainer, mask = Trainer(network, made_data(), [0]), dense_mask(network, [0])
    outcome = train_round(trainer, REWINDS["init"], 1, mask, settings)
    runs = [(DENSE, 0), (REORDERED, 0), *((kind, round) for kind in (TICKET, REORDERED_TICKET) for round in (1, 2))]
    files = []
    for kind, number in runs:
        run = RunPath(CELL.of(kind), number, "0-0")
        at, *others = (run.file(str(tmp_path), name) for name in (MASK, DENSITY, WEIGHTS, HISTORY, SNAPSHOTS))
        save_mask(at, others[0], mask, [0])
        save_outcome(outcome, mask.layers, [0], *others[1:])
        files.append((at, others[1]))
    table = measure_connectivity(network, made_data(), files, Objective(settings.loss, 1.0), center=False)
    job = Job("measure_connectivity", tuple(file for pair in files for file in pair), ())
    made = RunPath(CELL.of(DENSE), 0, "0-0").file(str(tmp_path), CONNECTIVITY)
    assert workload.repeats(job.inputs, made) == len(table.drop_duplicates(["pair", "round"])) == 5


def test_disk_of_a_run_is_that_of_its_files(smoke, tmp_path):
    study, _ = smoke
    known, e, seeds = workload.cases(study), study.experiments["digits"], [0, 1]
    run = RunPath(Cell("digits", "1", "1", "magnitude", "init"), 3, "0-1")
    network, rng = known["digits"].network, np.random.default_rng(0)
    dense = dense_mask(network, seeds)
    scores = [rng.random(m.shape) for m in dense.layers]
    mask = replace(dense, layers=keep_highest(scores, dense.layers, workload.counts_of(e, network, run)))
    data = Dataset(*[rng.random((60, 64), dtype=np.float32) if i % 2 == 0 else np.arange(60) % 10 for i in range(6)])
    outcome = train_round(Trainer(network, data, seeds), REWINDS["init"], 3, mask, Settings(**e.settings(run.cell, 3)))
    files = {name: Path(run.file(str(tmp_path), name)) for name in (MASK, DENSITY, WEIGHTS, HISTORY, SNAPSHOTS)}
    save_mask(files[MASK], files[DENSITY], mask, seeds)
    save_outcome(outcome, mask.layers, seeds, files[WEIGHTS], files[HISTORY], files[SNAPSHOTS])
    for name in (MASK, WEIGHTS, SNAPSHOTS):
        header = files[name].stat().st_size - workload.file_bytes(study, known, str(files[name]))
        assert 0 < header < 700, name


CHAIN = [Job("a", (), ("x",)), Job("b", ("x",), ("y",), (0,)), Job("c", (), ("z",)), Job("d", ("y", "z"), (), (1, 2))]


@pytest.mark.parametrize(("cores", "ends"), [(1, [1, 3, 7, 8]), (2, [1, 3, 4, 5])])
def test_a_free_core_takes_the_first_job_that_waits_for_nothing(cores, ends):
    assert plans.scheduled(CHAIN, [1, 2, 4, 1], cores) == ends
    assert plans.longest_chain(CHAIN, [1, 2, 4, 1]) == 5


def test_jobs_are_sent_one_after_another():
    assert plans.scheduled(CHAIN, [1, 2, 4, 1], 4, sending=0.5) == [1.5, 4, 5, 6.5]
    alone = [Job("a", (), ())] * 6
    assert plans.scheduled(alone, [1.0] * 6, 1000, sending=10.0) == [11, 21, 31, 41, 51, 61]


def test_an_estimate_adds_up_and_slurm_starts_snakemake_in_each_job(smoke):
    study, jobs = smoke
    made = Estimate(study, workload.cases(study), jobs, [2.0] * len(jobs), 10.0)
    assert made.core_hours() == pytest.approx((10 + 2 * len(jobs)) / 3600)
    seconds, kept, peak = made.on(1)
    assert seconds == 10 + 2 * len(jobs) and 0 < kept <= peak
    assert made.longest_chain() == made.on(len(jobs))[0] < made.on(2)[0]
    assert made.steps() == sum(
        len(run.seeds) * study.experiments[run.cell.experiment].settings(run.cell, int(run.round))["steps"]
        for name in study.experiments
        for run in (*study.runs(name), *study.reference_runs(name))
    )
    by_place = {row["where"]: row for row in cost.rows("smoke", made, start=30.0)}
    assert len(by_place) == len(cost.PLACES)
    hours = {name: float(row["core-hours"]) for name, row in by_place.items()}
    more = (cost.STARTS * 30 - SNAKEMAKE_JOB) * len(jobs) / 3600
    assert hours["Slurm, 64 cores"] - hours["one machine, 64 cores"] == pytest.approx(more, abs=0.1)
    assert "smoke" in cost.page(pd.DataFrame(by_place.values()), 30.0, ["smoke"])


def test_an_estimate_is_set_beside_what_was_noted_of_the_same_jobs(tmp_path):
    jobs = [
        Job(rule, (), (), (), f"results/x/benchmarks/{rule}.tsv") for rule in ("retrain_1_4", "retrain_5_8", "plot_a")
    ]
    for number, job in enumerate(jobs[:2], 1):
        file = tmp_path / "benchmarks" / Path(job.benchmark).name
        file.parent.mkdir(exist_ok=True)
        file.write_text(f"s\tcpu_time\n{8 * number}\t{4 * number}\n")
    study = SimpleNamespace(root="results/x")
    table = cost.against(Estimate(study, {}, jobs, [3 + SNAKEMAKE_JOB] * 3, 0.0), tmp_path)
    assert table.loc["retrain"].to_dict() == pytest.approx(
        {"jobs": 2, "clock": 24, "cpu": 12, "estimate": 6, "over_clock": 0.25, "over_cpu": 0.5}
    )
    assert set(table.index) == {"retrain", "all"}


def test_a_temporary_file_takes_room_until_its_last_reader_ends():
    ends, sizes = [1, 3, 4, 5], {"x": 10, "y": 5, "z": 3}
    assert plans.disk_bytes(CHAIN, ends, sizes, []) == (18, 18)
    assert plans.disk_bytes(CHAIN, ends, sizes, ["x"]) == (8, 15)
    assert plans.disk_bytes(CHAIN, ends, sizes, ["x", "y", "z"]) == (0, 15)


def test_rules_are_shown_by_verb_and_noun():
    shown = {
        "train_chain_1_6": "train_chain",
        "retrain_1_6": "retrain",
        "plot_claims": "plot_*",
        "dump_preactivations_tickets_1_3": "dump_preactivations",
    }
    assert {rule: stage(rule) for rule in shown} == shown


def test_a_training_step_costs_what_was_measured_at_its_density(smoke):
    study, jobs = smoke
    known = workload.cases(study)
    # Only steps cost anything: as many seconds as weights survive.
    costs = {
        one.case: Costs({c: sum(c) for c in one.counts}, dict.fromkeys(one.counts, 0.0), 0.0, {})
        for one in wanted(study, known, jobs)
    }
    free = Machine(dict.fromkeys(["train"], 0.0), 0.0)
    (job,) = [
        job
        for job in jobs
        if job.rule == "train_chain_1_4" and {r.cell for r in runs_in(job.outputs, WEIGHTS)} == {CELL}
    ]
    weights = sum(
        round(size * kept**number)
        for number in range(1, 5)
        for size, kept in ((30 * 64, 0.6), (20 * 30, 0.6), (10 * 20, 0.8))
    )
    assert job_seconds(job, study, known, costs, free) == pytest.approx(SNAKEMAKE_JOB + 2 * 200 * weights)


def test_richness_costs_what_was_measured_at_its_density(smoke):
    study, jobs = smoke
    known = workload.cases(study)
    asked = wanted(study, known, jobs)
    costs = {
        one.case: Costs(*[dict.fromkeys(one.counts, 0.0)] * 2, 0.0, {}, richness={c: sum(c) for c in one.measured})
        for one in asked
    }
    free = Machine(dict.fromkeys(["dump", "richness", "train"], 0.0), 0.0)
    (job,) = [job for job in jobs if {run.cell for run in runs_in(job.outputs, RICHNESS)} == {CELL}]
    case = known[CELL.experiment]
    sizes = (30 * 64, 20 * 30, 10 * 20)
    rounds = [int(run.round) for run in runs_in(job.outputs, RICHNESS)]
    kept = sum(round(n * k**r) for r in rounds for n, k in zip(sizes, (0.6, 0.6, 0.8), strict=True))
    assert rounds and job_seconds(job, study, known, costs, free) == pytest.approx(
        SNAKEMAKE_JOB + 2 * case.snapshots * kept
    )
