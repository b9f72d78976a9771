"""The machine that a job runs on: a line of its log, and how many jobs of a folder of results ran on which."""

from __future__ import annotations

import os
import platform
import subprocess
from collections import Counter
from pathlib import Path

MARK, NODE = "machine: ", " at "


def machine_line() -> str:
    """What decides the last bits of a training job here, and where that is: a line for its log."""
    import torch

    from featprune.engine.products import product_name

    return f"{MARK}{processor()}, {torch.backends.cpu.get_cpu_capability()}, {product_name()}{NODE}{platform.node()}"


def machines(logs: Path) -> dict[str, int]:
    """What decides the last bits -> how many logs below a folder tell of it; more than one entry: they may differ."""
    found: Counter[str] = Counter()
    for log in logs.rglob("*.log"):
        with log.open(encoding="utf-8") as file:
            first = file.readline().rstrip("\n")
        if first.startswith(MARK):
            found[first.removeprefix(MARK).rpartition(NODE)[0]] += 1
    return dict(sorted(found.items()))


def processor() -> str:
    """The CPU's model, as lscpu says it where there is one."""
    fields = (line.partition(":") for line in (output("lscpu") or "").splitlines())
    models = (value.strip() for key, _, value in fields if key.strip() == "Model name")
    return next(models, "") or platform.processor() or platform.machine()


def output(*command: str) -> str | None:
    """What a command prints, in English; None where it fails or there is none."""
    environment = os.environ | {"LC_ALL": "C"}
    try:
        return subprocess.run(command, capture_output=True, text=True, check=True, env=environment).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return None
