"""With what the results were made: versions, the commit, the platform."""

from __future__ import annotations

import platform
import subprocess
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

PACKAGES = (
    "featprune",
    "torch",
    "torchvision",
    "numpy",
    "pandas",
    "pyarrow",
    "safetensors",
    "scipy",
    "scikit-learn",
    "seaborn",
    "snakemake",
)


def provenance() -> dict:
    """Package versions, git commit (None outside a checkout) and whether files differ from it, Python, platform."""
    return {
        "packages": {name: _version(name) for name in PACKAGES},
        "commit": _git("rev-parse", "HEAD"),
        "uncommitted_changes": bool(_git("status", "--porcelain")),
        "python": platform.python_version(),
        "platform": platform.platform(),
        "processor": platform.processor() or platform.machine(),
    }


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None


def _git(*args: str) -> str | None:
    command = ["git", "-C", str(Path(__file__).parent), *args]
    try:
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return None
