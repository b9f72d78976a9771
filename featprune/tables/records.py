"""Test error against what is kept of a network, weights and bytes: ours beside published numbers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import pandas as pd

from featprune.runs.paths import DENSE, TICKET
from featprune.tables.frames import of_kind
from featprune.tables.intervals import student_t
from featprune.tables.reading import read_frame

OURS, BASELINE, PUBLISHED = "ours", "baseline", "published"
PLACE = ["experiment", "alpha", "lr", "criterion", "rewind", "round"]
ABOUT = ["method", "year", "source", "checked"]
COLUMNS = ["side", *PLACE, *ABOUT, "against", "kept", "error", "ci_low", "ci_high", "n_seeds"]


def build_records(
    published: Sequence[Mapping[str, Any]],
    tuned: str,
    compression: str | None = None,
    baseline: str | None = None,
    baseline_compression: str | None = None,
) -> dict[str, pd.DataFrame]:
    """The table `records`, from the points of `featprune.tables.published` and an experiment's and its baseline's
    tables `tuned` and `compression`, as far as there are any."""
    found = {
        (OURS, "density"): tuned,
        (OURS, "bytes"): compression,
        (BASELINE, "density"): baseline,
        (BASELINE, "bytes"): baseline_compression,
    }
    frames = {place: read_frame(file) for place, file in found.items() if file is not None}
    return {"records.parquet": records(frames, published)}


def records(frames: Mapping[tuple[str, str], pd.DataFrame], published: Sequence[Mapping[str, Any]]) -> pd.DataFrame:
    """A row a kind of pruned run and round, or a published point, and what it is told against.

    frames: side, "density" or "bytes" -> the table `tuned`, or `compression`, of whose bytes those on disk count; of
    the side "baseline" the lottery tickets. against, kept: "density", the fraction of weights kept, or "bytes". error:
    the mean over seeds, of the compressed network where it is told against bytes; ci_low, ci_high: the interval of the
    mean (`student_t`). Runs that diverged are left out. method, year, source and checked are of published points.
    """
    rows = [
        row
        for (side, against), frame in frames.items()
        for row in means(frame if side == OURS else of_kind(frame, TICKET), side, against)
    ]
    rows += [
        {"side": PUBLISHED, "against": against, "kept": point[against], "error": point["error"]}
        | {name: point[name] for name in ABOUT}
        for against in ("density", "bytes")
        for point in published
        if point[against] is not None
    ]
    return pd.DataFrame(rows).reindex(columns=COLUMNS).astype({"year": "Int32", "round": "Int32", "n_seeds": "Int32"})


def means(runs: pd.DataFrame, side: str, against: str) -> Iterator[dict[str, Any]]:
    """A row a kind of pruned run, alpha and round."""
    accuracy, kept = {
        "density": ("test_accuracy", "density"),
        "bytes": ("quantized_accuracy", "huffman_bytes"),
    }[against]
    pruned = runs[runs["criterion"] != DENSE.criterion].dropna(subset=accuracy)
    for place, mine in pruned.groupby(PLACE):
        error = 1 - mine[accuracy]
        low, high = student_t(error)
        told = {"kept": mine[kept].mean(), "error": error.mean(), "ci_low": low, "ci_high": high, "n_seeds": len(mine)}
        yield {"side": side, "against": against} | dict(zip(PLACE, place, strict=True)) | told
