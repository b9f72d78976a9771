"""Seeds: one generator a purpose, derived from (seed, purpose), so that no draw depends on another."""

from __future__ import annotations

import hashlib

import numpy as np


def derive(seed: int, *purpose: str | int) -> int:
    """A 63-bit integer determined by the seed and the purpose, and unrelated for any other pair."""
    digest = hashlib.sha256("/".join(map(str, (seed, *purpose))).encode()).digest()
    return int.from_bytes(digest[:8], "little") >> 1


def numpy_generator(seed: int, *purpose: str | int) -> np.random.Generator:
    """A numpy generator of its own for this seed and purpose."""
    return np.random.default_rng(derive(seed, *purpose))


def torch_generator(seed: int, *purpose: str | int):
    """A CPU `torch.Generator` of its own for this seed and purpose."""
    import torch

    return torch.Generator().manual_seed(derive(seed, *purpose))
