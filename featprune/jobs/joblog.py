"""A job's log: what it prints, and for a mistake of the user's one clear line instead of a traceback."""

from __future__ import annotations

import os
import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout
from pathlib import Path

from featprune.errors import FeatpruneError

# What numerical libraries ask, when they are imported, for how many threads they may start.
THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMEXPR_NUM_THREADS")


@contextmanager
def job_log(path: str | Path) -> Iterator[None]:
    """Send what is printed to the log file; end the process with a message if the body fails.

    The libraries that the body imports get one thread, however many cores Snakemake gave the job: more cost more than
    they give at these sizes, and one makes a result independent of the cores.
    """
    os.environ.update(dict.fromkeys(THREADS, "1"))
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8") as log:
        try:
            with redirect_stdout(log):
                yield
        except FeatpruneError as error:
            log.write(f"error: {error}\n")
            sys.exit(f"error: {error}")
        except Exception:
            log.write(traceback.format_exc())
            log.flush()
            raise
