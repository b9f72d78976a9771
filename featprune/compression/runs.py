"""Deep Compression of saved runs (Han, Mao & Dally 2016): pruned weights, shared values, Huffman coding."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pandas as pd

from featprune.compression.codec import load_fpz, save_fpz, sizes
from featprune.compression.quantization import evaluate, fine_tune, quantize
from featprune.datasets.dataset import Dataset
from featprune.engine.settings import Settings
from featprune.network import MLP
from featprune.runs.files import load_run


def compress_run(
    run: Path, files: Path, network: MLP, data: Dataset, settings: Settings, hidden_bits: int, output_bits: int
) -> pd.DataFrame:
    """Compress every seed of a saved run into `files`/seed=<seed>.fpz; a row a seed, with sizes and accuracies.

    settings: how the shared values are trained; `behind` is what the run's weights have behind them, so that the data
    order goes on from there. Accuracies are of the run as it is, and of what is read back from the file; sizes are in
    bytes (`featprune.compression.codec.sizes`), of which the last is that of the file on disk.
    """
    saved = load_run(run)
    bits = [hidden_bits] * (len(network.shapes) - 1) + [output_bits]
    rows = []
    for i, seed in enumerate(saved.seeds):
        parameters, masks = saved.parameters.replicas([i]), [m[i : i + 1] for m in saved.masks]
        reference = network.initial([seed]) if settings.center else None
        shared = quantize(parameters, masks, bits)
        shared = fine_tune(shared, network, data, settings, seed=seed, reference=reference)
        path = Path(files) / f"seed={seed}.fpz"
        save_fpz(path, shared)
        decoded = load_fpz(path)
        before = evaluate(parameters, masks, network, data, settings, reference)
        after = evaluate(decoded.parameters(), decoded.masks, network, data, settings, reference)
        stages = {f"{name}_bytes": int(size) for name, size in sizes(decoded).items() if not name.endswith("_rate")}
        rows.append(
            {
                "seed": seed,
                "hidden_bits": hidden_bits,
                "output_bits": output_bits,
                **stages,
                "huffman_bytes": path.stat().st_size,
                "pruned_accuracy": before["test"][1],
                "quantized_accuracy": after["test"][1],
                "quantized_validation_accuracy": after["validation"][1],
            }
        )
    return pd.DataFrame(rows)


def fine_tuning(settings: Settings, steps: int, behind: int) -> Settings:
    """A run's settings for training its shared values for some steps, after those that lie behind."""
    return replace(settings, steps=steps, behind=behind, milestones=())
