"""Errors that a user can act on: one line that names the key or the file, and the way out."""

from __future__ import annotations

import difflib
from collections.abc import Collection, Mapping
from typing import TypeVar

T = TypeVar("T")


class FeatpruneError(Exception):
    """A mistake in the input rather than in the code; shown without a traceback."""


def nearest(name: str, choices: Collection[str]) -> str:
    """A hint for the end of an error line: the closest choice, and all of them."""
    listing = ", ".join(sorted(map(str, choices)))
    close = difflib.get_close_matches(str(name), [str(c) for c in choices], n=1)
    return f"did you mean {close[0]!r}? (known: {listing})" if close else f"known: {listing}"


def lookup(registry: Mapping[str, T], name: str, kind: str) -> T:
    """The registry's entry `name`, or a FeatpruneError that lists the choices.

    `kind` is what one entry is called, such as "criterion".
    """
    try:
        return registry[name]
    except KeyError:
        raise FeatpruneError(f"unknown {kind} {name!r}; {nearest(name, registry)}") from None
