"""Errors that a user can act on: one line that names the key or the file, and the way out."""

from __future__ import annotations

import difflib
import errno
import os
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

T = TypeVar("T")

FULL = {errno.ENOSPC, errno.EDQUOT}
FORBIDDEN = {errno.EACCES, errno.EPERM, errno.EROFS}


class FeatpruneError(Exception):
    """A mistake in the input rather than in the code; shown in one line, without a traceback."""

    def __str__(self) -> str:
        return visible(super().__str__())


def visible(text: str) -> str:
    """The text in one line, with what can't be seen written out."""
    return "".join(letter if letter.isprintable() else ascii(letter)[1:-1] for letter in text)


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


@contextmanager
def writing(path: str | Path) -> Iterator[None]:
    """Turn an error of the system into a FeatpruneError that says which file can't be written."""
    try:
        yield
    except OSError as error:
        raise FeatpruneError(unwritable(path, error)) from error


def unwritable(path: str | Path, error: OSError) -> str:
    """One line that says which file can't be written, why, and the way out."""
    reason = os.strerror(error.errno) if error.errno else first_line(error)
    way = "see to that"
    if error.errno in FULL:
        way = "make room there"
    elif error.errno in FORBIDDEN:
        way = "allow it, or name another folder in the config's `results`"
    return f"{path}: can't be written ({reason}); {way}, and run the same command again"


def unreadable(path: str | Path, error: Exception) -> str:
    """One line that says which file can't be read, and what to do about it."""
    reason = first_line(error)
    return f"{path}: missing, truncated or not what was written ({reason}); delete it and run again to make it anew"


def first_line(error: Exception) -> str:
    """What an error says, in one line; where it says nothing, its kind."""
    return (str(error).splitlines() or [type(error).__name__])[0]
