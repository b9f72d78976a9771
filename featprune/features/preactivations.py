"""Features: preactivations of saved snapshots on a fixed probe set, as one Parquet file a run."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from featprune.datasets.dataset import Dataset
from featprune.errors import FeatpruneError, unreadable
from featprune.network import MLP, Parameters
from featprune.randomness import numpy_generator
from featprune.storage import atomic, open_table, placed, seal


def probe_set(data: Dataset, size: int) -> np.ndarray:
    """Sorted indices in the test split, (size,): the same for every run of a dataset, as many of each class as can be.

    Raises FeatpruneError where the test split has fewer samples.
    """
    if size > len(data.test_x):
        raise FeatpruneError(f"features.probe: {size} is larger than the test split ({len(data.test_x)} samples)")
    order = numpy_generator(0, "probe").permutation(len(data.test_x))
    if data.classification:
        # A sample's rank within its class: taking the lowest ranks first fills all classes alike.
        labels = data.test_y[order]
        rank = np.empty(len(order), int)
        for label in np.unique(labels):
            members = np.flatnonzero(labels == label)
            rank[members] = np.arange(len(members))
        order = order[np.argsort(rank, kind="stable")]
    return np.sort(order[:size])


def schema(widths: Sequence[int]) -> pa.Schema:
    """The columns of a preactivation file; `widths` are those of layers 1, 2, ...

    Every row is as long as the widest layer; where a layer has fewer units, the entries behind them are null.
    """
    return pa.schema(
        [
            ("seed", pa.int32()),
            ("step", pa.int32()),
            ("layer", pa.int8()),
            ("sample", pa.int32()),
            ("preactivation", pa.list_(pa.float32(), max(widths))),
        ],
        metadata={"widths": ",".join(map(str, widths))},
    )


def dump_preactivations(
    path: str | Path,
    network: MLP,
    snapshots: dict[int, Parameters],
    seeds: Sequence[int],
    data: Dataset,
    size: int,
) -> None:
    """Write H[l, t] of every seed, layer and snapshot step on the probe set, sorted by seed, layer, step, sample.

    The last layer's preactivation is the raw output h. A row group holds one seed and layer.
    """
    samples = probe_set(data, size)
    x = data.test_x[samples]
    widths = network.widths[1:]
    table_schema = placed(path, schema(widths))
    steps = sorted(snapshots)
    values = {}
    for step in steps:
        values[step] = network.preactivations(snapshots[step].weights, snapshots[step].biases, x)
    # Floats hardly repeat: split into bytes they take two thirds of what they do in a dictionary.
    encoding = {"use_byte_stream_split": ["preactivation.list.element"], "use_dictionary": ["seed", "step", "layer"]}
    with atomic(path) as partial:
        with pq.ParquetWriter(partial, table_schema, compression="zstd", **encoding) as writer:
            for replica, seed in enumerate(seeds):
                for layer, width in enumerate(widths):
                    h = np.concatenate([values[step][layer][replica] for step in steps])
                    columns = {
                        "seed": np.full(len(h), seed, np.int32),
                        "step": np.repeat(np.array(steps, np.int32), len(samples)),
                        "layer": np.full(len(h), layer + 1, np.int8),
                        "sample": np.tile(samples.astype(np.int32), len(steps)),
                        "preactivation": _padded(h, width, max(widths)),
                    }
                    writer.write_table(pa.table(columns, schema=table_schema))
        seal(partial)


def _padded(h: np.ndarray, width: int, widest: int) -> pa.Array:
    """Rows of h (n, width) as fixed-size lists of the widest layer's length, null behind the units there are."""
    full = np.zeros((len(h), widest), np.float32)
    full[:, :width] = h
    absent = np.zeros((len(h), widest), bool)
    absent[:, width:] = True
    return pa.FixedSizeListArray.from_arrays(pa.array(full.ravel(), mask=absent.ravel()), widest)


def read_preactivations(
    path: str | Path, seed: int | None = None
) -> Iterator[tuple[int, int, int, np.ndarray, np.ndarray]]:
    """Yield (seed, layer, step, samples (P,), H (P, N)) of every matrix in a file, or of one seed's.

    Raises FeatpruneError naming the file if it can't be read.
    """
    try:
        file = open_table(path)
        widths = [int(w) for w in file.schema_arrow.metadata[b"widths"].split(b",")]
        for group in range(file.num_row_groups):
            table = file.read_row_group(group)
            first, layer = table["seed"][0].as_py(), table["layer"][0].as_py()
            if seed is not None and first != seed:
                continue
            step = table["step"].to_numpy()
            sample = table["sample"].to_numpy()
            lists = table["preactivation"].combine_chunks()
            h = lists.flatten().to_numpy(zero_copy_only=False).reshape(len(step), -1)[:, : widths[layer - 1]]
            for at in np.unique(step):
                rows = step == at
                yield first, layer, int(at), sample[rows], h[rows]
    except (pa.ArrowException, OSError, LookupError, TypeError, ValueError) as error:
        raise FeatpruneError(unreadable(path, error)) from error
