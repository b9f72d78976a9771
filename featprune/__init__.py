"""Feature-aware pruning in MLPs: lottery tickets across the lazy-to-rich spectrum."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from featprune.api.cell import prune_and_train
    from featprune.api.results import open_study

__all__ = ["open_study", "prune_and_train"]

# Where the names of this package are: imported when one is first used, as most of it needs none of them.
_PLACES = {"open_study": "featprune.api.results", "prune_and_train": "featprune.api.cell"}


def __getattr__(name: str) -> Any:
    if name not in _PLACES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(_PLACES[name]), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
