"""A job's log: what it prints, and for a mistake of the user's one clear line instead of a traceback."""

from __future__ import annotations

import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout
from pathlib import Path

from featprune.errors import FeatpruneError


@contextmanager
def job_log(path: str | Path) -> Iterator[None]:
    """Send what is printed to the log file; end the process with a message if the body fails."""
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
