"""The account of a run adds up what Snakemake timed and what training jobs printed."""

import pytest

from benchmarks.account import account


def job(results, rule, seconds, *printed):
    place = f"{rule}/experiment=e/round=1"
    for kind, suffix, text in (
        ("benchmarks", "tsv", f"s\tcpu_time\n{seconds}\t1.0\n"),
        ("logs", "log", "\n".join(printed)),
    ):
        file = results / kind / f"{place}.{suffix}"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)


def test_seconds_of_a_training_job_are_split_by_what_it_printed(tmp_path):
    printed = [
        "seeds [0]: 10 steps in 2.5 s, evaluations in 0.25 s, all in 3.0 s",
        "seeds [1]: 10 steps in 1.5 s, evaluations in 0.5 s, all in 2.25 s",
    ]
    job(tmp_path, "retrain", 9.0, *printed)
    row = account(tmp_path).loc["retrain"]
    split = {"in_steps": 4, "evaluating": 0.75, "reference": 0.5, "training_rest": 3.75}
    assert row.to_dict() == {"jobs": 1, "seconds": 9} | split


def test_jobs_that_print_nothing_have_no_training(tmp_path):
    job(tmp_path, "plot_claims", 2.0)
    row = account(tmp_path).loc["plot_claims"]
    assert row["seconds"] == 2 and row[["in_steps", "evaluating", "reference", "training_rest"]].sum() == 0


def test_snakemake_itself_is_a_row_with_its_runs(tmp_path):
    job(tmp_path, "plot_claims", 2.0)
    usage = tmp_path / "benchmarks" / "snakemake.json"
    usage.write_text('{"snakemake": 3.5, "jobs": 20.0}\n{"snakemake": 1.0, "jobs": 2.0}\n')
    table = account(tmp_path)
    assert table.loc["(snakemake)", "jobs"] == 2
    assert table.loc["(snakemake)", "seconds"] == 4.5
    assert table["seconds"].sum() == pytest.approx(6.5)
