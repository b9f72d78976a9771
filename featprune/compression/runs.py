"""Deep Compression of saved runs (Han, Mao & Dally 2016): pruned weights, shared values, Huffman coding."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import torch

from featprune.compression.codec import encode, load_fpz, save_fpz, sizes
from featprune.compression.quantization import Quantized, quantize
from featprune.compression.tuning import fine_tune
from featprune.datasets.dataset import Dataset
from featprune.engine.evaluation import Output, evaluate, no_reference, split_data
from featprune.engine.replica import Replica
from featprune.engine.settings import Settings
from featprune.network import MLP, Parameters
from featprune.runs.files import load_run

Bits = tuple[int, int]  # of a code in hidden layers, and in the output layer
TIE = 1e-9  # accuracies that are as far apart as the margin differ from it by rounding


def compress_run(
    mask: str | Path,
    weights: str | Path,
    files: Path,
    network: MLP,
    data: Dataset,
    settings: Settings,
    bits: Sequence[Bits],
    margin: float = 0.0,
    reference: Parameters | None = None,
) -> pd.DataFrame:
    """Compress every seed of a saved run into `files`/seed=<seed>.fpz; a row a seed, with sizes and accuracies.

    settings: how the shared values are trained; `behind` is what the run's weights have behind them, so that the data
    order goes on from there. bits: widths of codes, of which each seed's network takes those that make its file
    smallest while its validation accuracy is within `margin` of that of the best. reference: theta_ref of all seeds
    (R, ...), which a centered run was trained with (`featprune.rewind.reference`); None where f isn't centered, and a
    ValueError where that isn't what `settings` say. Accuracies are of the run as it is, and of what is read back from
    the file; sizes are in bytes (`featprune.compression.codec.sizes`), of which the last is that of the file on disk.
    """
    if settings.center != (reference is not None):
        raise ValueError("a centered network needs its reference parameters, and no other network has any")
    torch.set_num_threads(1)
    saved = load_run(mask, weights)
    rows = []
    for i, seed in enumerate(saved.seeds):
        own = None if reference is None else reference.replicas([i])
        masks = [m[i : i + 1] for m in saved.masks]
        path, one = Path(files) / f"seed={seed}.fpz", saved.parameters.replicas([i])
        measured = _compress(path, network, one, own, masks, data, seed, settings, bits, margin)
        rows.append({"seed": seed, **measured})
    return pd.DataFrame(rows)


def _compress(
    path: Path,
    network: MLP,
    parameters: Parameters,
    reference: Parameters | None,
    masks: Sequence[np.ndarray],
    data: Dataset,
    seed: int,
    settings: Settings,
    bits: Sequence[Bits],
    margin: float,
) -> dict[str, float]:
    """Compress one network (1, ...) into the file `path`: its sizes and accuracies."""

    def output(values: Parameters) -> Output:
        return Replica(network, values, masks, settings).output

    splits = split_data(data.of(seed), no_reference(1, network.widths[-1]) if reference is None else output(reference))

    def accuracy(values: Parameters, split: str) -> float:
        return float(evaluate(output(values), splits[split], settings.objective)[1][0])

    def shared_by(hidden_bits: int, output_bits: int) -> Quantized:
        widths = [hidden_bits] * (len(masks) - 1) + [output_bits]
        return fine_tune(quantize(parameters, masks, widths), network, splits, settings, seed)

    tried = [shared_by(*pair) for pair in bits]
    accuracies = [accuracy(one.parameters(), "validation") for one in tried]
    chosen = smallest([len(encode(one)) for one in tried], accuracies, margin)
    save_fpz(path, tried[chosen])
    decoded = load_fpz(path)
    shared = decoded.parameters()
    stages = {f"{name}_bytes": int(size) for name, size in sizes(decoded).items() if not name.endswith("_rate")}
    return {
        "hidden_bits": bits[chosen][0],
        "output_bits": bits[chosen][1],
        **stages,
        "huffman_bytes": path.stat().st_size,
        "pruned_accuracy": accuracy(parameters, "test"),
        "quantized_accuracy": accuracy(shared, "test"),
        "quantized_validation_accuracy": accuracies[chosen],
    }


def smallest(sizes: Sequence[int], accuracies: Sequence[float], margin: float) -> int:
    """Index of the least size of those within `margin` of the best accuracy; of equal sizes the more accurate.

    Without accuracies, as in a regression (all NaN), there is nothing to choose by: the first.
    """
    if np.isnan(accuracies).all():
        return 0
    lowest = np.nanmax(accuracies) - margin - TIE
    return min(
        (index for index, accuracy in enumerate(accuracies) if accuracy >= lowest),
        key=lambda index: (sizes[index], -accuracies[index]),
    )
