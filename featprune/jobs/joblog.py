"""A job's log: what it prints, and for a mistake of the user's one clear line instead of a traceback."""

from __future__ import annotations

import os
import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout, suppress
from pathlib import Path
from typing import TextIO

from featprune.errors import FULL, FeatpruneError, first_line, unwritable, writing

# What numerical libraries ask, when they are imported, for how many threads they may start.
THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMEXPR_NUM_THREADS")

# What torch says on the CPU and on a GPU.
OUT_OF_MEMORY = ("can't allocate memory", "CUDA out of memory")
LESS = "take a smaller `block` of seeds, `model.hidden` or `batch_size`, or run where there is more"


@contextmanager
def job_log(path: str | Path) -> Iterator[None]:
    """Send what is printed to the log file; end the process with a message if the body fails.

    A mistake of the user's, a disk on which the log can't be written, and too little memory are one line. The libraries
    that the body imports get one thread, however many cores Snakemake gave the job: more cost more than they give at
    these sizes, and one makes a result independent of the cores.
    """
    os.environ.update(dict.fromkeys(THREADS, "1"))
    path = Path(path)
    try:
        with writing(path):
            path.parent.mkdir(parents=True, exist_ok=True)
            log = path.open("w", encoding="utf-8", buffering=1)
        with closing_log(path, log), redirect_stdout(log):
            yield
    except FeatpruneError as error:
        sys.exit(f"error: {error}")


@contextmanager
def closing_log(path: Path, log: TextIO) -> Iterator[None]:
    """Write to the log what ends the body, and close it; raises FeatpruneError for what a user can act on."""
    try:
        yield
    except Exception as error:
        mistake = mistake_of(error, path)
        with suppress(OSError):  # of a full disk, which the error tells of
            log.write(f"error: {mistake}\n" if mistake else traceback.format_exc())
        if mistake:
            raise mistake from error
        raise
    finally:
        with suppress(OSError):
            log.close()


def mistake_of(error: Exception, log: Path) -> FeatpruneError | None:
    """What a user can act on of an error, of a job with this log; None for a bug."""
    if isinstance(error, FeatpruneError):
        return error
    # What else is written has its own errors, so a full disk without a file's name is the log's.
    if isinstance(error, OSError) and error.errno in FULL and error.filename is None:
        return FeatpruneError(unwritable(log, error))
    if isinstance(error, MemoryError) or any(words in str(error) for words in OUT_OF_MEMORY):
        return FeatpruneError(f"out of memory ({first_line(error)}); {LESS}")
    return None
