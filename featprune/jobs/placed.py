"""Where a job has the files that were planned for it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any


def placed(planned: Any, files: Iterable[str]) -> Any:
    """Mappings and sequences of paths, however nested, with these files in the paths' places, in their order.

    What is planned names a file as the study does; where results lie in a bucket a job has a copy of it elsewhere.
    Raises ValueError unless there are as many files as paths.
    """
    left = iter(files)

    def place(part: Any) -> Any:
        if isinstance(part, Mapping):
            return {name: place(value) for name, value in part.items()}
        if isinstance(part, str):
            return next(left)
        return [place(value) for value in part]

    try:
        found = place(planned)
    except StopIteration:
        raise ValueError("there are fewer files than paths") from None
    if next(left, None) is not None:
        raise ValueError("there are more files than paths")
    return found
