"""What holds in every process that runs tests."""

import gc
import os

from hypothesis import HealthCheck, settings

# pytest-xdist runs a process a core. What they start, and libraries that read these when they are imported, obey too.
for variable in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMBA_NUM_THREADS"):
    os.environ[variable] = "1"

# Tests of properties: always the same examples, or with `pytest --hypothesis-profile=thorough` many others.
USUAL = {"deadline": None, "database": None, "suppress_health_check": list(HealthCheck)}
settings.register_profile("usual", max_examples=30, derandomize=True, **USUAL)
settings.register_profile("thorough", max_examples=5000, **USUAL)
settings.load_profile("usual")


def pytest_collection_finish():
    """What is imported by now stays: without it a collection of garbage, of which libraries ask for some, is quick."""
    gc.freeze()


def pytest_addoption(parser):
    parser.addoption("--kills", type=int, default=2, help="how often tests/workflow/test_kills.py kills something")
