"""What is told of the packages, the commit and the machine that made the results."""

import json
import subprocess
import sys
from importlib.metadata import PackageNotFoundError, version

import llvmlite.binding
import pytest
import torch

from featprune.engine.products import product_name
from featprune.jobs import provenance as module
from featprune.jobs.provenance import provenance


@pytest.fixture
def commands(tmp_path, monkeypatch):
    """A function that makes a command, the only ones there are: a script of sh that prints something."""
    monkeypatch.setenv("PATH", str(tmp_path))

    def add(name: str, script: str) -> None:
        path = tmp_path / name
        path.write_text(f"#!/bin/sh\n{script}\n")
        path.chmod(0o755)

    return add


def test_it_can_be_written_as_json_and_names_versions():
    told = json.loads(json.dumps(provenance()))
    assert {"featprune", "torch", "numba", "snakemake"} <= set(told["packages"])
    assert told["packages"]["torch"] == version("torch")
    assert told["python"] == sys.version.split()[0]
    assert told["platform"]


def test_the_packages_are_the_requirements_without_extras_and_other_platforms(monkeypatch):
    lines = [
        "torch>=2.4",
        "Nothing.Here",
        "numpy>=1.26; python_version >= '3.10'",
        "pandas; sys_platform == 'amiga'",
        "pytest>=8; extra == 'test'",
    ]
    monkeypatch.setattr(module, "requires", lambda name: lines)
    told = provenance()["packages"]
    assert list(told) == ["featprune", "torch", "Nothing.Here", "numpy"]
    assert told["Nothing.Here"] is None and told["numpy"]


def test_where_it_is_not_installed_all_packages_are_told(monkeypatch):
    def fail(name):
        raise PackageNotFoundError(name)

    monkeypatch.setattr(module, "requires", fail)
    assert {"torch", "numpy", "pytest"} <= set(provenance()["packages"])


def test_the_device():
    told = provenance()["device"]
    assert isinstance(told["processor"], str) and told["processor"]
    assert told["cores"] >= 1
    assert told["product"] == product_name()
    assert told["instructions"] == torch.backends.cpu.get_cpu_capability()
    assert any("MKL" in library or "openblas" in library for library in told["libraries"])


def test_what_is_set_to_compute_otherwise_is_told_and_nothing_else_of_the_environment(monkeypatch):
    for name in module.SETTINGS:
        monkeypatch.delenv(name, raising=False)
    assert provenance()["device"]["settings"] == {}
    monkeypatch.setenv("ONEDNN_MAX_CPU_ISA", "AVX2")
    assert provenance()["device"]["settings"] == {"ONEDNN_MAX_CPU_ISA": "AVX2"}


def test_numbas_target_is_the_machines_or_what_is_set(monkeypatch):
    assert provenance()["device"]["numba"] == llvmlite.binding.get_host_cpu_name()
    monkeypatch.setenv("NUMBA_CPU_NAME", "haswell")
    assert provenance()["device"]["numba"] == "haswell"


@pytest.mark.parametrize("gpu", [None, "Some GPU"])
def test_a_gpu_is_named(gpu, monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: gpu is not None)
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda: gpu)
    assert provenance()["device"]["gpu"] == gpu


def test_the_processor_is_what_lscpu_says_in_english(commands):
    commands("lscpu", 'echo "CPU(s): 2"; echo "Model name:   Some CPU: 3 GHz $LC_ALL"; echo "BIOS Model name: x"')
    assert provenance()["device"]["processor"] == "Some CPU: 3 GHz C"


@pytest.mark.parametrize("script", [None, "echo 'Vendor ID: x'", "exit 1"])
def test_without_lscpu_the_platform_names_the_processor(script, commands, monkeypatch):
    monkeypatch.setattr(module.platform, "processor", lambda: "")
    monkeypatch.setattr(module.platform, "machine", lambda: "abacus")
    if script:
        commands("lscpu", script)
    assert provenance()["device"]["processor"] == "abacus"


@pytest.mark.parametrize("changed", ["", " M file"])
def test_the_commit_and_whether_files_differ_from_it(changed, commands):
    commands("git", f"case $3 in rev-parse) echo abc;; status) echo '{changed}';; esac")
    told = provenance()
    assert (told["commit"], told["uncommitted_changes"]) == ("abc", bool(changed))


def test_outside_a_checkout_there_is_no_commit(commands):
    commands("git", "exit 128")
    told = provenance()
    assert (told["commit"], told["uncommitted_changes"]) == (None, False)


def test_importing_it_is_light():
    script = "import sys, featprune.jobs.provenance; assert 'torch' not in sys.modules"
    subprocess.run([sys.executable, "-c", script], check=True)
