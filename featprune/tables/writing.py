"""Files of tables, also of those that are too large to be held at once. Light: needs no torch."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.parquet as pq

from featprune.storage import atomic, placed, save_table, seal

if TYPE_CHECKING:
    from featprune.tables.registry import Content


def save_content(path: str | Path, content: Content) -> None:
    """Write what `Table.make` gives for a file: text, a frame, or frames, each when it is there."""
    if isinstance(content, str):
        with atomic(path) as partial:
            partial.write_text(content, encoding="utf-8")
    elif isinstance(content, Iterator):
        parts = (pa.Table.from_pandas(frame, preserve_index=False) for frame in content)
        part = next(parts)
        schema = placed(path, part.schema)
        with atomic(path) as partial:
            with pq.ParquetWriter(partial, schema, compression="zstd") as writer:
                while part is not None:
                    writer.write_table(part.cast(schema))
                    part = next(parts, None)
            seal(partial)
    else:
        save_table(path, content)
