"""What a change to the configuration or to the results makes run again: this and nothing else."""

import pytest

# What every change to the configuration brings with it, and what a change to any run does.
CONFIG = {"write_config": 1, "write_opening": 1}
PERFORMANCE = dict.fromkeys(
    [
        "aggregate_claims",
        "aggregate_masks",
        "aggregate_summary",
        "plot_accuracy_vs_density",
        "plot_claims",
        "plot_layerwise_density",
        "plot_learning_curves",
        "plot_pixel_mask",
        "write_provenance",
    ],
    1,
)
FEATURES = dict.fromkeys(
    [
        "aggregate_claims",
        "aggregate_connectivity",
        "aggregate_features",
        "aggregate_overlap",
        "aggregate_preactivations",
        "aggregate_richness",
        "plot_claims",
        "plot_connectivity",
        "plot_feature_similarity",
        "plot_feature_similarity_vs_density",
        "plot_preactivation_dynamics",
        "plot_preactivations",
        "plot_richness",
        "plot_teacher_overlap",
        "plot_toy_preactivations",
    ],
    1,
)
# What is measured of each run.
DENSE_RUNS = ("train_dense", "train_references")
TRAINING = (*DENSE_RUNS, "extract_mask", "retrain", "train_chain_1_2", "extract_mask_1_2", "retrain_1_2")
DUMPS = {"dump_preactivations_dense_and_references": 2, "dump_preactivations_tickets_2": 2}
COMPARISONS = {"compare_features_init_2": 2}
LINES = {"measure_connectivity": 2}
MEASURING = (*DUMPS, *COMPARISONS, *LINES, "dump_preactivations_dense", "dump_preactivations_controls_2")
TINY = PERFORMANCE | FEATURES | {"plot_alpha_sweep": 1}
DIGITS = PERFORMANCE | {"aggregate_headline": 1, "plot_headline": 1, "plot_early_stop": 1}


def trained(plan):
    return [job for job in plan if job.trains or job.rule in MEASURING]


def downstream(plan):
    return {rule: n for rule, n in plan.counts().items() if rule not in TRAINING and rule not in MEASURING}


def test_a_finished_study_has_nothing_to_do(finished):
    before = finished.files()
    assert "Nothing to be done" in finished.run()
    assert finished.files() == before


def test_an_alpha_runs_its_own_cells(finished, change):
    plan = finished.plan(overlay=change("tiny", alphas=[0.3, 1, 3]))
    assert plan.counts() == {
        "train_dense": 1,
        "train_references": 1,
        "extract_mask": 2,
        "retrain": 2,
        **{rule: 1 for rule in (*DUMPS, *COMPARISONS, *LINES)},
        **{rule: n for rule, n in TINY.items() if "preactivation" not in rule},  # those are drawn of alpha 1
        **CONFIG,
    }
    assert all("experiment=tiny/alpha=3/" in job for job in trained(plan))
    assert set(plan.tables_and_figures()) == {"tiny"}


def test_a_change_to_one_side_of_the_headline_draws_it_again(finished, change):
    plan = finished.plan(overlay=change("digits_baseline", lrs=[1, 3]))
    assert plan.counts() == {
        "train_dense": 1,
        "train_chain_1_2": 1,
        **DIGITS,
        "aggregate_claims": 2,
        "plot_claims": 2,
        # Now there are rates to choose from.
        "aggregate_best_of": 1,
        "plot_best_of": 1,
        **CONFIG,
    }
    assert all("experiment=digits_baseline/alpha=1/lr=3/" in job for job in trained(plan))
    assert plan.tables_and_figures()["digits"] == {
        "headline",
        "headline_difference",
        "headline.png",
        "headline.svg",
        "claims",
        "claims.png",
        "claims.svg",
    }


def test_a_rewind_runs_its_own_cells(finished, change):
    plan = finished.plan(overlay=change("tiny", pruning={"rewinds": ["init", "random"]}))
    assert plan.counts() == {
        "extract_mask": 4,
        "retrain": 4,
        "dump_preactivations_controls_2": 2,
        "compare_features_init_random_2": 2,
        # These are of the dense run and the tickets.
        **{rule: n for rule, n in TINY.items() if not rule.endswith(("richness", "overlap", "connectivity"))},
        **CONFIG,
    }
    assert all("experiment=tiny" in job and "rewind=random" in job for job in trained(plan) if job.trains)


def test_a_criterion_runs_its_own_cells(finished, change):
    plan = finished.plan(overlay=change("digits", pruning={"criteria": ["magnitude", "random"]}))
    rules = {job.rule for job in trained(plan)}
    assert rules == {"extract_mask_1_2", "retrain_1_2"}
    assert {part for job in trained(plan) for part in ("digits/", "digits_baseline/") if part in job}, (
        "the baseline inherits"
    )
    assert all("criterion=random" in job for job in trained(plan))


def test_a_seed_runs_its_own_block(finished):
    plan = finished.plan(overlay={"seeds": {"count": 3}})
    assert {rule: n for rule, n in plan.counts().items() if rule in TRAINING} == {
        "train_dense": 4,
        "train_references": 2,
        "train_chain_1_2": 3,
        "extract_mask": 4,
        "retrain": 4,
    }
    assert all("/seeds=2-2/" in job for job in trained(plan))


def test_rounds_run_as_new_segments(finished, change):
    plan = finished.plan(overlay=change("tiny", pruning={"rounds": 4}))
    assert plan.counts() == {
        "extract_mask": 4,
        "retrain": 4,
        **PERFORMANCE,
        "plot_alpha_sweep": 1,
        **CONFIG,
    }
    plan = finished.plan(overlay=change("digits", pruning={"rounds": 4}))
    assert {rule: n for rule, n in plan.counts().items() if "train" in rule} == {"train_chain_3_4": 3}
    assert all("round=3" in job.outputs[0] for job in trained(plan))


def test_a_change_is_seen_by_a_run_that_has_more_snapshots_to_save(finished, change):
    # Snakemake doesn't look at the params of a job that has an output without a record.
    rates = finished.plan(overlay=change("tiny", pruning={"rates": {"hidden": 0.5}}))
    both = change("tiny", pruning={"rates": {"hidden": 0.5}}, features={"rounds": [0, 1, 2]})
    assert (
        finished.plan(overlay=both).counts().items()
        >= {rule: n for rule, n in rates.counts().items() if rule in TRAINING}.items()
    )


@pytest.mark.parametrize("kind", ["png", "svg"])
def test_a_lost_figure_is_drawn_again(scratch, kind):
    (scratch.results / f"figures/digits/accuracy_vs_density.{kind}").unlink()
    plan = scratch.plan()
    assert plan.counts() == {"plot_accuracy_vs_density": 1}
    assert set(plan.tables_and_figures()) == {"digits"}


@pytest.mark.parametrize("key", [{"lr": 0.02}, {"steps": 31}, {"optimizer": "sgd"}], ids=["lr", "steps", "optimizer"])
def test_training_anew_stays_within_its_experiment(finished, change, key):
    plan = finished.plan(overlay=change("tiny", training=key))
    assert plan.counts() == {
        "train_dense": 2,
        "train_references": 2,
        "extract_mask": 4,
        "retrain": 4,
        **DUMPS,
        **COMPARISONS,
        **LINES,
        **TINY,
        **CONFIG,
    }
    assert all("experiment=tiny/" in job for job in trained(plan))
    assert set(plan.tables_and_figures()) == {"tiny"}


def test_an_experiment_takes_those_along_that_inherit_from_it(finished, change):
    plan = finished.plan(overlay=change("digits", training={"lr": 0.01}))
    assert set(plan.tables_and_figures()) == {"digits", "digits_baseline"}
    assert not any("experiment=tiny" in job for job in trained(plan))


def test_a_dataset_takes_its_experiments_along(finished):
    plan = finished.plan(overlay={"datasets": {"small_teacher": {"options": {"seed": 1}}}})
    assert plan.counts() == {
        "fetch_dataset": 1,
        "train_dense": 2,
        "train_references": 2,
        "extract_mask": 4,
        "retrain": 4,
        **DUMPS,
        **COMPARISONS,
        **LINES,
        **TINY,
        **CONFIG,
    }
    assert set(plan.tables_and_figures()) == {"tiny"}


def test_the_probe_set_trains_nothing(finished, change):
    plan = finished.plan(overlay=change("tiny", features={"probe": 12}))
    assert plan.counts() == {
        **DUMPS,
        **COMPARISONS,
        **{rule: n for rule, n in FEATURES.items() if not rule.endswith(("overlap", "connectivity"))},
        **CONFIG,
    }


def test_the_kernels_samples_train_nothing(finished, change):
    plan = finished.plan(overlay=change("tiny", features={"kernel_samples": 5}))
    assert not set(plan.counts()) & set(TRAINING)
    assert plan.counts().items() >= DUMPS.items()


def test_a_margin_changes_verdicts_only(finished):
    plan = finished.plan(overlay={"claims": {"margins": {"accuracy": 0.01}}})
    assert plan.counts() == {"aggregate_claims": 3, "plot_claims": 3, **CONFIG}


def test_an_experiment_may_have_seeds_of_its_own(finished, change):
    plan = finished.plan(overlay=change("tiny", seeds={"count": 4, "block": 2}))
    assert all("experiment=tiny/" in job and "/seeds=2-3/" in job for job in trained(plan))
    assert plan.counts().items() >= {"train_dense": 2, "train_references": 2, **PERFORMANCE}.items()


@pytest.mark.parametrize(
    "overlay",
    [
        {"data_dir": "elsewhere"},
        {"keep_snapshots": False},
        {"experiments": {"tiny": {"pruning": {"rates": {"global": 0.5}}}}},
        {"experiments": {"spare": {"inherit": "tiny"}}},
        {"datasets": {"spare": {"source": "teacher"}}},
    ],
    ids=["data_dir", "keep_snapshots", "unused_rate", "unused_experiment", "unused_dataset"],
)
def test_what_no_result_depends_on_reruns_nothing(finished, overlay):
    assert downstream(plan := finished.plan(overlay=overlay)) == plan.counts()
    assert set(plan.counts()) <= set(CONFIG)


def test_an_experiment_can_be_left_out(finished):
    assert set(finished.plan(overlay={"run": ["tiny"]}).counts()) == {*CONFIG, "write_provenance"}


def test_a_rate_prunes_anew_and_leaves_the_dense_runs(finished, change):
    plan = finished.plan(overlay=change("tiny", pruning={"rates": {"hidden": 0.5}}))
    assert plan.counts() == {
        "extract_mask": 4,
        "retrain": 4,
        "dump_preactivations_tickets_2": 2,
        **COMPARISONS,
        **LINES,
        **TINY,
        **CONFIG,
    }


def test_the_late_step_concerns_late_rewinding_only(finished, change):
    plan = finished.plan(overlay=change("digits", pruning={"late_step": 1}))
    assert not trained(plan)


def test_frozen_rates_run_their_own_cells(scratch, change):
    scratch.run("rates")
    file, overlay = scratch.root / "rates.csv", change("tiny", rates="rates.csv")
    found = (scratch.results / "tables/tiny/rates.csv").read_text()
    assert found.count(",1,False,") == 4, "two alphas, dense networks and tickets, a grid of one"
    file.write_text(found)
    tuned = {"aggregate_summary": 1, "write_provenance": 1}
    assert scratch.plan(overlay=overlay).counts().items() >= tuned.items()
    assert not trained(scratch.plan(overlay=overlay)), "the rates are those that were run"
    file.write_text(
        found.replace("\n1,dense,dense,1,", "\n1,dense,dense,3,").replace(
            "\n1,magnitude,init,1,", "\n1,magnitude,init,3,"
        )
    )
    plan = scratch.plan(overlay=overlay)
    assert {rule: n for rule, n in plan.counts().items() if rule in TRAINING} == {
        "train_dense": 1,
        "train_references": 1,
        "extract_mask": 2,
        "retrain": 2,
    }
    assert all("experiment=tiny/alpha=1/lr=3/" in job for job in trained(plan))
