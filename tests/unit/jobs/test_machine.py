"""A training job tells of its machine, and a folder of results of all machines that trained in it."""

import subprocess
import sys

import torch

from featprune.engine.products import BLAS, ONEDNN
from featprune.jobs.machine import MARK, machine_line, machines, processor


def write(path, *lines):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(f"{line}\n" for line in lines))


def test_a_job_tells_what_decides_its_last_bits_and_where_it_ran(monkeypatch):
    monkeypatch.setattr("platform.node", lambda: "node7")
    line = machine_line()
    assert line.startswith(f"{MARK}{processor()}, {torch.backends.cpu.get_cpu_capability()}, ")
    assert line.endswith((f"{BLAS} at node7", f"{ONEDNN} at node7"))


def test_machines_are_counted_by_what_decides_the_last_bits_and_not_by_name(tmp_path):
    for number, line in enumerate(["A, AVX512, x at n1", "A, AVX512, x at n2", "B, at 2 GHz, AVX2, x at n3"]):
        write(tmp_path / f"retrain/round={number}/seeds=0-1.log", f"{MARK}{line}", "seeds [0, 1]: 3 steps")
    write(tmp_path / "plot.log", "machine")
    write(tmp_path / "empty.log")
    assert machines(tmp_path) == {"A, AVX512, x": 2, "B, at 2 GHz, AVX2, x": 1}
    assert machines(tmp_path / "none") == {}


def test_importing_it_is_light():
    script = "import sys, featprune.jobs.machine; assert 'torch' not in sys.modules"
    subprocess.run([sys.executable, "-c", script], check=True)
