"""Processes of their own, whose time and memory are nobody else's. Light: the memory that Linux tells of a process has
that of the one that started it."""

from __future__ import annotations

import io
import os
import pickle
import subprocess
import sys
from contextlib import redirect_stdout
from importlib import import_module
from pathlib import Path
from resource import struct_rusage
from typing import Any

from featprune.jobs.joblog import THREADS

ROOT = Path(__file__).parents[1]


def usage_of(process: subprocess.Popen) -> struct_rusage:
    """What a process has taken, once it has ended."""
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    return usage


def cpu_seconds(usage: struct_rusage) -> float:
    """Those of a process, the system's for it with them."""
    return usage.ru_utime + usage.ru_stime


def in_fresh_process(module: str, function: str, *arguments: Any) -> tuple[Any, float]:
    """What a function returns in a process of one thread, and that process's CPU seconds from its beginning to its end
    (torch takes some to go)."""
    command = [sys.executable, "-W", "ignore", "-m", __name__, module, function]
    with subprocess.Popen(
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        cwd=ROOT,
        env=os.environ | dict.fromkeys(THREADS, "1"),
    ) as process:
        assert process.stdin is not None and process.stdout is not None
        process.stdin.write(pickle.dumps(arguments))
        process.stdin.close()
        result = process.stdout.read()
        usage = usage_of(process)
    if process.returncode:
        raise RuntimeError(f"{module}.{function}{arguments} failed in a process of its own")
    return pickle.loads(result), cpu_seconds(usage)


def main() -> None:
    module, function = sys.argv[1:]
    with redirect_stdout(io.StringIO()):
        result = getattr(import_module(module), function)(*pickle.load(sys.stdin.buffer))
    sys.stdout.buffer.write(pickle.dumps(result))


if __name__ == "__main__":
    main()
