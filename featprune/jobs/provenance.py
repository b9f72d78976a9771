"""With what the results were made: versions, the commit, the machine."""

from __future__ import annotations

import os
import platform
import subprocess
from importlib.metadata import PackageNotFoundError, distributions, requires, version
from pathlib import Path

from packaging.requirements import Requirement

NAME = "featprune"


def provenance() -> dict:
    """Package versions, git commit (None outside a checkout) and whether files differ from it, Python, the machine."""
    return {
        "packages": {name: _version(name) for name in packages()},
        "commit": _git("rev-parse", "HEAD"),
        "uncommitted_changes": bool(_git("status", "--porcelain")),
        "python": platform.python_version(),
        "platform": platform.platform(),
        "device": device(),
    }


def packages() -> list[str]:
    """This package and all that it requires here, without extras; where it isn't installed, all that is."""
    try:
        required = [Requirement(line) for line in requires(NAME) or ()]
    except PackageNotFoundError:
        return sorted(filter(None, {distribution.metadata["Name"] for distribution in distributions()}))
    return [NAME, *(r.name for r in required if r.marker is None or r.marker.evaluate({"extra": ""}))]


def device() -> dict:
    """What this process computes with: the CPU's model and cores, the GPU (None without one), the matrix product."""
    import torch

    from featprune.engine.products import product_name

    return {
        "processor": _processor(),
        "cores": os.cpu_count(),
        "gpu": torch.cuda.get_device_name() if torch.cuda.is_available() else None,
        "product": product_name(),
    }


def _processor() -> str:
    """The CPU's model, as lscpu says it where there is one."""
    fields = (line.partition(":") for line in (_output("lscpu") or "").splitlines())
    models = (value.strip() for key, _, value in fields if key.strip() == "Model name")
    return next(models, "") or platform.processor() or platform.machine()


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None


def _git(*args: str) -> str | None:
    return _output("git", "-C", str(Path(__file__).parent), *args)


def _output(*command: str) -> str | None:
    """What a command prints, in English; None where it fails or there is none."""
    environment = os.environ | {"LC_ALL": "C"}
    try:
        return subprocess.run(command, capture_output=True, text=True, check=True, env=environment).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return None
