"""With what the results were made: versions, the commit, the machine."""

from __future__ import annotations

import os
import platform
from importlib.metadata import PackageNotFoundError, distributions, requires, version
from pathlib import Path

from packaging.requirements import Requirement

from featprune.jobs.machine import output, processor

NAME = "featprune"
# What makes numerical libraries compute otherwise than they would on this machine.
SETTINGS = (
    "ATEN_CPU_CAPABILITY",
    "DNNL_MAX_CPU_ISA",
    "MKL_CBWR",
    "MKL_ENABLE_INSTRUCTIONS",
    "NPY_DISABLE_CPU_FEATURES",
    "NUMBA_CPU_FEATURES",
    "NUMBA_CPU_NAME",
    "ONEDNN_MAX_CPU_ISA",
    "OPENBLAS_CORETYPE",
)


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
    """What this process computes with, which decides the last bits: docs/reproducibility.md says by how much.

    The CPU's model and cores, the GPU (None without one), torch's instruction set and libraries, the matrix product,
    numba's target, the BLAS of numpy and scipy, and of the environment what tells these to compute otherwise.
    """
    import torch
    from llvmlite.binding import get_host_cpu_name

    from featprune.engine.products import product_name

    return {
        "processor": processor(),
        "cores": os.cpu_count(),
        "gpu": torch.cuda.get_device_name() if torch.cuda.is_available() else None,
        "instructions": torch.backends.cpu.get_cpu_capability(),
        "product": product_name(),
        "numba": os.environ.get("NUMBA_CPU_NAME") or get_host_cpu_name(),
        "libraries": libraries(),
        "settings": {name: os.environ[name] for name in SETTINGS if name in os.environ},
    }


def libraries() -> list[str]:
    """The numerical libraries of torch, in its words, and the loaded ones of other packages."""
    import torch
    from threadpoolctl import threadpool_info

    built_with = (line.strip(" -") for line in torch.__config__.show().splitlines())
    torchs = [line for line in built_with if line.startswith("Intel(R)")]
    loaded = (library for library in threadpool_info() if library["version"])
    others = {f"{one['internal_api']} {one['version']} {one.get('architecture', '')}".strip() for one in loaded}
    return [*torchs, *sorted(others)]


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None


def _git(*args: str) -> str | None:
    return output("git", "-C", str(Path(__file__).parent), *args)
