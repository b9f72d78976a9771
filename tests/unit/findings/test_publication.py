"""What a study publishes: which files, what is in them, and that reading them gives it back."""

import json

import numpy as np
import pandas as pd
import pytest
import yaml

from featprune.config import resolve
from featprune.errors import FeatpruneError
from featprune.findings import publication
from featprune.findings.contents import sources
from featprune.findings.opening import tell, write_opening
from featprune.findings.publication import publish, published, read
from featprune.storage import save_table
from featprune.study import Study
from tests.unit.findings.made import made_claims, made_connectivity, made_stops, made_tuned
from tests.unit.test_study import CHOICES, SCHEMA


@pytest.fixture
def results(tmp_path):
    """Results with the tables of two experiments."""
    root = tmp_path / "results"
    for name in ("a", "b"):
        save_table(root / "tables" / name / "claims.parquet", made_claims(name))
        save_table(root / "tables" / name / "tuned.parquet", made_tuned(name).assign(validation_loss=0.3))
    config = {"results": "/somewhere", "data_dir": "/else", "device": "cpu", "keep_snapshots": True, "run": ["b", "a"]}
    (root / "config.yaml").write_text(yaml.safe_dump(config))
    told = {"packages": {"numpy": "1"}, "commit": "c", "uncommitted_changes": False, "python": "3", "platform": "here"}
    (root / "provenance.json").write_text(json.dumps(told | {"device": {"processor": "mine"}}))
    (root / "figure.png").write_bytes(b"picture")
    for job, seconds in (("train/x", 3000), ("plot", 600), ("publish_tables", 99), ("write_findings", 99)):
        file = root / "benchmarks" / f"{job}.tsv"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(f"s\th:m:s\n{seconds}\t-\n")
    return root


def made_of(root):
    return {
        "config.yaml": [root / "config.yaml"],
        "provenance.json": [root / "provenance.json"],
        "claims.csv": [root / "tables/a/claims.parquet", root / "tables/b/claims.parquet"],
        "tuned.csv": [root / "tables/a/tuned.parquet"],
        "a_claims.png": [root / "figure.png"],
    }


def test_what_is_published_is_read_again(results, tmp_path):
    publish(made_of(results), tmp_path / "docs/study", results)
    (study,) = published(tmp_path / "docs")
    assert (study.name, study.figures) == ("study", ("a_claims.png",))
    assert [name for name, _ in study.named(study.table("claims"))] == ["b", "a"]
    claims = study.table("claims").query("experiment == 'a'").drop(columns="p_adjusted")
    expected = made_claims("a")[list(claims)]
    pd.testing.assert_frame_equal(claims, expected, check_dtype=False, rtol=1e-4)
    assert "validation_loss" not in study.table("tuned")
    assert study.table("connectivity").empty
    assert study.provenance["took"] == {"jobs": 2, "core_hours": 1.0}
    # Nothing of a machine.
    text = (tmp_path / "docs/study/config.yaml").read_text() + (tmp_path / "docs/study/provenance.json").read_text()
    assert not any(word in text for word in ("/somewhere", "/else", "cpu", "here", "mine"))


def test_publishing_again_gives_the_same_files_and_removes_what_is_published_no_more(results, tmp_path):
    folder = tmp_path / "docs/study"
    publish(made_of(results), folder, results)
    files = {path.name: path.read_bytes() for path in folder.iterdir()}
    (folder / "connectivity.csv").write_text("old")
    publish(made_of(results), folder, results)
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == files


def test_tables_that_are_too_large_are_refused(results, tmp_path, monkeypatch):
    monkeypatch.setattr(publication, "LIMIT", 1000)
    with pytest.raises(FeatpruneError, match=r"study: tables of [\d,]+ bytes, more than 1,000"):
        publish(made_of(results), tmp_path / "docs/study", results)


def test_the_report_says_the_same_of_a_study_of_any_size(results, tmp_path, monkeypatch):
    publish(made_of(results), tmp_path / "docs/results", results)
    published_page = tell(read(tmp_path / "docs/results"))
    monkeypatch.setattr(publication, "LIMIT", 1000)
    assert write_opening(made_of(results), results) == published_page
    assert "**Claim 1" in published_page and "2 jobs, 1 core-hours in all" in published_page


def test_a_claim_is_a_word_and_an_empty_word_is_not_missing(results, tmp_path):
    claims = made_claims("a").query("claim == '1'").assign(rewind="")
    save_table(results / "tables/a/claims.parquet", claims)
    publish(made_of(results) | {"claims.csv": [results / "tables/a/claims.parquet"]}, tmp_path / "docs/x", results)
    table = read(tmp_path / "docs/x").table("claims")
    assert set(table["claim"]) == {"1"}
    assert set(table["rewind"]) == {""}


def test_of_richness_the_linearization_error_at_the_end_is_published(results, tmp_path):
    axes = {"experiment": "a", "alpha": 1.0, "lr": 1.0, "criterion": "dense", "rewind": "dense", "round": 0, "seed": 3}
    rows = [
        axes | {"density": 1.0, "step": step, "layer": layer, "measure": measure, "value": value}
        for step, layer, measure, value in (
            (10, 0, "linearization_error", 0.1),
            (90, 0, "linearization_error", 0.25),
            (90, 0, "kernel_movement", 0.7),
            (90, 1, "linearization_error", np.nan),
        )
    ]
    save_table(results / "richness.parquet", pd.DataFrame(rows))
    publish(made_of(results) | {"richness.csv": [results / "richness.parquet"]}, tmp_path / "docs/x", results)
    assert read(tmp_path / "docs/x").table("richness")["linearization_error"].tolist() == [0.25]


def test_of_connectivity_the_test_split_is_published(results, tmp_path):
    tables = [made_connectivity("a", height=height).assign(split=s) for s, height in (("train", 0.5), ("test", 0.02))]
    save_table(results / "connectivity.parquet", pd.concat(tables))
    publish(made_of(results) | {"connectivity.csv": [results / "connectivity.parquet"]}, tmp_path / "docs/x", results)
    table = read(tmp_path / "docs/x").table("connectivity")
    assert len(table) == len(tables[1])
    assert table["error_barrier"].max() < 0.1


def test_accuracies_keep_their_digits(results, tmp_path):
    stops = made_stops({"dense": [10_000]}, {"dense": [0.98157]}, experiment="a", noise=0)
    save_table(results / "tables/a/tuned.parquet", stops)
    publish(made_of(results), tmp_path / "docs/x", results)
    assert set(read(tmp_path / "docs/x").table("tuned")["early_stop_test_accuracy"]) == {0.98157}


def test_a_study_publishes_what_its_figures_show():
    experiment = {"dataset": "digits", "model": {"hidden": [8]}, "training": {"lr": 0.1, "steps": 50}, "alphas": [1, 2]}
    experiments = {
        "whole": experiment | {"features": {"rounds": [0, 2]}, "baseline": "base"},
        "base": experiment | {"center": False, "figures": ["early_stop"]},
        "hidden": experiment | {"figures": []},
    }
    study = Study(resolve({"results": "out", "experiments": experiments}, SCHEMA, CHOICES))
    made = sources(study)
    assert made["claims.csv"] == ["out/tables/whole/claims.parquet"]
    assert made["tuned.csv"] == ["out/tables/whole/tuned.parquet", "out/tables/base/tuned.parquet"]
    assert made["richness.csv"] == ["out/tables/whole/richness.parquet"]
    assert made["base_early_stop.png"] == ["out/figures/base/early_stop.png"]
    assert {"whole_claims.png", "whole_headline.png", "config.yaml", "provenance.json"} <= set(made)
    assert not any("hidden" in file for files in made.values() for file in files)
