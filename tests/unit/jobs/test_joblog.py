"""A job's log: what is printed, one line for a mistake of the user's, the traceback of any other."""

import os
import sys

import pytest

from featprune.errors import FeatpruneError
from featprune.jobs.joblog import THREADS, job_log


def test_what_is_printed_goes_to_the_log_in_a_new_folder(tmp_path, capsys):
    log = tmp_path / "new" / "folder" / "job.log"
    with job_log(log):
        print("é inside")
        print("an error's place", file=sys.stderr)
    print("outside")
    assert log.read_text(encoding="utf-8") == "é inside\n"
    assert capsys.readouterr() == ("outside\n", "an error's place\n")


def test_a_new_log_replaces_the_old(tmp_path):
    log = tmp_path / "job.log"
    log.write_text("an old and longer one\n")
    with job_log(str(log)):
        print("new")
    assert log.read_text() == "new\n"


def test_a_mistake_of_the_users_is_one_line_without_a_traceback(tmp_path):
    log = tmp_path / "job.log"
    with pytest.raises(SystemExit) as caught, job_log(log):
        print("before")
        raise FeatpruneError("unknown criterion 'x'; known: magnitude")
    assert caught.value.code == "error: unknown criterion 'x'; known: magnitude"
    assert log.read_text() == "before\nerror: unknown criterion 'x'; known: magnitude\n"


def test_any_other_error_leaves_its_traceback_and_goes_on(tmp_path):
    log = tmp_path / "job.log"
    with pytest.raises(ZeroDivisionError), job_log(log):
        print("before")
        raise ZeroDivisionError("a bug")
    lines = log.read_text().splitlines()
    assert lines[:2] == ["before", "Traceback (most recent call last):"]
    assert lines[-1] == "ZeroDivisionError: a bug" and any("test_joblog.py" in line for line in lines)


def test_after_an_error_prints_go_where_they_went(tmp_path, capsys):
    with pytest.raises(SystemExit), job_log(tmp_path / "job.log"):
        raise FeatpruneError("why")
    print("outside")
    assert capsys.readouterr().out == "outside\n"


def test_a_job_has_one_thread_whatever_its_cores(tmp_path, monkeypatch):
    for name in THREADS:
        monkeypatch.setenv(name, "4")
    with job_log(tmp_path / "job.log"):
        assert {os.environ[name] for name in THREADS} == {"1"}
