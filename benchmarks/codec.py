"""How near the coded positions of a `.fpz` file come to their entropy: `python -m benchmarks.codec [mask files]`.

Prints a row a network: random masks of LeNet-300-100 at 20, 5, 1 and 0.5 %, and the first seed's masks of the
`mask.safetensors` named. The entropy is that of positions drawn independently in each layer, at its density: the least
that any code of random masks takes. Trained masks may take less, since their positions aren't independent.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from featprune.compression.codec import GAP_BITS, INDEX_BITS, code_positions
from featprune.runs.files import load_masks

DENSITIES = (0.2, 0.05, 0.01, 0.005)
SHAPES = ((300, 784), (100, 300), (10, 100))


def entropy(mask: np.ndarray) -> float:
    """Bytes of independent positions at the mask's density."""
    p = np.array([mask.mean(), 1 - mask.mean()])
    return float(-(mask.size * p * np.log2(p, where=p > 0, out=np.zeros(2))).sum() / 8)


def row(masks: Sequence[np.ndarray]) -> dict[str, object]:
    """The sizes of a network's positions in bytes, with gaps of the paper's width and of each layer's own."""
    least = sum(map(entropy, masks))
    fixed = sum(len(code_positions(mask, [INDEX_BITS])[1]) for mask in masks)
    coded = [code_positions(mask, GAP_BITS) for mask in masks]
    own = sum(len(stream) for _, stream in coded)
    kept, all_of_them = sum(int(mask.sum()) for mask in masks), sum(mask.size for mask in masks)
    return {
        "weights kept (%)": f"{100 * kept / all_of_them:.2g}",
        "entropy": round(least),
        "5 bits": fixed,
        "above (%)": f"{100 * (fixed / least - 1):.1f}",
        "own width": own,
        "above (%) ": f"{100 * (own / least - 1):.1f}",
        "bits": ", ".join(str(width) for width, _ in coded),
    }


def cases(files: Sequence[Path]) -> Iterator[dict[str, object]]:
    """The rows of the table."""
    rng = np.random.default_rng(0)
    for density in DENSITIES:
        yield {"mask": "random", **row([rng.random(shape) < density for shape in SHAPES])}
    for file in files:
        yield {"mask": str(file), **row([mask[0] for mask in load_masks(file)[1]])}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("files", nargs="*", type=Path, help="masks of runs")
    print(pd.DataFrame(cases(parser.parse_args().files)).to_markdown(index=False, disable_numparse=True))


if __name__ == "__main__":
    main()
