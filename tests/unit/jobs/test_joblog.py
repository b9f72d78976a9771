"""A job's log: what is printed, one line for a mistake of the user's, the traceback of any other."""

import os
import sys
from pathlib import Path

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


def test_a_log_that_cannot_be_opened_is_one_line(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(SystemExit) as caught, job_log(tmp_path / "file" / "job.log"):
        raise AssertionError("the body ran")
    assert str(caught.value.code).startswith(f"error: {tmp_path}/file/job.log: can't be written (")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a device that is full")
def test_a_disk_too_full_for_the_log_is_one_line():
    with pytest.raises(SystemExit) as caught, job_log("/dev/full"):
        print("before")
    assert caught.value.code.startswith("error: /dev/full: can't be written (No space left on device); make room there")


@pytest.mark.parametrize(
    "error", [MemoryError("Unable to allocate 728. TiB"), RuntimeError("x: can't allocate memory: you tried")]
)
def test_too_little_memory_is_one_line(tmp_path, error):
    with pytest.raises(SystemExit) as caught, job_log(tmp_path / "job.log"):
        raise error
    assert caught.value.code.startswith(f"error: out of memory ({error}); take a smaller `block`")
    assert "Traceback" not in (tmp_path / "job.log").read_text()
